/** A node that lost its volume comes back by itself. All nodes are real servers that start.sh started. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { access, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formPods, settled } from '../../support/form-pods.ts';
import { poll } from '../../support/redis-server.ts';
import { fill, hasKeys, isSilent, nth, rejoined, roleOf, scriptPods, startAll } from '../../support/script-cluster.ts';
import { FLAVOURS, guardSays, SYSTEM, type ScriptPod } from '../../support/script-pod.ts';

const { form, make, removeAll } = scriptPods(7350);

/** Everybody names exactly the ids that run. */
async function nobodyElseIsNamed(cluster: readonly ScriptPod[]): Promise<void> {
  const ids = await Promise.all(cluster.map((pod) => pod.cli('cluster', 'myid')));
  await poll('views without strangers', 20_000, async () => {
    const views = await Promise.all(cluster.map((pod) => pod.cli('cluster', 'nodes')));
    const named = views.map((view) => view.split('\n').map((line) => line.slice(0, 40)));
    return named.every((names) => names.length === ids.length && names.every((id) => ids.includes(id))) ? true : null;
  });
}

afterEach(removeAll);

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('rejoin, %s', (_, flavour) => {
  test('a primary that lost its volume: its replica takes over, it comes back as a replica, no key is lost', async () => {
    const cluster = await form(flavour, 3, 4, { password: 'secret', spec: { auth: true } });
    const [lost, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(lost, 'b', 50, [replica]);
    await lost.kill('SIGKILL');
    await lost.loseVolume();
    lost.start();
    await guardSays(lost, /told the replica at .*, which has 50 keys, to take over: OK$/);
    await rejoined(lost);
    expect(await roleOf(replica)).toBe('master');
    await hasKeys([lost, replica], 50);
    await nobodyElseIsNamed(cluster);
    await settled(cluster, 1);
    expect(lost.log()).toContain('guard: serving again, as a replica\n');
    expect(lost.log()).not.toContain('secret');
    await expect(access(join(lost.dataDir, '.kubectl-redis.joining'))).rejects.toThrow('ENOENT');
  });

  test('a primary whose log is gone, and a person has its older dump loaded: the replica that has more leads first', async () => {
    const cluster = await form(flavour, 3, 4);
    const [lost, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await lost.cli('save');
    await fill(lost, 'b', 50, [replica]);
    await lost.kill('SIGKILL');
    for (const name of ['appendonlydir', 'appendonly.aof'])
      await rm(join(lost.dataDir, name), { recursive: true, force: true });
    lost.start();
    await guardSays(lost, /To load it: /);
    await writeFile(join(lost.dataDir, '.kubectl-redis.load-dump'), '');
    await poll('the replica leads', 60_000, async () => ((await roleOf(replica)) === 'master' ? true : null));
    await rejoined(lost);
    await settled(cluster, 1);
    await hasKeys([lost, replica], 50);
    expect(lost.log()).toContain('for a replica to take over: the append-only file of this volume is gone');
    expect(lost.log()).toContain('a replica had more than dump.rdb, and leads: the dump is kept as ');
    expect((await readdir(lost.dataDir)).filter((name) => name.startsWith('dump.rdb.unused-'))).toHaveLength(1);
    expect(await readdir(lost.dataDir)).not.toContain('.kubectl-redis.loaded');
  });

  test('all nodes stopped, one primary without its volume: all come back with all keys', async () => {
    const cluster = await form(flavour, 3, 6);
    const [lost, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(lost, 'b', 50, [replica]);
    await Promise.all(cluster.map((pod) => pod.kill('SIGKILL')));
    await lost.loseVolume();
    for (const pod of cluster) pod.start();
    await rejoined(lost);
    await hasKeys([lost, replica], 50);
    await nobodyElseIsNamed(cluster);
    await settled(cluster, 3);
  });
});

describe('rejoin', () => {
  test('a replica that lost its volume follows its primary again', async () => {
    const cluster = await form(SYSTEM, 3, 4);
    const [primary, lost] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(primary, 'b', 50, [lost]);
    await lost.kill('SIGKILL');
    await lost.loseVolume();
    lost.start();
    await rejoined(lost);
    expect(lost.log()).not.toContain('waiting for the cluster to let go');
    expect(await roleOf(primary)).toBe('master');
    await hasKeys([primary, lost], 50);
    await nobodyElseIsNamed(cluster);
  });

  test('a node that could not be asked meanwhile still knows its predecessor: it is told when it answers again', async () => {
    const cluster = await form(SYSTEM, 3, 5);
    const [primary, lost, frozen] = [nth(cluster, 1), nth(cluster, 4), nth(cluster, 5)];
    await fill(primary, 'b', 50, [lost]);
    const predecessor = await lost.cli('cluster', 'myid');
    frozen.signal('SIGSTOP');
    await lost.kill('SIGKILL');
    await lost.loseVolume();
    lost.start();
    await guardSays(lost, /serving again, as a replica/, 40_000);
    frozen.signal('SIGCONT');
    expect(await frozen.cli('cluster', 'nodes')).toContain(predecessor);
    await nobodyElseIsNamed(cluster);
  });

  test('one that the others let go of while it knows them all introduces itself again', async () => {
    const cluster = await form(SYSTEM, 3, 4);
    const [primary, lost] = [nth(cluster, 1), nth(cluster, 4)];
    await lost.kill('SIGKILL');
    await lost.loseVolume();
    lost.start();
    await rejoined(lost);
    const id = await lost.cli('cluster', 'myid');
    // As after a handshake that found nobody at its address: it knows all and follows, and nobody knows it.
    const others = cluster.slice(0, 3);
    await Promise.all(others.map((pod) => pod.cli('cluster', 'forget', id)));
    for (const pod of others) expect(await pod.cli('cluster', 'nodes')).not.toContain(id);
    await poll('its primary knows it again', 20_000, async () =>
      (await primary.cli('cluster', 'nodes')).includes(id) ? true : null,
    );
    expect(await roleOf(lost)).toBe('slave with link up');
  });

  test('of two replicas the one with the highest offset takes over, and the other follows it', async () => {
    const cluster = await form(SYSTEM, 3, 7);
    const [lost, behind, best] = [nth(cluster, 1), nth(cluster, 4), nth(cluster, 7)];
    await fill(lost, 'b', 20, [behind, best]);
    await behind.kill('SIGKILL');
    for (let i = 20; i < 50; i++) await lost.cli('set', `{b}${i}`, 'x');
    await hasKeys([best], 50);
    await lost.kill('SIGKILL');
    await lost.loseVolume();
    behind.start();
    lost.start();
    await rejoined(lost);
    expect(await roleOf(best)).toBe('master');
    await hasKeys([lost, behind, best], 50);
    await nobodyElseIsNamed(cluster);
  });

  test('where nobody has the slots of its shard it stays alone, not ready, and says so', async () => {
    const all = await make(SYSTEM, 4);
    const [cluster, joining] = [all.slice(0, 3), nth(all, 4)];
    await startAll(cluster);
    await formPods(cluster, 3);
    await joining.setFormed('true');
    joining.start();
    await joining.ready();
    await guardSays(joining, /waiting alone: no primary of shard 4 is in the cluster that it could follow$/, 20_000);
    const { code, output } = await joining.run('probe.sh', 'readiness');
    expect([code, output]).toEqual([
      1,
      'guard: waiting alone: no primary of shard 4 is in the cluster that it could follow\n',
    ]);
    expect((await joining.run('probe.sh', 'liveness')).code).toBe(0);
    expect((await joining.cli('cluster', 'nodes')).split('\n')).toHaveLength(1);
  });

  test('goes on where it was after a crash half-way', async () => {
    const cluster = await form(SYSTEM, 3, 4);
    const [primary, lost] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(primary, 'b', 20, [lost]);
    const old = await lost.cli('cluster', 'myid');
    await lost.kill('SIGKILL');
    await lost.loseVolume();
    lost.start();
    await poll('a server', 20_000, async () => ((await isSilent(lost)) ? null : true), 5);
    await lost.kill('SIGKILL');
    lost.start();
    await rejoined(lost);
    expect(await lost.cli('cluster', 'myid')).not.toBe(old);
    await hasKeys([primary, lost], 20);
    await nobodyElseIsNamed(cluster);
  });
});
