/** What start.sh does where the volume has no data. Peers are real servers, started by start.sh as well. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { formPods, settled } from '../../support/form-pods.ts';
import { poll } from '../../support/redis-server.ts';
import { fill, hasKeys, isSilent, nth, PATIENT, rejoined, roleOf, scriptPods } from '../../support/script-cluster.ts';
import { FLAVOURS, guardSays, SYSTEM, type ScriptPod } from '../../support/script-pod.ts';

const { make: makePods, form: makeCluster, removeAll } = scriptPods(7320);

/** Node 1 of two, of which the other never answers. */
async function makeLonely(formed: boolean, env: Readonly<Record<string, string>> = {}): Promise<ScriptPod> {
  const addresses = new Map([[2, '127.0.0.254']]);
  return nth(await makePods(SYSTEM, 1, { formed, addresses, spec: { masters: 2 }, env }), 1);
}

async function waitForLines(pod: ScriptPod, count: number): Promise<void> {
  await poll(`${count} lines of the guard`, 30_000, async () =>
    (pod.log().match(/guard: waiting/g)?.length ?? 0) >= count ? true : null,
  );
}

afterEach(async () => {
  await removeAll();
});

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('guard, %s', (_, flavour) => {
  test('a primary that lost its volume stays down until its replica has taken over, and no key is lost', async () => {
    const cluster = await makeCluster(flavour, 3, 4);
    const [lost, replica] = [nth(cluster, 1), nth(cluster, 4)];
    for (let i = 0; i < 50; i++) await lost.cli('set', `{b}${i}`, 'x');
    expect(await lost.cli('dbsize')).toBe('50');
    await poll('replication', 10_000, async () => ((await replica.cli('dbsize')) === '50' ? true : null));

    await lost.kill('SIGKILL');
    await lost.loseVolume();
    lost.start();
    expect(await guardSays(lost, /waiting/)).toMatch(
      /waiting for the cluster to let go of node [0-9a-f]{40} at .*: this volume has no data, and other nodes still show it as owner of slots with replicas \(\d of 1 replicas answer, \d can be elected\)$/,
    );
    expect(await isSilent(lost)).toBe(true);
    await lost.ready();
    expect(lost.log()).toContain('guard: no data on this volume, and nobody counts on it: starting empty');
    expect(await replica.cli('info', 'replication')).toContain('role:master');
    expect(await replica.cli('dbsize')).toBe('50');
  });

  test('the mark that the cluster was formed has not reached the pod yet: its peers are believed', async () => {
    const cluster = await makeCluster(SYSTEM, 3, 4, PATIENT);
    const [lost, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(lost, 'b', 50, [replica]);
    await lost.kill('SIGKILL');
    await lost.loseVolume();
    await lost.setFormed('false\n');
    lost.start();
    await guardSays(lost, /told the replica at .*, which has 50 keys, to take over: OK$/);
    await lost.ready();
    expect(await roleOf(replica)).toBe('master');
    expect(await replica.cli('dbsize')).toBe('50');
  });

  test('a primary without replicas that lost its volume stays down until the cluster has let go of it', async () => {
    const cluster = await makeCluster(flavour, 3, 3);
    const lost = nth(cluster, 2);
    const id = await lost.cli('cluster', 'myid');
    await lost.kill('SIGKILL');
    await lost.loseVolume();
    lost.start();
    expect(await guardSays(lost, /waiting/)).toMatch(/still show it as owner of slots$/);
    // Longer than any failover of this cluster would take.
    await waitForLines(lost, 2);
    expect(await isSilent(lost)).toBe(true);
    expect((await lost.run('probe.sh', 'liveness')).code).toBe(0);
    await Promise.all([nth(cluster, 1), nth(cluster, 3)].map((pod) => pod.cli('cluster', 'forget', id)));
    await lost.ready();
    expect(await lost.cli('cluster', 'myid')).not.toBe(id);
  });

  test('without a peer that answers it waits, and a formed one that does not know it lets it start', async () => {
    const cluster = await makeCluster(flavour, 2, 3);
    const joining = nth(cluster, 3);
    const id = await joining.cli('cluster', 'myid');
    const others = [nth(cluster, 1), nth(cluster, 2)];
    await Promise.all(cluster.map((pod) => pod.kill('SIGKILL')));
    await joining.loseVolume();
    joining.start();
    expect(await guardSays(joining, /waiting/)).toMatch(
      /for a node of the cluster to answer: this volume has no data \(its volume is empty\), the cluster was formed, and 0 of 2 other nodes answer; if every volume is lost, so is all data$/,
    );
    for (const pod of others) pod.start();
    await Promise.all(others.map((pod) => pod.ready()));
    await joining.ready();
    expect(await joining.cli('cluster', 'myid')).not.toBe(id);
  });
});

describe('guard', () => {
  test('cut off at its start, from peers that take connections and never answer: it waits, and goes on when they do', async () => {
    const cluster = await makeCluster(SYSTEM, 3, 4);
    const [primary, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(primary, 'b', 20, [replica]);
    const others = cluster.slice(1);
    await primary.kill('SIGKILL');
    await primary.loseVolume();
    for (const pod of others) pod.signal('SIGSTOP');
    primary.start();
    await guardSays(primary, /and 0 of 3 other nodes answer/);
    expect(await isSilent(primary)).toBe(true);
    for (const pod of others) pod.signal('SIGCONT');
    await rejoined(primary);
    await hasKeys([primary, replica], 20);
  });

  test('starts at once when nodes.conf and data are there, without asking anybody', async () => {
    const only = await makeLonely(false);
    only.start();
    await only.ready();
    const id = await only.cli('cluster', 'myid');
    await only.kill('SIGKILL');
    await only.setFormed('true');
    only.start();
    await only.ready();
    expect(only.log()).not.toContain('guard:');
    expect(await only.cli('cluster', 'myid')).toBe(id);
  });

  test.each([
    ['true', true],
    ['true\n', true],
    ['', true],
    ['no', true],
    [null, true],
    ['false', false],
    ['false\n', false],
  ])('the file `formed` %j: waits %s', async (formed, waits) => {
    const only = await makeLonely(false);
    await only.setFormed(formed);
    only.start();
    if (waits) expect(await guardSays(only, /waiting/)).toContain('0 of 1 other nodes answer');
    else await only.ready();
    expect(await isSilent(only)).toBe(waits);
  });

  test('all volumes lost: all wait and say so, until the cluster counts as never formed', async () => {
    const cluster = await makeCluster(SYSTEM, 2, 2);
    await Promise.all(cluster.map((pod) => pod.kill('SIGKILL')));
    await Promise.all(cluster.map((pod) => pod.loseVolume()));
    for (const pod of cluster) pod.start();
    for (const pod of cluster) {
      expect(await guardSays(pod, /waiting/)).toMatch(
        /0 of 1 other nodes answer; if every volume is lost, so is all data$/,
      );
    }
    await Promise.all(cluster.map((pod) => waitForLines(pod, 2)));
    expect(await Promise.all(cluster.map(isSilent))).toEqual([true, true]);
    await Promise.all(cluster.map((pod) => pod.setFormed('false\n')));
    await Promise.all(cluster.map((pod) => pod.ready()));
  });

  test('ends at once while it waits', async () => {
    const only = await makeLonely(true);
    only.start();
    await guardSays(only, /waiting/);
    const from = performance.now();
    await only.kill('SIGTERM');
    expect(performance.now() - from).toBeLessThan(500);
  });

  test('nodes.conf without data is no data', async () => {
    const cluster = await makeCluster(SYSTEM, 3, 3);
    const lost = nth(cluster, 1);
    const id = await lost.cli('cluster', 'myid');
    await lost.kill('SIGKILL');
    await rm(join(lost.dataDir, 'appendonlydir'), { recursive: true });
    lost.start();
    expect(await guardSays(lost, /waiting/)).toMatch(new RegExp(`let go of node ${id} .* as owner of slots$`));
    expect(await isSilent(lost)).toBe(true);
  });

  test('an empty nodes.conf is none', async () => {
    const cluster = await makeCluster(SYSTEM, 3, 3);
    const lost = nth(cluster, 1);
    await lost.kill('SIGKILL');
    await writeFile(join(lost.dataDir, 'nodes.conf'), '');
    lost.start();
    await guardSays(lost, /as owner of slots; to start with its keys as that node: /);
    expect(await isSilent(lost)).toBe(true);
  });

  test('a replica that lost its volume starts when nobody has heard the one before for some seconds', async () => {
    const cluster = await makeCluster(SYSTEM, 3, 4);
    const lost = nth(cluster, 4);
    await lost.kill('SIGKILL');
    await lost.loseVolume();
    lost.start();
    await lost.ready();
    expect(lost.log()).toMatch(
      /^guard: waiting to see whether node \w{40} still runs at \S+\nguard: no data on this volume, /,
    );
  });

  test('a new node of a formed cluster starts', async () => {
    const all = await makePods(SYSTEM, 4);
    const [cluster, joining] = [all.slice(0, 3), nth(all, 4)];
    for (const pod of cluster) pod.start();
    await Promise.all(cluster.map((pod) => pod.ready()));
    await formPods(cluster, 3);
    await joining.setFormed('true');
    joining.start();
    await joining.ready();
    expect(joining.log()).not.toContain('guard: waiting');
  });

  test('without persistence and without replicas there is nothing to protect, but only with the identity', async () => {
    const cluster = await makeCluster(SYSTEM, 3, 4, { spec: { config: { appendonly: 'no' } } });
    const [alone, followed] = [nth(cluster, 2), nth(cluster, 1)];
    const id = await alone.cli('cluster', 'myid');
    await alone.kill('SIGKILL');
    alone.start();
    await alone.ready();
    expect(await alone.cli('cluster', 'myid')).toBe(id);

    await followed.kill('SIGKILL');
    followed.start();
    expect(await guardSays(followed, /waiting/)).toContain('as owner of slots with replicas');
    await followed.ready();
    expect(await nth(cluster, 4).cli('info', 'replication')).toContain('role:master');
    await settled(cluster);

    await alone.kill('SIGKILL');
    await alone.loseVolume();
    alone.start();
    await guardSays(alone, /as owner of slots$/);
    expect(await isSilent(alone)).toBe(true);
  });

  test('a primary that died while the others knew it at the address of its pod: its copy takes over first', async () => {
    const cluster = await makeCluster(SYSTEM, 3, 4, PATIENT);
    const [lost, replica, ...others] = [nth(cluster, 1), nth(cluster, 4), nth(cluster, 2), nth(cluster, 3)];
    await fill(lost, 'b', 50, [replica]);
    await lost.cli('config', 'set', 'cluster-announce-ip', '127.0.0.250');
    await poll('all know it at its pod', 20_000, async () => {
      const views = await Promise.all([replica, ...others].map((pod) => pod.cli('cluster', 'nodes')));
      return views.every((view) => view.includes('127.0.0.250:')) ? true : null;
    });
    await lost.kill('SIGKILL');
    await lost.loseVolume();
    lost.start();
    expect(await guardSays(lost, /waiting/)).toContain('other nodes still show it as owner of slots with replicas');
    await lost.ready();
    expect(await roleOf(replica)).toBe('master');
    expect(await replica.cli('dbsize')).toBe('50');
  });

  test('an owner of slots without an address may be this node', async () => {
    const ids = ['a', 'b', 'c'].map((letter) => letter.repeat(40));
    const view = [
      `${ids[0]} 127.0.0.254:6379@16379 myself,master - 0 0 1 connected 0-100`,
      `${ids[1]} :0@0 master,noaddr - 0 0 2 disconnected 101-16383`,
      `${ids[2]} :0@0 master,noaddr - 0 0 3 disconnected`,
    ].join('\n');
    const bin = await mkdtemp(join(tmpdir(), 'programs-'));
    await writeFile(join(bin, 'redis-cli'), `#!/bin/sh\ncat <<END\n${view}\nEND\n`, { mode: 0o755 });
    const only = await makeLonely(true, { PATH: `${bin}:${process.env['PATH']}` });
    only.start();
    expect(await guardSays(only, /waiting/)).toContain(`let go of node ${ids[1]} `);
    expect(await readFile(join(only.runDir, 'guard-waiting'), 'utf8')).toContain('as owner of slots');
    await rm(bin, { recursive: true });
  });
});
