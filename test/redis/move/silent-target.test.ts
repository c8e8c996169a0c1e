/** A target that falls silent in the middle of a move: how long its source, waiting in MIGRATE, answers nobody. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import type { RedisServer } from '../../support/redis-server.ts';
import { totalKeys } from '../../support/move-cluster.ts';
import { findStrays } from '../../support/strays.ts';
import { at, cluster, load, run, start } from './scene.ts';
import { BINARIES, BY_MIGRATE } from './servers.ts';

const FROZEN_MS = 8_000;
/** The wait of one MIGRATE, and what a busy machine takes. */
const ONE_WAIT_MS = 1_500 + 500;
const NOTICEABLE_MS = 300;

/** Asks one question after the other until stopped. @returns how long it had to wait for answers, where that could be felt */
async function startAsking({ port, address }: RedisServer): Promise<{ stop(): Promise<readonly number[]> }> {
  const socket = connect(port, address);
  await once(socket, 'connect');
  const waits: number[] = [];
  const stopped = new AbortController();
  const asking = (async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      const from = performance.now();
      socket.write('PING\r\n');
      await once(socket, 'data');
      const waited = performance.now() - from;
      if (waited > NOTICEABLE_MS) waits.push(Math.round(waited));
      await delay(10);
    }
  })();
  return {
    stop: async () => {
      stopped.abort();
      await asking;
      socket.destroy();
      return waits;
    },
  };
}

describe.each(BINARIES)('$name', ({ server }) => {
  test('its source waits for it once, and not for each slot', async () => {
    await start(server, { nodeTimeoutMs: 5_000 });
    // Few keys in each of 200 slots: many MIGRATEs, where others would take one.
    await load(8_000, (key) => ['SET', key, 'x'.repeat(1_000)]);
    const asking = await startAsking(cluster.server(0));
    const frozen: Promise<void>[] = [];
    const freeze = async (): Promise<void> => {
      cluster.server(1).kill('SIGSTOP');
      await delay(FROZEN_MS);
      cluster.server(1).kill('SIGCONT');
    };
    await run(BY_MIGRATE, {
      onProgress: ({ keys }) => {
        if (keys > 500 && frozen.length === 0) frozen.push(freeze());
      },
    });
    await Promise.all(frozen);
    expect(frozen).toHaveLength(1);
    const waits = await asking.stop();
    expect(waits.length).toBeLessThanOrEqual(2);
    expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThan(ONE_WAIT_MS);
    expect(await findStrays(cluster)).toEqual([]);
    expect(await totalKeys(cluster.port, [cluster.server(1)])).toBe(8_000);
    expect(await at(0, ['DBSIZE'])).toEqual([0]);
  }, 60_000);
});
