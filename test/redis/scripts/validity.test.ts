/** Which restarted replicas may take over from a primary that does not answer. The probe runs as kubelet would run it. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { poll } from '../../support/redis-server.ts';
import { fill, hasKeys, nth, roleOf, scriptPods, startAll } from '../../support/script-cluster.ts';
import { FLAVOURS, SYSTEM, type ScriptPod } from '../../support/script-pod.ts';

const { form, removeAll } = scriptPods(7370);

function stampOf(pod: ScriptPod): string {
  return join(pod.dataDir, '.kubectl-redis.link');
}

async function factorOf(pod: ScriptPod): Promise<string | undefined> {
  return (await pod.cli('config', 'get', 'cluster-replica-validity-factor')).split('\n')[1];
}

/** As if the link had been up that much earlier; what the last look at it says is moved by `seenBy`. */
async function age(pod: ScriptPod, upBySeconds: number, seenBySeconds: number): Promise<void> {
  const [up, seen, primary] = (await readFile(stampOf(pod), 'utf8')).trim().split(' ');
  await writeFile(stampOf(pod), `${Number(up) - upBySeconds} ${Number(seen) - seenBySeconds} ${primary}\n`);
}

/** Runs the readiness probe again and again until `done`; null when that is not within the time. */
async function probeUntil(pod: ScriptPod, withinMs: number, done: () => Promise<boolean>): Promise<boolean> {
  return poll(
    'the end of the probes',
    withinMs,
    async () => {
      await pod.run('probe.sh', 'readiness');
      return (await done()) ? true : null;
    },
    500,
  ).catch(() => false);
}

const isPrimary = (pod: ScriptPod) => async (): Promise<boolean> => (await roleOf(pod)) === 'master';

/** As if the others had heard each other that much earlier. */
async function ageHeard(pod: ScriptPod, bySeconds: number): Promise<void> {
  const file = join(pod.dataDir, '.kubectl-redis.heard');
  const text = await readFile(file, 'utf8');
  const older = text.replaceAll(/[0-9]{10}$/gm, (time) => String(Number(time) - bySeconds));
  expect(older).not.toBe(text);
  await writeFile(file, older);
}

/** Until each of them has noted that it heard all the others. */
async function noteHeard(primaries: readonly ScriptPod[]): Promise<void> {
  await poll('everybody has heard everybody', 30_000, async () => {
    const texts = await Promise.all(
      primaries.map(async (pod) => {
        await pod.run('probe.sh', 'readiness');
        return readFile(join(pod.dataDir, '.kubectl-redis.heard'), 'utf8');
      }),
    );
    return texts.every((text) => !text.includes(' 0')) ? true : null;
  });
}

async function flaggedAsFailed(seenFrom: ScriptPod, primary: ScriptPod): Promise<void> {
  await poll('the primary counts as failed', 30_000, async () => {
    const line = (await seenFrom.cli('cluster', 'nodes')).split('\n').find((each) => each.includes(primary.address));
    return line !== undefined && /fail\b/.test(line) && !line.includes('fail?') ? true : null;
  });
}

/** The primary that was late comes, and leads with its 50 keys. */
async function leadsWithAll(late: ScriptPod, replica: ScriptPod): Promise<void> {
  late.start();
  await late.ready();
  await hasKeys([late, replica], 50);
  expect(await roleOf(late)).toBe('master');
}

/** The first one stays away. */
async function crashWithoutFirst(cluster: readonly ScriptPod[]): Promise<void> {
  await Promise.all(cluster.map((pod) => pod.kill('SIGKILL')));
  await startAll(cluster.slice(1));
}

