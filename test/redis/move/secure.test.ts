/** Moves where the servers want a user's name and password, and where they talk TLS with each other. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { makeCertificate } from '../../playground/api/certificate.ts';
import { totalKeys } from '../../support/move-cluster.ts';
import type { Directive } from '../../support/redis-server.ts';
import { findStrays } from '../../support/strays.ts';
import { at, cluster, load, run, start } from './scene.ts';
import { CASES } from './servers.ts';

const KEYS = 2000;

async function moveAll(limits: Parameters<typeof run>[0]): Promise<void> {
  await load(KEYS);
  expect((await run(limits)).slots).toBe(200);
  expect(await findStrays(cluster)).toEqual([]);
  expect(await totalKeys(cluster.port, [cluster.server(1)])).toBe(KEYS);
}

describe.each(CASES)('$name by $way', ({ server, limits }) => {
  test('as a user of the ACL, while the default user is off', async () => {
    const login = { username: 'mover', password: 'se cret"' };
    const config: readonly Directive[] = [
      ['user', login.username, 'on', `>${login.password}`, '~*', '&*', '+@all'],
      ['user', 'default', 'off'],
      ['masteruser', login.username],
      ['masterauth', login.password],
    ];
    await start(server, { login, config });
    expect(await at(0, ['ACL', 'WHOAMI'])).toEqual(['mover']);
    await moveAll(limits);
  });

  describe('over TLS', () => {
    let dir: string;
    let config: readonly Directive[];
    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'move-tls-'));
      const { authority, certificate, key } = await makeCertificate('127.0.0.1');
      const files = { 'ca-cert': authority, cert: certificate, key };
      for (const [name, pem] of Object.entries(files)) await writeFile(join(dir, name), pem);
      config = [
        // People and this tool still come in plain text; the bus keeps the port that MEET takes for granted.
        ['tls-port', '7500'],
        ['cluster-port', '17000'],
        ['tls-cluster', 'yes'],
        ['tls-replication', 'yes'],
        ...Object.keys(files).map((name): Directive => [`tls-${name}-file`, join(dir, name)]),
      ];
    });
    afterAll(() => rm(dir, { recursive: true, force: true }));

    test('keys go to the port for TLS, which whoever asks in plain text is not told', async () => {
      await start(server, { config });
      await moveAll(limits);
    });
  });
});
