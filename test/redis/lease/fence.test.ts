/** Nothing is sent to a node when the lease was lost while the way to it opened (FINDINGS K15). Real servers. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { AppError } from '../../../pkg/errors.ts';
import type { Dialer, Fence } from '../../../pkg/engine/ports.ts';
import { createRedisPort } from '../../../pkg/redis/connect.ts';
import type { Redis } from '../../../pkg/redis/connect.ts';
import { POLITE, startMoveCluster, type MoveCluster } from '../../support/move-cluster.ts';

const WHOLE = [{ start: 0, end: 10 }];
const NEVER = new AbortController().signal;

describe('a fence', () => {
  let cluster: MoveCluster;
  beforeAll(async () => {
    cluster = await startMoveCluster({ masters: 2, empty: 0 });
  }, 60_000);
  afterAll(() => cluster.stop());

  /** Shut as soon as a connection is being dialed: whoever asked before was let through. */
  function world(): { port: Redis; fence: Fence & { open: boolean }; passes: () => number } {
    let passes = 0;
    const fence = {
      open: true,
      connectionName: 'kubectl-redis:a-test',
      isOpen: () => fence.open,
      pass: () => {
        passes += 1;
        return fence.open ? Promise.resolve() : Promise.reject(new AppError('lost', { code: 'lease-lost' }));
      },
    };
    const dial: Dialer = async (pod, signal) => {
      const stream = await cluster.redis.dial(pod, signal);
      fence.open = false;
      return stream;
    };
    return { port: createRedisPort({ dial, credentials: () => Promise.resolve(null) }), fence, passes: () => passes };
  }

  const ask = async (index: number, ...words: [string, ...string[]]): Promise<unknown> =>
    (await cluster.port.run(cluster.server(index).pod, [words], 5_000))[0];

  test('that was shut while a connection opened: the commands of a step are not sent', async () => {
    const { port, fence, passes } = world();
    const { pod } = cluster.server(0);
    const sent = port.run(pod, [['CONFIG', 'SET', 'maxmemory-samples', 9]], 5_000, fence);
    await expect(sent).rejects.toMatchObject({ code: 'lease-lost' });
    expect(passes()).toBe(2);
    expect(await ask(0, 'CONFIG', 'GET', 'maxmemory-samples')).toEqual(['maxmemory-samples', '5']);
    // The connection is sound, and has the operation's name.
    fence.open = true;
    await port.run(pod, [['CONFIG', 'SET', 'maxmemory-samples', 7]], 5_000, fence);
    expect(await ask(0, 'CONFIG', 'GET', 'maxmemory-samples')).toEqual(['maxmemory-samples', '7']);
    expect(await ask(0, 'CLIENT', 'LIST')).toContain(' name=kubectl-redis:a-test ');
    port.close();
  });

  test('that is shut lets no move begin, nor go on', async () => {
    const { port, fence } = world();
    const before = await ask(0, 'CLUSTER', 'NODES');
    const moving = port.mover.move(cluster.move(0, 1, WHOLE), POLITE, () => undefined, NEVER, fence);
    await expect(moving).rejects.toMatchObject({ code: 'lease-lost' });
    const slotsOf = (nodes: unknown): string => /myself.*connected (.*)/.exec(String(nodes))?.[1] ?? '';
    expect(slotsOf(await ask(0, 'CLUSTER', 'NODES'))).toBe(slotsOf(before));
    port.close();
  });

  test('that is shut lets no stray keys be settled', async () => {
    const { port, fence } = world();
    const strays = { holder: cluster.end(0), others: [cluster.end(1)], slots: null };
    const settling = port.strays.settle(strays, POLITE, () => undefined, NEVER, fence);
    await expect(settling).rejects.toMatchObject({ code: 'lease-lost' });
    port.close();
  });

  test('without one nothing changes, the name of the connection included', async () => {
    const port = createRedisPort({ dial: cluster.redis.dial, credentials: () => Promise.resolve(null) });
    const [list] = await port.run(cluster.server(1).pod, [['CLIENT', 'LIST']], 5_000);
    expect(String(list)).not.toContain('name=kubectl-redis');
    port.close();
  });
});
