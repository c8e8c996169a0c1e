import { afterEach, describe, expect, test } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formPods } from '../../support/form-pods.ts';
import { freeAddresses } from '../../support/loopback.ts';
import { poll } from '../../support/redis-server.ts';
import { FLAVOURS, makePod, type Flavour, type PodOptions, type ScriptPod } from '../../support/script-pod.ts';

const PORT = 7340;
const pods: ScriptPod[] = [];

async function makeCluster(
  flavour: Flavour,
  count: number,
  options: Partial<PodOptions> = {},
): Promise<readonly ScriptPod[]> {
  const addresses = await freeAddresses(count, PORT);
  const spec = { ...options.spec, config: { 'cluster-node-timeout': '1000', ...options.spec?.config } };
  const made = await Promise.all(
    addresses.map((address) => makePod({ flavour, address, port: PORT, ...options, spec })),
  );
  pods.push(...made);
  for (const pod of made) pod.start();
  await Promise.all(made.map((pod) => pod.ready()));
  await formPods(made, 3);
  // Until a replica has acknowledged an offset it is `wait_bgsave` or `send_bulk` on its primary.
  await poll('replicas online', 20_000, async () => {
    const infos = await Promise.all(made.slice(0, 3).map((pod) => pod.cli('info', 'replication')));
    return infos.join('').match(/state=online/g)?.length === count - 3 ? true : null;
  });
  return made;
}

function nth(all: readonly ScriptPod[], ordinal: number): ScriptPod {
  const pod = all[ordinal - 1];
  if (pod === undefined) throw new Error(`no pod ${ordinal}`);
  return pod;
}

async function roleOf(pod: ScriptPod): Promise<string | undefined> {
  return /role:(\w+)/.exec(await pod.cli('info', 'replication'))?.[1];
}

function logOf(pod: ScriptPod): Promise<string> {
  return readFile(join(pod.root, 'stop.log'), 'utf8');
}

afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.remove()));
});

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('stop.sh, %s', (_, flavour) => {
  test('a primary hands over to its replica and serves on for 3 s; others go at once', async () => {
    const cluster = await makeCluster(flavour, 5, { password: 'secret', spec: { auth: true } });
    const [primary, alone, replica] = [nth(cluster, 1), nth(cluster, 3), nth(cluster, 4)];
    const others = await Promise.all([alone.run('stop.sh'), replica.run('stop.sh')]);
    expect(others.map(({ code, output }) => ({ code, output }))).toEqual([
      { code: 0, output: '' },
      { code: 0, output: '' },
    ]);
    expect(Math.max(...others.map(({ elapsedMs }) => elapsedMs))).toBeLessThan(1_500);
    expect(await Promise.all([roleOf(primary), roleOf(replica)])).toEqual(['master', 'slave']);

    const stopping = primary.run('stop.sh');
    await poll('the hand-over', 8_000, async () => ((await roleOf(primary)) === 'slave' ? true : null));
    expect(await primary.cli('ping')).toBe('PONG');
    const { code, elapsedMs } = await stopping;
    expect(code).toBe(0);
    expect(elapsedMs).toBeGreaterThan(3_000);
    expect(elapsedMs).toBeLessThan(10_000);
    expect(await roleOf(replica)).toBe('master');
    expect(await logOf(primary)).toBe(`guard: handed the role of primary to ${replica.address}:${PORT}\n`);
  });

  test('all primaries at once, as when their host is drained: every one hands over, and no timeout stays short', async () => {
    const cluster = await makeCluster(flavour, 6, { spec: { config: { 'cluster-node-timeout': '5000' } } });
    const primaries = cluster.slice(0, 3);
    await Promise.all(primaries.map((pod) => pod.run('stop.sh')));
    expect(await Promise.all(cluster.map(roleOf))).toEqual(['slave', 'slave', 'slave', 'master', 'master', 'master']);
    for (const pod of primaries) expect(await logOf(pod)).toContain('guard: handed the role of primary to');
    const timeouts = await Promise.all(cluster.map((pod) => pod.cli('config', 'get', 'cluster-node-timeout')));
    expect(timeouts.map((text) => text.split('\n')[1])).toEqual(cluster.map(() => '5000'));
  });

  test('a replica that does not answer does not hold the stop', async () => {
    const cluster = await makeCluster(flavour, 4);
    const [primary, replica] = [nth(cluster, 1), nth(cluster, 4)];
    replica.signal('SIGSTOP');
    const { code, elapsedMs } = await primary.run('stop.sh');
    replica.signal('SIGCONT');
    expect(code).toBe(0);
    expect(elapsedMs).toBeLessThan(8_000);
    expect(await logOf(primary)).toContain(`replica ${replica.address}:${PORT} did not take over`);
  });

  test('a server that is gone or frozen does not hold the stop', async () => {
    const [address = ''] = await freeAddresses(1, PORT);
    const pod = await makePod({ flavour, address, port: PORT });
    pods.push(pod);
    expect(await pod.run('stop.sh')).toMatchObject({ code: 0 });
    pod.start();
    await pod.ready();
    pod.signal('SIGSTOP');
    const { code, elapsedMs } = await pod.run('stop.sh');
    expect([code, elapsedMs < 4_000]).toEqual([0, true]);
  });

  test('the last copy, and one whose only replica is behind, stop as primaries and come back with all keys', async () => {
    const cluster = await makeCluster(flavour, 4, { spec: { config: { 'cluster-node-timeout': '30000' } } });
    const [primary, last, replica] = [nth(cluster, 1), nth(cluster, 3), nth(cluster, 4)];
    replica.signal('SIGSTOP');
    await poll('a lag', 20_000, async () => {
      const lag = /lag=(\d+)/.exec(await primary.cli('info', 'replication'))?.[1];
      return Number(lag) > 5 ? true : null;
    });
    for (const pod of [primary, last]) {
      const tag = pod === primary ? '{b}' : '{a}';
      for (let i = 0; i < 20; i++) await pod.cli('set', `${tag}${i}`, 'x');
      expect((await pod.run('stop.sh')).elapsedMs).toBeLessThan(4_000);
      await pod.kill('SIGTERM');
      pod.start();
      await pod.ready();
      await poll('its keys, once it has loaded them', 20_000, async () =>
        (await pod.cli('dbsize')) === '20' ? true : null,
      );
      expect(await roleOf(pod)).toBe('master');
    }
    expect(await logOf(primary)).toBe(
      'guard: stopping as primary: no replica is in step, and one that is behind must not take over\n',
    );
    expect(await logOf(last)).toBe('guard: stopping as primary without a replica\n');
    replica.signal('SIGCONT');
    await poll('all keys on the replica', 30_000, async () => ((await replica.cli('dbsize')) === '20' ? true : null));
  });

  test('of several replicas the one with the highest offset takes over', async () => {
    const cluster = await makeCluster(flavour, 7, { spec: { config: { 'repl-ping-replica-period': '1' } } });
    const [primary, behind, best] = [nth(cluster, 1), nth(cluster, 4), nth(cluster, 7)];
    behind.signal('SIGSTOP');
    // Its offset stays, that of the other grows, and its lag is still small.
    await poll('different offsets', 10_000, async () => {
      await primary.cli('set', '{b}', 'x');
      const info = await primary.cli('info', 'replication');
      const offsets = [...info.matchAll(/offset=(\d+)/g)].map((match) => Number(match[1]));
      return offsets.length === 2 && offsets[0] !== offsets[1] ? true : null;
    });
    await primary.run('stop.sh');
    behind.signal('SIGCONT');
    expect(await logOf(primary)).toBe(`guard: handed the role of primary to ${best.address}:${PORT}\n`);
  });

  test('one that was emptied does not, and not where it is the only one', async () => {
    const cluster = await makeCluster(flavour, 7, { spec: { config: { 'repl-ping-replica-period': '1' } } });
    const [primary, emptied, whole] = [nth(cluster, 1), nth(cluster, 4), nth(cluster, 7)];
    // More than the pings of a primary, which come between the two questions now and then, could stand for.
    await primary.cli('mset', ...Array.from({ length: 100 }, (_, n) => [`{b}${n}`, 'x']).flat());
    // (WAIT would say nothing here: it speaks of the writes of its own connection.)
    await poll('both have all', 20_000, async () =>
      (await Promise.all([emptied, whole].map((pod) => pod.cli('dbsize')))).every((size) => size === '100')
        ? true
        : null,
    );
    await emptied.cli('config', 'set', 'replica-read-only', 'no');
    await emptied.cli('flushall');
    await primary.run('stop.sh');
    expect(await logOf(primary)).toBe(`guard: handed the role of primary to ${whole.address}:${PORT}\n`);
    await poll('the other follows the new primary', 20_000, async () =>
      (await whole.cli('info', 'replication')).match(/state=online/g)?.length === 2 ? true : null,
    );
    await primary.kill('SIGKILL');
    // (It may have copied all of it.)
    await emptied.cli('flushall');
    await whole.run('stop.sh');
    expect(await logOf(whole)).toBe(
      `guard: stopping as primary: the replica at ${emptied.address}:${PORT} is in step and has fewer keys, and must not take over\n`,
    );
    expect([await roleOf(whole), await whole.cli('dbsize')]).toEqual(['master', '100']);
  });
});