afterEach(removeAll);

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('validity, %s', (_, flavour) => {
  test('all but one primary restarted: its replica takes over without a command, with all keys', async () => {
    const cluster = await form(flavour, 3, 6);
    const [gone, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(gone, 'b', 50, [replica]);
    await noteHeard(cluster.slice(0, 3));
    expect((await replica.run('probe.sh', 'readiness')).code).toBe(0);
    await Promise.all(cluster.map((pod) => pod.kill('SIGKILL')));
    // Hours may pass while everything is down.
    await age(replica, 7200, 7200);
    for (const pod of cluster.slice(0, 3)) await ageHeard(pod, 7200);
    await startAll(cluster.slice(1));
    expect(await factorOf(replica)).toBe('10');
    expect(await probeUntil(replica, 45_000, isPrimary(replica))).toBe(true);
    await hasKeys([replica], 50);
    expect((await replica.run('probe.sh', 'readiness')).code).toBe(0);
    expect(await factorOf(replica)).toBe('10');
  });

  test('a replica that was away for minutes never takes over from a primary that is only slow', async () => {
    const cluster = await form(flavour, 3, 4);
    const [slow, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(slow, 'b', 10, [replica]);
    expect((await replica.run('probe.sh', 'readiness')).code).toBe(0);
    await replica.kill('SIGKILL');
    for (let i = 10; i < 50; i++) await slow.cli('set', `{b}${i}`, 'x');
    await age(replica, 300, 300);
    // To the replica the others look restarted since: the primary has to be heard a while after their start.
    await poll('servers that have run for a while', 20_000, async () => {
      const infos = await Promise.all(cluster.slice(0, 3).map((pod) => pod.cli('info', 'server')));
      return infos.every((info) => Number(/uptime_in_seconds:(\d+)/.exec(info)?.[1]) > 8) ? true : null;
    });
    slow.signal('SIGSTOP');
    replica.start();
    await replica.ready();
    await flaggedAsFailed(nth(cluster, 2), slow);
    expect(await probeUntil(replica, 8_000, isPrimary(replica))).toBe(false);
    expect(await factorOf(replica)).toBe('10');
    slow.signal('SIGCONT');
    await hasKeys([slow, replica], 50);
    expect(await roleOf(slow)).toBe('master');
  });

  // A host goes, the rest lives on for minutes; then the power of all. All come back, the primary later than the others.
  test('a replica that was away when everything crashed never takes over from a primary that is late', async () => {
    const cluster = await form(flavour, 3, 4);
    const [late, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(late, 'b', 10, [replica]);
    await noteHeard(cluster.slice(0, 3));
    expect((await replica.run('probe.sh', 'readiness')).code).toBe(0);
    await replica.kill('SIGKILL');
    await fill(late, 'b', 50, []);
    await age(replica, 300, 300);
    await crashWithoutFirst(cluster);
    await flaggedAsFailed(nth(cluster, 2), late);
    expect(await probeUntil(replica, 8_000, isPrimary(replica))).toBe(false);
    expect(await factorOf(replica)).toBe('10');
    // Nor after one more crash of everything: who was not heard in between is not noted as heard.
    for (const pod of cluster.slice(1, 3)) await pod.run('probe.sh', 'readiness');
    await crashWithoutFirst(cluster);
    expect(await probeUntil(replica, 8_000, isPrimary(replica))).toBe(false);
    await leadsWithAll(late, replica);
  });

  // As `delete` does it, or whoever scales to 0: what the primary was told after its replica had gone is on its volume alone.
  test('a replica that was stopped in order does not take over from a primary that comes back later', async () => {
    const cluster = await form(flavour, 3, 4);
    const [late, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(late, 'b', 10, [replica]);
    await replica.run('probe.sh', 'readiness');
    expect((await replica.run('stop.sh')).code).toBe(0);
    // It is still asked while it stops.
    await replica.run('probe.sh', 'readiness');
    await replica.kill('SIGTERM');
    for (let i = 10; i < 50; i++) await late.cli('set', `{b}${i}`, 'x');
    for (const pod of cluster.slice(0, 3)) await pod.run('stop.sh');
    await Promise.all(cluster.slice(0, 3).map((pod) => pod.kill('SIGTERM')));
    await startAll(cluster.slice(1));
    await flaggedAsFailed(nth(cluster, 2), late);
    expect(await probeUntil(replica, 8_000, isPrimary(replica))).toBe(false);
    expect(await factorOf(replica)).toBe('10');
    await leadsWithAll(late, replica);
    // From here on what it has is remembered again.
    await replica.run('probe.sh', 'readiness');
    expect(await readFile(stampOf(replica), 'utf8')).toContain(late.address);
  });
});

describe('validity', () => {
  // No clocks are compared, and nobody has looked since: the others had declared the replica failed, and its primary not.
  test('nor does one that was away for a moment only', async () => {
    const cluster = await form(SYSTEM, 3, 4);
    const [late, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(late, 'b', 10, [replica]);
    await noteHeard(cluster.slice(0, 3));
    expect((await replica.run('probe.sh', 'readiness')).code).toBe(0);
    await replica.kill('SIGKILL');
    await flaggedAsFailed(nth(cluster, 2), replica);
    await flaggedAsFailed(nth(cluster, 3), replica);
    await fill(late, 'b', 50, []);
    await crashWithoutFirst(cluster);
    await flaggedAsFailed(nth(cluster, 2), late);
    expect(await probeUntil(replica, 8_000, isPrimary(replica))).toBe(false);
    await leadsWithAll(late, replica);
  });

  test('a replica whose link was down for minutes when everything stopped does not take over', async () => {
    const cluster = await form(SYSTEM, 3, 4);
    const [gone, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(gone, 'b', 10, [replica]);
    await replica.run('probe.sh', 'readiness');
    await Promise.all(cluster.map((pod) => pod.kill('SIGKILL')));
    await age(replica, 300, 0);
    await startAll(cluster.slice(1));
    await flaggedAsFailed(nth(cluster, 2), gone);
    expect(await probeUntil(replica, 8_000, isPrimary(replica))).toBe(false);
    expect(await factorOf(replica)).toBe('10');
  });

  test('a replica that is stopped in order after its link was lost remembers when that was', async () => {
    const cluster = await form(SYSTEM, 3, 4);
    const [gone, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(gone, 'b', 10, [replica]);
    await replica.run('probe.sh', 'readiness');
    // No majority, so that nobody is elected while it stops.
    for (const pod of cluster.slice(0, 2)) await pod.kill('SIGKILL');
    await poll('link down', 10_000, async () => ((await roleOf(replica)) === 'slave with link down' ? true : null));
    await replica.run('stop.sh');
    await replica.kill('SIGTERM');
    await startAll([nth(cluster, 2), replica]);
    expect(await probeUntil(replica, 45_000, isPrimary(replica))).toBe(true);
    await hasKeys([replica], 10);
  });

  test('a replica that died with its primary takes over, however long the others lived on before they crashed, too', async () => {
    const cluster = await form(SYSTEM, 3, 6);
    const [gone, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(gone, 'b', 10, [replica]);
    await noteHeard(cluster.slice(0, 3));
    await replica.run('probe.sh', 'readiness');
    await Promise.all([gone.kill('SIGKILL'), replica.kill('SIGKILL')]);
    await flaggedAsFailed(nth(cluster, 2), gone);
    // An hour, of which the others know that they heard neither.
    await age(replica, 3600, 3600);
    for (const pod of cluster.slice(1, 3)) {
      await ageHeard(pod, 3600);
      await poll('a later look', 10_000, async () => {
        await pod.run('probe.sh', 'readiness');
        const text = await readFile(join(pod.dataDir, '.kubectl-redis.heard'), 'utf8');
        const [, ...times] = (text.match(/[0-9]{10}$/gm) ?? []).map(Number);
        return Math.max(...times) - Math.min(...times) > 3000 ? true : null;
      });
    }
    await crashWithoutFirst(cluster);
    expect(await probeUntil(replica, 45_000, isPrimary(replica))).toBe(true);
    await hasKeys([replica], 10);
  });

  // The other primary has run for an hour, and tells what it noted before its start: of a time when this replica was restarted.
  test('an old note about a replica does not bar it', async () => {
    const cluster = await form(SYSTEM, 3, 4);
    const [gone, replica, witness] = [nth(cluster, 1), nth(cluster, 4), nth(cluster, 2)];
    await fill(gone, 'b', 10, [replica]);
    const then = Math.floor(Date.now() / 1_000) - 3_600;
    const lines = [gone, nth(cluster, 3)].map(({ address }) => `${address} ${then}`);
    await witness.kill('SIGKILL');
    await writeFile(
      join(witness.dataDir, '.kubectl-redis.heard'),
      [then, ...lines, `${replica.address} ${then - 60}`, ''].join('\n'),
    );
    await startAll([witness]);
    const told = await witness.cli('config', 'get', 'proc-title-template');
    expect(told).toContain(`heard:${then},${replica.address}=${then - 60} data:`);
    await replica.run('probe.sh', 'readiness');
    await Promise.all([gone.kill('SIGKILL'), replica.kill('SIGKILL')]);
    replica.start();
    await replica.ready();
    expect(await probeUntil(replica, 45_000, isPrimary(replica))).toBe(true);
    await hasKeys([replica], 10);
  });

  test('a replica restarted a moment ago takes over from a primary that died with it', async () => {
    const cluster = await form(SYSTEM, 3, 4);
    const [gone, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(gone, 'b', 10, [replica]);
    await replica.run('probe.sh', 'readiness');
    await Promise.all([gone.kill('SIGKILL'), replica.kill('SIGKILL')]);
    replica.start();
    await replica.ready();
    expect(await probeUntil(replica, 45_000, isPrimary(replica))).toBe(true);
    await hasKeys([replica], 10);
  });

  test('the stamp follows the link, and a primary has none', async () => {
    const cluster = await form(SYSTEM, 3, 4, { spec: { config: { 'cluster-node-timeout': '15000' } } });
    const [primary, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await replica.run('probe.sh', 'readiness');
    const stamp = await readFile(stampOf(replica), 'utf8');
    expect(stamp).toMatch(/^(\d{10}) \1 [\d.]+\n$/);
    expect(stamp.trim().split(' ')[2]).toBe(primary.address);
    await primary.kill('SIGKILL');
    await poll('link down', 10_000, async () => ((await roleOf(replica)) === 'slave with link down' ? true : null));
    await age(replica, 100, 100);
    const [up] = (await readFile(stampOf(replica), 'utf8')).split(' ');
    await replica.run('probe.sh', 'readiness');
    const [upThen, seenThen] = (await readFile(stampOf(replica), 'utf8')).split(' ');
    expect(upThen).toBe(up);
    expect(Number(seenThen) - Number(upThen)).toBeGreaterThanOrEqual(100);
    await replica.cli('cluster', 'failover', 'takeover');
    await poll('role', 10_000, async () => ((await roleOf(replica)) === 'master' ? true : null));
    await replica.run('probe.sh', 'readiness');
    await expect(readFile(stampOf(replica), 'utf8')).rejects.toThrow('ENOENT');
  });
});
