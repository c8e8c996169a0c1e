/**
 * The volume of a primary is put back to an older state, from a snapshot or a copy of before: its server would start as ever, and its replica
 * would copy it and drop what it has more.
 */
import { afterEach, describe, expect, jest, test } from '@jest/globals';
import { cp, readFile, rm, utimes, writeFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { poll } from '../../support/redis-server.ts';
import { hasKeys, hasWritten, nth, PATIENT, roleOf, scriptPods, startAll } from '../../support/script-cluster.ts';
import { FLAVOURS, guardSays, SYSTEM, type Flavour, type ScriptPod } from '../../support/script-pod.ts';

/** A guard without a majority waits 15 s and more, and two of these run side by side. */
jest.setTimeout(150_000);

const { form, removeAll } = scriptPods(7480);
const SNAPSHOT = 'snapshot';

afterEach(removeAll);

async function write(pod: ScriptPod, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await pod.cli('set', `{b}${i}`, 'x');
}

/** Two looks of its probe, each more than a minute after what was noted before. */
async function aMinutePasses(pods: readonly ScriptPod[]): Promise<void> {
  for (const name of ['.kubectl-redis.served', '.kubectl-redis.followed']) {
    for (const pod of pods) {
      const file = join(pod.dataDir, name);
      const text = await readFile(file, 'utf8').catch(() => '');
      const ago = String(Math.floor(Date.now() / 1_000) - 100);
      if (text.trim() !== '') await writeFile(file, text.replace(/ \d{10}$/m, ` ${ago}`));
    }
  }
  for (const pod of pods) await pod.run('probe.sh', 'readiness');
}

async function minutesPass(pods: readonly ScriptPod[]): Promise<void> {
  for (let i = 0; i < 3; i++) await aMinutePasses(pods);
}

/** As a snapshot of a file system that is in use. */
async function takeSnapshot(pod: ScriptPod): Promise<void> {
  await hasWritten([pod]);
  await cp(pod.dataDir, join(pod.root, SNAPSHOT), { recursive: true });
}

/** @param ago of when the files are: of an hour ago, as in a snapshot; or of now, as in a copy that `cp -r` made */
async function putBack(pod: ScriptPod, ago = 3_600): Promise<void> {
  await rm(pod.dataDir, { recursive: true });
  await cp(join(pod.root, SNAPSHOT), pod.dataDir, { recursive: true });
  const then = Date.now() / 1_000 - ago;
  for (const name of await readdir(pod.dataDir, { recursive: true })) await utimes(join(pod.dataDir, name), then, then);
}

/** Three primaries, a replica of the first; 10 keys in its snapshot, and 50 by now. */
async function serving(flavour: Flavour = SYSTEM): Promise<ScriptPod[]> {
  const cluster = await form(flavour, 3, 4, PATIENT);
  const [primary, replica] = [nth(cluster, 1), nth(cluster, 4)];
  await write(primary, 0, 10);
  await minutesPass(cluster);
  await hasKeys([primary, replica], 10);
  await takeSnapshot(primary);
  await write(primary, 10, 50);
  await hasKeys([primary, replica], 50);
  await hasWritten([primary, replica]);
  await minutesPass(cluster);
  return cluster;
}

/** As it goes on when its primary was restarted: that leads another history. */
async function startedAgain(): Promise<ScriptPod[]> {
  const cluster = await serving();
  await nth(cluster, 1).kill('SIGTERM');
  await startAll([nth(cluster, 1)]);
  await poll('its link', 30_000, async () => ((await roleOf(nth(cluster, 4))).endsWith('up') ? true : null));
  await minutesPass(cluster);
  return cluster;
}

async function stopAll(cluster: readonly ScriptPod[]): Promise<void> {
  await Promise.all(cluster.map((pod) => pod.kill('SIGKILL')));
}

/** The replica first: its primary would hand it its role. */
async function stopInOrder(cluster: readonly ScriptPod[]): Promise<void> {
  for (const pod of cluster.toReversed()) {
    await pod.run('stop.sh');
    await pod.kill('SIGTERM');
  }
}

const OLDER = /waiting for a replica to take over: the one at .* had more of what this node served/;

async function replicaLeads(primary: ScriptPod, replica: ScriptPod): Promise<void> {
  await poll('the replica leads', 60_000, async () => ((await roleOf(replica)) === 'master' ? true : null)).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}\n${primary.log()}\n${replica.log()}`, { cause: error });
    },
  );
  await primary.ready();
  await hasKeys([primary, replica], 50);
}

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('an older volume, %s', (_, flavour) => {
  test('put back while everything sleeps: its replica leads, with all keys', async () => {
    const cluster = await serving(flavour);
    await stopAll(cluster);
    await putBack(nth(cluster, 1));
    for (const pod of cluster) pod.start();
    await guardSays(nth(cluster, 1), OLDER);
    await replicaLeads(nth(cluster, 1), nth(cluster, 4));
  });

  test('its replica comes later: it does not copy; a person has the choice when its primary was stopped', async () => {
    const cluster = await serving(flavour);
    const [primary, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await stopInOrder(cluster);
    await putBack(primary);
    await startAll(cluster.slice(0, 3));
    // Its probe notes what it leads now, and it takes a write that only it has.
    await poll('it takes a write', 30_000, async () =>
      (await primary.cli('set', '{b}new', 'x')) === 'OK' ? true : null,
    );
    await minutesPass([primary]);
    replica.start();
    await guardSays(
      replica,
      /because the primary of this replica, at .*, started from a volume that knows less than this replica had/,
    );
    await primary.kill('SIGTERM');
    await replica.ready();
    primary.start();
    await guardSays(primary, new RegExp(`${OLDER.source}.*says what each would lose`), 30_000);
    await hasKeys([replica], 50);
  });
});

describe('an older volume', () => {
  test('of before its last start', async () => {
    const cluster = await startedAgain();
    await stopInOrder(cluster);
    await putBack(nth(cluster, 1));
    for (const pod of cluster) pod.start();
    await guardSays(nth(cluster, 1), OLDER);
    await replicaLeads(nth(cluster, 1), nth(cluster, 4));
  });

  test('of before its last start, on a volume that older scripts have used: nobody knows all that it led', async () => {
    const cluster = await startedAgain();
    await stopInOrder(cluster);
    await putBack(nth(cluster, 1));
    const served = join(nth(cluster, 1).dataDir, '.kubectl-redis.served');
    await writeFile(served, (await readFile(served, 'utf8')).replace('+ +', '- -'));
    for (const pod of cluster) pod.start();
    await guardSays(nth(cluster, 1), OLDER);
    await replicaLeads(nth(cluster, 1), nth(cluster, 4));
  });

  test('of before its last start, and its replica comes later: it does not copy', async () => {
    const cluster = await startedAgain();
    const [primary, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await stopInOrder(cluster);
    await putBack(primary);
    const served = join(primary.dataDir, '.kubectl-redis.served');
    await writeFile(served, (await readFile(served, 'utf8')).replace('+ +', '- -'));
    await startAll(cluster.slice(0, 3));
    await minutesPass([primary]);
    replica.start();
    await guardSays(replica, /started from a volume that knows less than this replica had/);
  });

  test('while its replica runs, and there is no majority that could elect it', async () => {
    const cluster = await serving();
    await stopAll(cluster.slice(0, 3));
    await putBack(nth(cluster, 1));
    nth(cluster, 1).start();
    await guardSays(nth(cluster, 1), OLDER);
    await replicaLeads(nth(cluster, 1), nth(cluster, 4));
  });

  test('with files that look new: a person may start it, and its replica is not asked again', async () => {
    const cluster = await serving();
    const [primary, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await stopInOrder(cluster);
    await putBack(primary, 0);
    for (const pod of cluster) pod.start();
    const line = await guardSays(primary, new RegExp(`${OLDER.source}.*says what each would lose`), 30_000);
    expect(await replica.cli('dbsize')).toBe('50');
    await writeFile(String(/with what is here: kubectl exec .* -- touch (\S+)/.exec(line)?.[1]), '');
    await primary.ready();
    await hasKeys([primary, replica], 10);
    await aMinutePasses([primary, replica]);
    // (A server does not end before its first file is written.)
    await poll('its file', 30_000, async () =>
      /aof_rewrite_(in_progress|scheduled):1/.test(await replica.cli('info', 'persistence')) ? null : true,
    );
    await replica.kill('SIGTERM');
    await startAll([replica]);
    expect(replica.log()).not.toMatch(/knows less|older/);
  });

  test('who copies it all the same is told so by a person', async () => {
    const cluster = await serving();
    const [primary, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await stopInOrder(cluster);
    await putBack(primary);
    await startAll(cluster.slice(0, 3));
    await minutesPass([primary]);
    replica.start();
    const line = await guardSays(replica, /to copy it all the same: kubectl exec .* -- touch /);
    await writeFile(String(/touch (\S+)/.exec(line)?.[1]), '');
    await replica.ready();
    await hasKeys([primary, replica], 10);
  });
});

describe('a volume of its time', () => {
  test.each([
    ['crashed', stopAll],
    ['stopped in order', stopInOrder],
  ])('everything %s: nobody waits for a person, twice', async (_, stop) => {
    const cluster = await serving();
    for (let round = 0; round < 2; round++) {
      await stop(cluster);
      await startAll(cluster);
      await hasKeys([nth(cluster, 1), nth(cluster, 4)], 50);
      await minutesPass(cluster);
    }
    for (const pod of cluster) expect(pod.log()).not.toMatch(/older|knows less|take over/);
  });

  test('roles change, and change back; a replica that was away for all of it', async () => {
    const cluster = await form(SYSTEM, 3, 7, PATIENT);
    const [primary, first, away] = [nth(cluster, 1), nth(cluster, 4), nth(cluster, 7)];
    await write(primary, 0, 50);
    await hasKeys([primary, first, away], 50);
    await minutesPass(cluster);
    await away.kill('SIGKILL');
    for (const [next, before] of [
      [first, primary],
      [primary, first],
    ] as const) {
      await poll('takes over', 60_000, async () => {
        if ((await roleOf(next)) === 'master') return true;
        await next.cli('cluster', 'failover');
        return null;
      });
      await poll('its link', 60_000, async () => ((await roleOf(before)) === 'slave with link up' ? true : null));
      await minutesPass([primary, first]);
    }
    await primary.kill('SIGTERM');
    await startAll([primary]);
    await minutesPass([primary]);
    await startAll([away]);
    expect([primary.log(), away.log()].join('')).not.toMatch(/older|knows less|take over/);
    await poll('its link', 60_000, async () => ((await roleOf(away)) === 'slave with link up' ? true : null));
  });

  test('scripts of before have noted nothing: nothing is known, and all start', async () => {
    const cluster = await serving();
    const primary = nth(cluster, 1);
    await stopAll(cluster);
    await rm(join(primary.dataDir, '.kubectl-redis.served'));
    await startAll(cluster);
    await minutesPass([primary]);
    expect(await readFile(join(primary.dataDir, '.kubectl-redis.served'), 'utf8')).toMatch(/\n- -\n$/);
    await nth(cluster, 4).kill('SIGKILL');
    await startAll([nth(cluster, 4)]);
    for (const pod of cluster) expect(pod.log()).not.toMatch(/older|knows less|take over/);
  });
});
