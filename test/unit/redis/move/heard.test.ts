/** After a MIGRATE without an answer: nothing is sent on before the source itself has heard its target. */
import { describe, expect, test } from '@jest/globals';
import type { MoveContext } from '../../../../pkg/redis/move/context.ts';
import { awaitHeard } from '../../../../pkg/redis/move/look.ts';

const TARGET = 'b'.repeat(40);
const nodes = (pong: number): Buffer => Buffer.from(`${TARGET} 10.0.0.2:6379@16379 master - 0 ${pong} 2 connected 5\n`);

/** @param pongs what the source says one time after the other; the last one for ever */
function contextOf(pongs: readonly (number | null)[]): {
  context: MoveContext;
  asked: () => number;
  stop: AbortController;
} {
  let asked = 0;
  const stop = new AbortController();
  const source = {
    end: { nodeId: 'a'.repeat(40), pod: { name: 'redis-1-0' } },
    send: () => {
      const pong = pongs[Math.min(asked++, pongs.length - 1)] ?? null;
      return Promise.resolve([pong === null ? Buffer.from('') : nodes(pong)]);
    },
  };
  const target = {
    end: { nodeId: TARGET, pod: { name: 'redis-2-0' } },
    send: () => Promise.resolve([Buffer.from('cluster_state:ok\r\n')]),
  };
  const context = { source, target, signal: stop.signal } as unknown as MoveContext;
  return { context, asked: () => asked, stop };
}

describe('awaitHeard', () => {
  test('a target that answers us does not count until the source has heard it', async () => {
    const { context, asked } = contextOf([1000, 1000, 1000, 1000, 1200]);
    await awaitHeard(context);
    expect(asked()).toBe(5);
  });

  test('who is not known to the source at all is for the source to refuse', async () => {
    await awaitHeard(contextOf([null]).context);
  });

  test('can be interrupted', async () => {
    const { context, stop } = contextOf([1000]);
    setTimeout(() => stop.abort(), 100);
    await expect(awaitHeard(context)).rejects.toMatchObject({ code: 'interrupted' });
  });
});
