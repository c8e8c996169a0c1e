/** What start.sh does with a nodes.conf that is broken, not ours, or without its data. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdir, cp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { settled } from '../../support/form-pods.ts';
import { poll } from '../../support/redis-server.ts';
import { fill, hasKeys, isSilent, nth, PATIENT, rejoined, roleOf, scriptPods } from '../../support/script-cluster.ts';
import { FLAVOURS, guardSays, SYSTEM, type ScriptPod } from '../../support/script-pod.ts';

const { form, removeAll } = scriptPods(7360);

function nodesConf(pod: ScriptPod): string {
  return join(pod.dataDir, 'nodes.conf');
}

async function truncate(pod: ScriptPod): Promise<void> {
  const text = await readFile(nodesConf(pod), 'utf8');
  await writeFile(nodesConf(pod), text.slice(0, text.length / 2));
}

async function moveVolume(from: ScriptPod, to: ScriptPod): Promise<void> {
  await rm(to.dataDir, { recursive: true });
  await cp(from.dataDir, to.dataDir, { recursive: true });
}

afterEach(removeAll);

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('identity, %s', (_, flavour) => {
  test('a primary that kept its id and lost its data waits for its replica, then serves as a replica, same id', async () => {
    const cluster = await form(flavour, 3, 4, PATIENT);
    const [lost, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(lost, 'b', 50, [replica]);
    const id = await lost.cli('cluster', 'myid');
    await lost.kill('SIGKILL');
    await rm(join(lost.dataDir, 'appendonlydir'), { recursive: true });
    lost.start();
    await guardSays(lost, /told the replica at .*, which has 50 keys, to take over: OK$/);
    await rejoined(lost);
    expect(await lost.cli('cluster', 'myid')).toBe(id);
    expect(await roleOf(replica)).toBe('master');
    await hasKeys([lost, replica], 50);
    await settled(cluster, 1);
  });

  test('a truncated nodes.conf: its last good copy is used', async () => {
    const cluster = await form(flavour, 3, 4);
    const pod = nth(cluster, 1);
    await fill(pod, 'b', 20, [nth(cluster, 4)]);
    expect((await pod.run('probe.sh', 'readiness')).code).toBe(0);
    const id = await pod.cli('cluster', 'myid');
    await pod.kill('SIGKILL');
    await truncate(pod);
    pod.start();
    await pod.ready();
    expect(pod.log()).toContain('guard: nodes.conf is broken: using its last good copy\n');
    expect(await pod.cli('cluster', 'myid')).toBe(id);
    await settled(cluster, 1);
    await hasKeys([pod], 20);
  });

  test('the volume of another cluster is refused, and nobody of either cluster meets the other', async () => {
    const [ours, theirs] = await Promise.all([form(flavour, 3, 3), form(flavour, 3, 3)]);
    const [pod, owner] = [nth(ours, 1), nth(theirs, 1)];
    await Promise.all([pod.kill('SIGKILL'), owner.kill('SIGKILL')]);
    await moveVolume(owner, pod);
    pod.start();
    const line = await guardSays(pod, /waiting/);
    expect(line).toBe(
      'guard: waiting because this volume belongs to another cluster: nobody here knows the nodes in its nodes.conf; give this pod its own volume',
    );
    expect(await isSilent(pod)).toBe(true);
    expect((await nth(theirs, 2).cli('cluster', 'nodes')).split('\n')).toHaveLength(3);
  });
});

describe('identity', () => {
  test('a copy of the volume of a node that runs is refused', async () => {
    const cluster = await form(SYSTEM, 3, 4);
    const [copy, running] = [nth(cluster, 4), nth(cluster, 2)];
    await copy.kill('SIGKILL');
    await moveVolume(running, copy);
    copy.start();
    const id = await running.cli('cluster', 'myid');
    expect(await guardSays(copy, /waiting/)).toBe(
      `guard: waiting because the node of this volume, ${id}, runs at ${running.address}: this is a copy of its volume`,
    );
    expect(await isSilent(copy)).toBe(true);
  });

  // Its replica would copy the data of another shard, before gossip puts anything right.
  test('the volume of another node is refused while that one is down, and when everything is', async () => {
    const cluster = await form(SYSTEM, 3, 4);
    const [pod, owner] = [nth(cluster, 1), nth(cluster, 2)];
    await Promise.all([pod, owner].map((each) => each.kill('SIGKILL')));
    await moveVolume(owner, pod);
    pod.start();
    await guardSays(
      pod,
      /waiting because this volume is that of node 2 of the cluster, by the address in its nodes\.conf/,
    );
    await Promise.all(cluster.map((each) => each.kill('SIGKILL')));
    pod.start();
    await guardSays(pod, /waiting because this volume is that of node 2 of the cluster/);
    expect(await isSilent(pod)).toBe(true);
  });

  test('a server before 7.0 does not start on data that only later ones read', async () => {
    const cluster = await form(SYSTEM, 3, 4);
    const pod = nth(cluster, 1);
    await pod.kill('SIGKILL');
    const programs = join(pod.root, 'older');
    await mkdir(programs);
    await writeFile(join(programs, 'redis-server'), '#!/bin/sh\necho "Redis server v=6.2.14 sha=00000000:0"\n', {
      mode: 0o755,
    });
    pod.start({ PATH: `${programs}:${process.env['PATH']}` });
    await guardSays(pod, /waiting because the data on this volume is of a server from 7\.0 on/);
    expect(pod.log()).not.toContain('to take over');
  });

  test('redis does not start on what valkey ran on, nor valkey on what a redis after 7.2 did', async () => {
    const cluster = await form(SYSTEM, 3, 4);
    const [pod, other] = [nth(cluster, 1), nth(cluster, 2)];
    const ranLast = (of: ScriptPod): string => join(of.dataDir, '.kubectl-redis.server');
    expect((await pod.run('probe.sh', 'readiness')).code).toBe(0);
    expect(await readFile(ranLast(pod), 'utf8')).toBe('redis 700\n');
    await Promise.all([pod.kill('SIGKILL'), other.kill('SIGKILL')]);
    await writeFile(ranLast(pod), 'valkey 901\n');
    pod.start();
    await guardSays(pod, /waiting because the server that ran on this volume was valkey, whose data this redis/);
    const programs = join(other.root, 'valkey');
    await mkdir(programs);
    await writeFile(join(programs, 'valkey-server'), '#!/bin/sh\necho "Valkey server v=9.1.2 sha=00000000:0"\n', {
      mode: 0o755,
    });
    await writeFile(ranLast(other), 'redis 704\n');
    other.start({ PATH: `${programs}:${process.env['PATH']}` });
    await guardSays(other, /waiting because the server that ran on this volume was redis, whose data this valkey/);
    await other.kill('SIGKILL');
    await writeFile(ranLast(other), 'redis 702\n');
    other.start();
    await other.ready();
  });

  test('the volume of another cluster is refused while all peers of its own are down, too', async () => {
    const [ours, theirs] = await Promise.all([form(SYSTEM, 3, 3), form(SYSTEM, 3, 3)]);
    const [pod, owner] = [nth(ours, 1), nth(theirs, 1)];
    await Promise.all([...ours, owner].map((each) => each.kill('SIGKILL')));
    await moveVolume(owner, pod);
    pod.start();
    await guardSays(pod, /waiting because this volume belongs to another cluster/);
    expect(await isSilent(pod)).toBe(true);
  });

  test('a node whose Service was made anew starts with its data: its own nodes know it', async () => {
    const cluster = await form(SYSTEM, 3, 3);
    const pod = nth(cluster, 3);
    const id = await pod.cli('cluster', 'myid');
    await pod.kill('SIGKILL');
    const text = await readFile(nodesConf(pod), 'utf8');
    await writeFile(nodesConf(pod), text.replaceAll(pod.address, '127.0.0.254'));
    pod.start();
    await pod.ready();
    expect(await pod.cli('cluster', 'myid')).toBe(id);
    await settled(cluster);
  });

  test('where nobody answers, a node with another address and data starts', async () => {
    const cluster = await form(SYSTEM, 3, 3);
    const pod = nth(cluster, 3);
    await Promise.all(cluster.map((each) => each.kill('SIGKILL')));
    const text = await readFile(nodesConf(pod), 'utf8');
    await writeFile(nodesConf(pod), text.replaceAll(pod.address, '127.0.0.254'));
    pod.start();
    await pod.ready();
    expect(pod.log()).not.toContain('guard:');
  });

  test('a broken nodes.conf without a copy: its replica takes over, data is set aside, it comes back as a replica', async () => {
    const cluster = await form(SYSTEM, 3, 4);
    const [broken, replica] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(broken, 'b', 20, [replica]);
    await broken.kill('SIGKILL');
    await truncate(broken);
    broken.start();
    await guardSays(broken, /this volume has no usable nodes.conf, and other nodes still show it as owner of slots/);
    await rejoined(broken);
    // With data here, a replica takes over by the cluster's own rules only.
    expect(broken.log()).not.toContain('to take over');
    expect((await stat(join(broken.dataDir, '.kubectl-redis.aside', 'appendonlydir'))).isDirectory()).toBe(true);
    await hasKeys([broken, replica], 20);
    await settled(cluster, 1);
  });

  test('the copy of nodes.conf follows changes, and is never a broken one', async () => {
    const cluster = await form(SYSTEM, 3, 3);
    const pod = nth(cluster, 1);
    const copy = join(pod.dataDir, '.kubectl-redis.nodes.conf');
    await pod.run('probe.sh', 'readiness');
    expect(await readFile(copy, 'utf8')).toContain('vars currentEpoch');
    const good = await readFile(copy, 'utf8');
    await poll('a later time', 3_000, async () => (Date.now() - (await stat(copy)).mtimeMs > 50 ? true : null));
    await truncate(pod);
    await pod.run('probe.sh', 'readiness');
    expect(await readFile(copy, 'utf8')).toBe(good);
    await pod.cli('cluster', 'bumpepoch');
    await pod.cli('cluster', 'saveconfig');
    await pod.run('probe.sh', 'readiness');
    expect(await readFile(copy, 'utf8')).toBe(await readFile(nodesConf(pod), 'utf8'));
  });
});
