/**
 * A server that keeps no append-only file has more in memory than on its volume. When its process crashes, the kubelet starts it again within
 * a second: before anybody is elected, and with keys of hours ago, which its replica would copy.
 */
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readLoaded, type LoadedData } from '../../../pkg/cluster/wire/loaded.ts';
import { poll } from '../../support/redis-server.ts';
import {
  ageFiles,
  hasKeys,
  hasWritten,
  nth,
  PATIENT,
  roleOf,
  scriptPods,
  startAll,
} from '../../support/script-cluster.ts';
import { FLAVOURS, guardSays, SYSTEM, type Flavour, type ScriptPod } from '../../support/script-pod.ts';

/** A guard without a majority waits 15 s and more, and two of these run side by side. */
jest.setTimeout(150_000);

const { form, removeAll } = scriptPods(7410);

afterEach(removeAll);

const NOTHING = { appendonly: 'no', save: '""' };
const SNAPSHOTS = { appendonly: 'no', save: '3600 1' };

async function write(pod: ScriptPod, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await pod.cli('set', `{b}${i}`, 'x');
}

/** (A child that still sends its data to a replica is in the way.) */
async function dump(pod: ScriptPod): Promise<void> {
  await poll('a dump', 20_000, async () => ((await pod.cli('save')) === 'OK' ? true : null));
}

/** Three primaries, and where `count` is 4 a replica of the first; 10 keys in its dump of an hour ago, 50 in its memory. */
async function serving(flavour: Flavour, count: number, config: Record<string, string>): Promise<ScriptPod[]> {
  const cluster = await form(flavour, 3, count, { spec: { config: { ...PATIENT.spec?.config, ...config } } });
  const primary = nth(cluster, 1);
  await write(primary, 0, 10);
  await dump(primary);
  await ageFiles(primary);
  await write(primary, 10, 50);
  await hasKeys(count > 3 ? [primary, nth(cluster, 4)] : [primary], 50);
  for (const pod of cluster) await pod.run('probe.sh', 'readiness');
  return cluster;
}

