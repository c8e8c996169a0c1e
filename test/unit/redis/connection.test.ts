/** Why a connection was lost: what its stream was destroyed with, whenever that was. */
import { Duplex } from 'node:stream';
import { expect, test } from '@jest/globals';
import { AppError } from '../../../pkg/errors.ts';
import { RedisConnection } from '../../../pkg/redis/connection.ts';

const refused = (): AppError => new AppError('nothing listens on port 6379 of pod redis-1-0', { code: 'refused' });

function silentStream(): Duplex {
  const stream = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  // As the pool that opened it listens.
  stream.on('error', () => undefined);
  return stream;
}

async function ask(stream: Duplex): Promise<unknown> {
  const connection = await RedisConnection.open(stream, null, () => undefined);
  return connection.exec([['PING']]);
}

test('refused before anybody listens to it', async () => {
  const stream = silentStream();
  stream.destroy(refused());
  await expect(ask(stream)).rejects.toMatchObject({ code: 'refused' });
});

test('refused while it is taken over', async () => {
  const stream = silentStream();
  const asked = ask(stream);
  stream.destroy(refused());
  await expect(asked).rejects.toMatchObject({ code: 'refused' });
});

test('refused while it is asked', async () => {
  const stream = silentStream();
  const connection = await RedisConnection.open(stream, null, () => undefined);
  const asked = connection.exec([['PING']]);
  stream.destroy(refused());
  await expect(asked).rejects.toMatchObject({ code: 'refused' });
});
