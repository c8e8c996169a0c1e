/**
 * One key that is as large as the rest of the data is small: while it is packed and unpacked its nodes answer nobody, and that must
 * not be taken for their death; and it may be larger than it seems.
 *
 * MOVE_BIG_MIB = its size (32, `npm run test:long` 200).
 */
import { describe, expect, test } from '@jest/globals';
import { must } from '../../support/form-cluster.ts';
import { keysIn } from '../../support/move-cluster.ts';
import { findStrays } from '../../support/strays.ts';
import { RANGE, at, cluster, load, run, start } from './scene.ts';
import { CASES } from './servers.ts';

const MIB = Number(process.env['MOVE_BIG_MIB'] ?? 32);
/** What the hash is made of; a field with its name takes about as much more. */
const VALUE_BYTES = 900;
const FIELDS = Math.round((MIB * 2 ** 20) / 1024);
/** So short that a pause of the hash's length would cost its node the role. */
const NODE_TIMEOUT_MS = 300;
const FILL = `for i = ARGV[1], ARGV[2] do
  redis.call('HSET', KEYS[1], 'field:' .. i, string.rep('x', ${VALUE_BYTES}) .. i)
end`;
const AT_ONCE = 20_000;

describe.each(CASES)('$name by $way', ({ name, way, server, limits }) => {
  test(`a hash of ${MIB} MiB arrives whole, and costs no node its role`, async () => {
    await start(server, { masters: 3, nodeTimeoutMs: NODE_TIMEOUT_MS, replicas: 3 });
    const key = `big:${keysIn([RANGE], 1).map((one) => one.slice(one.indexOf('{')))[0]}`;
    await setTimeouts(20_000);
    for (let from = 1; from <= FIELDS; from += AT_ONCE)
      await must(cluster.port, cluster.server(0), [['EVAL', FILL, 1, key, from, Math.min(FIELDS, from + AT_ONCE - 1)]]);
    const [bytes] = await must(cluster.port, cluster.server(0), [['MEMORY', 'USAGE', key]]);
    expect(Number(bytes)).toBeGreaterThan(MIB * 2 ** 20);
    await load(500);
    await setTimeouts(NODE_TIMEOUT_MS);
    const epochs = await epochsOf();
    const from = performance.now();
    const move = cluster.move(0, 3, [RANGE]);
    const { slots } = await cluster.port.mover.move(move, limits, () => undefined, new AbortController().signal);
    console.log(`${name} by ${way}: ${MIB} MiB in ${((performance.now() - from) / 1000).toFixed(1)} s`);
    expect(slots).toBe(200);
    const [length, last] = await must(cluster.port, cluster.server(3), [
      ['HLEN', key],
      ['HGET', key, `field:${FIELDS}`],
    ]);
    expect([length, last]).toEqual([FIELDS, `${'x'.repeat(VALUE_BYTES)}${FIELDS}`]);
    for (const index of [0, 1, 2, 3]) {
      const question = [['ROLE'], ['CONFIG', 'GET', 'cluster-node-timeout']] as const;
      const [role, timeout] = await must(cluster.port, cluster.server(index), question);
      expect([(role as unknown[])[0], timeout]).toEqual(['master', ['cluster-node-timeout', String(NODE_TIMEOUT_MS)]]);
    }
    // A failover and back would leave the roles as they were, and others' epochs changed.
    expect((await epochsOf()).slice(0, 3)).toEqual(epochs.slice(0, 3));
    expect(await findStrays(cluster)).toEqual([]);
  }, 300_000);

  // MEMORY USAGE of Redis 7 and Valkey looks at a few elements from the head. From some hundred MiB on the target's answer comes too late for a small key.
  test(`a list of ${4 * MIB} MiB whose first elements are small arrives whole`, async () => {
    await start(server);
    const key = `big:${keysIn([RANGE], 1).map((one) => one.slice(one.indexOf('{')))[0]}`;
    const push = (count: number, value: string): Promise<unknown> =>
      must(cluster.port, cluster.server(0), [
        ['EVAL', `for i = 1, ${count} do redis.call('RPUSH', KEYS[1], ${value}) end`, 1, key],
      ]);
    await setTimeouts(20_000);
    await push(20, `string.rep('x', 9000)`);
    for (let added = 0; added < 4 * MIB; added += 16) await push(16, `string.rep('y', 2 ^ 20)`);
    expect((await run(limits)).slots).toBe(200);
    expect(await at(1, ['LLEN', key])).toEqual([20 + 4 * MIB]);
    expect(await findStrays(cluster)).toEqual([]);
  }, 300_000);

  async function setTimeouts(milliseconds: number): Promise<void> {
    for (const each of cluster.redis.servers)
      await must(cluster.port, each, [['CONFIG', 'SET', 'cluster-node-timeout', milliseconds]]);
  }

  /** Config epochs of the primaries, each as it says itself. */
  function epochsOf(): Promise<string[]> {
    return Promise.all(
      [0, 1, 2, 3].map(async (index) => {
        const [info] = await must(cluster.port, cluster.server(index), [['CLUSTER', 'INFO']]);
        return /cluster_my_epoch:(\d+)/.exec(String(info))?.[1] ?? '';
      }),
    );
  }
});