async function takesOver(replica: ScriptPod, of: ScriptPod): Promise<void> {
  await poll('the replica leads', 60_000, async () => ((await roleOf(replica)) === 'master' ? true : null)).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}\n${of.log()}`, { cause: error });
    },
  );
}

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('old data, %s', (_, flavour) => {
  test.each([
    ['nothing kept', NOTHING],
    ['snapshots', SNAPSHOTS],
  ] as const)(
    '%s: the replica of a primary that crashed, and is back at once, takes over with all keys',
    async (_name, config) => {
      const cluster = await serving(flavour, 4, config);
      const [crashed, replica] = [nth(cluster, 1), nth(cluster, 4)];
      await crashed.kill('SIGKILL');
      crashed.start();
      await guardSays(crashed, /waiting for a replica to take over: the server that ran last kept no append-only file/);
      await takesOver(replica, crashed);
      await crashed.ready();
      await hasKeys([crashed, replica], 50);
      expect(await roleOf(replica)).toBe('master');
    },
  );
});

describe('old data', () => {
  test('append-only files turned off by hand, on the primary alone', async () => {
    const cluster = await serving(SYSTEM, 4, {});
    const [crashed, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await crashed.cli('config', 'set', 'appendonly', 'no');
    await write(crashed, 50, 100);
    await hasKeys([crashed, replica], 100);
    await crashed.run('probe.sh', 'readiness');
    await crashed.kill('SIGKILL');
    crashed.start();
    await takesOver(replica, crashed);
    await crashed.ready();
    await hasKeys([crashed, replica], 100);
  });

  test('the same, and its replica, which keeps one, crashed with it: what that has is later', async () => {
    const cluster = await serving(SYSTEM, 4, {});
    const [crashed, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await crashed.cli('config', 'set', 'appendonly', 'no');
    await ageFiles(crashed);
    await crashed.run('probe.sh', 'readiness');
    await write(crashed, 50, 100);
    await hasKeys([crashed, replica], 100);
    await hasWritten([replica]);
    await replica.run('probe.sh', 'readiness');
    await Promise.all([crashed.kill('SIGKILL'), replica.kill('SIGKILL')]);
    await startAll([replica]);
    crashed.start();
    await takesOver(replica, crashed);
    await crashed.ready();
    await hasKeys([crashed, replica], 100);
  });

  test.each([
    ['two of three primaries crashed', 3, 6, [1, 2]],
    ['the primary of a cluster of one shard crashed', 1, 2, [1]],
  ] as const)('%s: nobody can be elected, and their replicas lead', async (_name, masters, count, gone) => {
    const config = { ...PATIENT.spec?.config, ...NOTHING };
    const cluster = await form(SYSTEM, masters, count, { spec: { config } });
    const primaries = gone.map((ordinal) => nth(cluster, ordinal));
    const replicas = gone.map((ordinal) => nth(cluster, ordinal + masters));
    for (const [index, pod] of primaries.entries()) {
      await dump(pod);
      for (let i = 0; i < 50; i++) await pod.cli('set', `{${index === 0 ? 'b' : 'c'}}${i}`, 'x');
    }
    await hasKeys([...primaries, ...replicas], 50);
    for (const pod of cluster) await pod.run('probe.sh', 'readiness');
    await Promise.all(primaries.map((pod) => pod.kill('SIGKILL')));
    for (const pod of primaries) pod.start();
    await Promise.all(replicas.map((replica, index) => takesOver(replica, nth(primaries, index + 1))));
    await Promise.all(primaries.map((pod) => pod.ready()));
    await hasKeys([...primaries, ...replicas], 50);
  });

  test('nothing is left on its volume, and its replica was restarted with a dump: as where a volume was lost', async () => {
    const config = { ...PATIENT.spec?.config, ...NOTHING };
    const cluster = await form(SYSTEM, 3, 4, { spec: { config } });
    const [crashed, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await write(crashed, 0, 50);
    await hasKeys([crashed, replica], 50);
    await dump(replica);
    await Promise.all([crashed.kill('SIGKILL'), replica.kill('SIGKILL')]);
    await startAll([replica]);
    crashed.start();
    await takesOver(replica, crashed);
    await crashed.ready();
    await hasKeys([crashed, replica], 50);
  });

  test('a replica that is behind has more than a dump of an hour ago', async () => {
    const cluster = await serving(SYSTEM, 4, NOTHING);
    const [crashed, replica] = [nth(cluster, 1), nth(cluster, 4)];
    // Its link is cut, and it knocks at a door where nobody listens.
    await replica.cli('config', 'set', 'masterauth', 'wrong');
    await crashed.cli('config', 'set', 'requirepass', 'right');
    await crashed.kill('SIGKILL');
    crashed.start();
    await takesOver(replica, crashed);
    await hasKeys([replica], 50);
  });

  test('nobody follows it: it starts at once', async () => {
    const crashed = nth(await serving(SYSTEM, 3, NOTHING), 1);
    await crashed.kill('SIGKILL');
    crashed.start();
    await crashed.ready();
    expect(crashed.log()).not.toContain('guard: waiting');
    expect(await crashed.cli('dbsize')).toBe('10');
  });

  test('everything crashed: all start with their dumps, and nobody has to come', async () => {
    const cluster = await serving(SYSTEM, 4, SNAPSHOTS);
    const [primary, replica] = [nth(cluster, 1), nth(cluster, 4)];
    for (const pod of cluster.slice(0, 3)) await dump(pod);
    await Promise.all(cluster.map((pod) => pod.kill('SIGKILL')));
    await startAll(cluster);
    await hasKeys([primary, replica], 50);
    expect(await roleOf(primary)).toBe('master');
  });

  test('stopped in order, with a dump that it wrote then: it starts without its replica', async () => {
    const cluster = await serving(SYSTEM, 4, SNAPSHOTS);
    const [primary, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await replica.run('stop.sh');
    await replica.kill('SIGTERM');
    await primary.run('stop.sh');
    await primary.kill('SIGTERM');
    primary.start();
    await primary.ready();
    // (It gives the replica some seconds to say that it had more.)
    expect(primary.log()).not.toContain('take over');
    await hasKeys([primary], 50);
  });

  test('a stop that writes the dump anew does not make old keys younger', async () => {
    const cluster = await serving(SYSTEM, 4, SNAPSHOTS);
    const [primary, replica] = [nth(cluster, 1), nth(cluster, 4)];
    const told = async (): Promise<number> =>
      Number(/ data:(\d+)$/.exec((await replica.cli('config', 'get', 'proc-title-template')).trim())?.[1]);
    await replica.kill('SIGTERM');
    await ageFiles(replica);
    // Its link is never up.
    primary.signal('SIGSTOP');
    await startAll([replica]);
    const first = await told();
    expect(Math.abs(Date.now() / 1_000 - 3_600 - first)).toBeLessThan(60);
    await replica.run('probe.sh', 'readiness');
    await replica.kill('SIGTERM');
    await startAll([replica]);
    expect(await told()).toBe(first);
    // Until it is.
    primary.signal('SIGCONT');
    await poll('its link', 30_000, async () => ((await roleOf(replica)) === 'slave with link up' ? true : null));
    await replica.run('probe.sh', 'readiness');
    await replica.kill('SIGTERM');
    await startAll([replica]);
    expect(await told()).toBeGreaterThan(first + 3_000);
  });

  test('its replica is silent: it waits, and a person may start it', async () => {
    const cluster = await serving(SYSTEM, 4, NOTHING);
    const [crashed, replica] = [nth(cluster, 1), nth(cluster, 4)];
    replica.signal('SIGSTOP');
    await crashed.kill('SIGKILL');
    crashed.start();
    const line = await guardSays(
      crashed,
      /0 of 1 replicas answer.*; to start with what is here: kubectl exec .* -- touch /,
    );
    await writeFile(String(/touch (\S+)/.exec(line)?.[1]), '');
    await crashed.ready();
    expect(await crashed.cli('dbsize')).toBe('10');
    expect(await readdir(crashed.dataDir)).not.toContain('.kubectl-redis.start-old');
    const told = async (): Promise<LoadedData | null> =>
      readLoaded((await crashed.cli('config', 'get', 'proc-title-template')).trim());
    const first = await told();
    expect(first?.led).toBe(false);
    expect((first?.startedAt ?? 0) - (first?.dataAt ?? 0)).toBeGreaterThan(3_000);
    // It stays when the role is handed over: the other one goes on with the same data.
    await crashed.run('probe.sh', 'readiness');
    replica.signal('SIGCONT');
    await poll('its replica has copied it', 60_000, async () =>
      (await roleOf(replica)) === 'slave with link up' && (await replica.cli('dbsize')) === '10' ? true : null,
    );
    await replica.cli('cluster', 'failover');
    await poll('it follows', 60_000, async () => ((await roleOf(crashed)) === 'slave with link up' ? true : null));
    await crashed.run('probe.sh', 'readiness');
    expect(await told()).toEqual({ ...first, led: true });
    // Not where it copies one that never had that.
    await writeFile(join(crashed.dataDir, '.kubectl-redis.loaded'), '1 2 -\n');
    await writeFile(join(crashed.dataDir, '.kubectl-redis.served'), '- -\n');
    await crashed.run('probe.sh', 'readiness');
    expect(await told()).toBeNull();
  });

  test('turned off, and no dump since: the append-only file has more', async () => {
    const crashed = nth(await serving(SYSTEM, 3, {}), 1);
    await crashed.cli('config', 'set', 'appendonly', 'no');
    await crashed.run('probe.sh', 'readiness');
    const conf = join(crashed.configDir, 'redis.conf');
    await writeFile(conf, '\nappendonly no\n', { flag: 'a' });
    await crashed.kill('SIGKILL');
    crashed.start();
    await crashed.ready();
    expect(await crashed.cli('dbsize')).toBe('50');
  });
});
