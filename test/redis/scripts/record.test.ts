/**
 * K2: what the guard makes of a record that manifests have overwritten, that is half, or gone. In each case a primary has lost its data
 * while a replica has it; commit 175e832 starts it empty at once in all of the first table, and the replica copies nothing over its keys.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fill, hasKeys, isSilent, nth, PATIENT, rejoined, scriptPods } from '../../support/script-cluster.ts';
import { FLAVOURS, guardSays, makePod, SYSTEM, type ScriptPod } from '../../support/script-pod.ts';
import { freeAddresses } from '../../support/loopback.ts';
import { poll } from '../../support/redis-server.ts';

const PORT = 7380;
const KEYS = 20;
const { make: makePods, form: makeCluster, removeAll } = scriptPods(PORT);

afterEach(removeAll);

/** As a printed manifest of an older version has it. */
const NO_ADDRESSES = '1 redis-1 - 1\n2 redis-2 - 2\n3 redis-3 - 3\n4 redis-4 - 1\n';

function tableOf(cluster: readonly ScriptPod[]): string {
  return cluster.map(({ address }, at) => `${at + 1} redis-${at + 1} ${address} ${(at % 3) + 1}\n`).join('');
}

/** Environment as a pod has it where Services are linked; the names of others are in it, too. */
function linksOf(addresses: readonly string[]): Record<string, string> {
  const hosts = addresses.map((address, at) => [`REDIS_${at + 1}_SERVICE_HOST`, address]);
  return {
    ...Object.fromEntries(hosts),
    REDIS_METRICS_SERVICE_HOST: '127.0.0.2',
    MY_REDIS_1_SERVICE_HOST: '127.0.0.2',
  };
}

interface Lost {
  readonly cluster: readonly ScriptPod[];
  readonly lost: ScriptPod;
  readonly replica: ScriptPod;
}

/** Three primaries and a replica of the first, which is down; its volume is still there. */
async function loseFirst(oldTemplate: boolean, flavour = SYSTEM): Promise<Lost> {
  const cluster = await makeCluster(flavour, 3, 4, { ...PATIENT, oldTemplate });
  const [lost, replica] = [nth(cluster, 1), nth(cluster, 4)];
  await fill(lost, 'b', KEYS, [replica]);
  await lost.kill('SIGKILL');
  return { cluster, lost, replica };
}

/** It is brought back by its replica, and nobody lost a key. */
async function expectKept({ lost, replica }: Lost): Promise<void> {
  await rejoined(lost);
  expect(await replica.cli('info', 'replication')).toContain('role:master');
  await hasKeys([lost, replica], KEYS);
}

/** It says so, and once more some seconds later: it has asked again by then, and not started. */
async function expectWaits(pod: ScriptPod, pattern: RegExp): Promise<void> {
  await guardSays(pod, pattern);
  await poll('a second line', 20_000, async () =>
    (pod.log().match(/guard: waiting/g)?.length ?? 0) > 1 ? true : null,
  );
  expect(await isSilent(pod)).toBe(true);
}

describe.each(FLAVOURS)('K2: a manifest took the record back, %s', (flavour) => {
  test('`formed: false` with a table without addresses is no evidence: it waits, and goes on when the table is right', async () => {
    const scene = await loseFirst(true, flavour);
    await scene.lost.loseVolume();
    await scene.lost.setFormed('false');
    await scene.lost.setTable(NO_ADDRESSES);
    scene.lost.start();
    await expectWaits(
      scene.lost,
      /nothing says for certain that the cluster was never formed, and 0 of 3 other nodes answer/,
    );
    await scene.lost.setTable(tableOf(scene.cluster));
    await expectKept(scene);
  });

  test('a pod that reads NAME-state does not care what NAME-config says', async () => {
    const scene = await loseFirst(false, flavour);
    await scene.lost.loseVolume();
    await writeFile(join(scene.lost.configDir, 'formed'), 'false');
    await writeFile(join(scene.lost.configDir, 'nodes'), NO_ADDRESSES);
    scene.lost.start();
    await expectKept(scene);
  });

  test('an address that the template has lost is that of the table', async () => {
    const [address = '', other = ''] = await freeAddresses(2, PORT);
    const addresses = new Map([
      [1, address],
      [2, other],
    ]);
    const pod = await makePod({ flavour, address, port: PORT, addresses, announceIp: null });
    try {
      pod.start();
      await pod.ready();
      expect((await pod.cli('config', 'get', 'cluster-announce-ip')).split('\n')[1]).toBe(address);
    } finally {
      await pod.remove();
    }
  });
});

describe('K2: peers are learned from anywhere', () => {
  test('from the list of nodes on its own volume, where only the data is gone', async () => {
    const scene = await loseFirst(true);
    await rm(join(scene.lost.dataDir, 'appendonlydir'), { recursive: true });
    await scene.lost.setFormed('false');
    await scene.lost.setTable(NO_ADDRESSES);
    scene.lost.start();
    await guardSays(scene.lost, /told the replica at .*, which has 20 keys, to take over: OK$/, 30_000);
    await scene.lost.ready();
    await hasKeys([scene.replica], KEYS);
  });

  test('from what was set aside', async () => {
    const scene = await loseFirst(true);
    const { dataDir } = scene.lost;
    await mkdir(join(dataDir, '.kubectl-redis.aside'));
    await rename(join(dataDir, 'nodes.conf'), join(dataDir, '.kubectl-redis.aside', 'nodes.conf'));
    for (const name of ['appendonlydir', '.kubectl-redis.nodes.conf', 'nodes.conf.last-good'])
      await rm(join(dataDir, name), { recursive: true, force: true });
    await scene.lost.setFormed('false');
    await scene.lost.setTable(NO_ADDRESSES);
    scene.lost.start();
    await guardSays(scene.lost, /told the replica at .*, which has 20 keys, to take over: OK$/, 30_000);
    await scene.lost.ready();
    await hasKeys([scene.replica], KEYS);
  });

  test("from the Services in its environment, and from no other cluster's", async () => {
    const scene = await loseFirst(true);
    const { address } = scene.lost;
    const env = linksOf(scene.cluster.map((pod) => pod.address));
    const successor = await makePod({
      flavour: SYSTEM,
      address,
      port: PORT,
      oldTemplate: true,
      nodes: NO_ADDRESSES,
      env,
    });
    try {
      successor.start();
      await guardSays(successor, /told the replica at .*, which has 20 keys, to take over: OK$/, 30_000);
      await successor.ready();
      await hasKeys([scene.replica], KEYS);
    } finally {
      await successor.remove();
    }
  });
});

describe('K2: what speaks against `formed: false`', () => {
  async function lonely(more: { readonly nodes?: string; readonly oldTemplate?: boolean } = {}): Promise<ScriptPod> {
    const [pod] = await makePods(SYSTEM, 1, { addresses: new Map([[2, '127.0.0.1']]), ...more });
    if (pod === undefined) throw new Error('no pod');
    return pod;
  }
  const id = (letter: string): string => letter.repeat(40);
  const list = (me: string, ...others: string[]): string =>
    `${[`${id('a')} ${me}:6379@16379 myself,master - 0 0 1 connected`, ...others].join('\n')}\nvars currentEpoch 1 lastVoteEpoch 0\n`;
  const other = `${id('b')} 127.0.0.1:6379@16379 master - 0 0 2 connected 0-16383`;

  test.each([
    ['a mark that it has not joined its cluster again', '.kubectl-redis.joining', () => id('c')],
    ['a list with others in it', 'nodes.conf', (me: string) => list(me, other)],
    ['a copy of such a list', 'nodes.conf.last-good', (me: string) => list(me, other)],
    ['a list in which it owns slots', 'nodes.conf', (me: string) => list(me).replace('connected', 'connected 0-5460')],
  ])('on the volume: %s; until a person has agreed that all is lost', async (_, file, text) => {
    const pod = await lonely();
    await writeFile(join(pod.dataDir, file), text(pod.address));
    pod.start();
    await expectWaits(pod, /this volume remembers a cluster, and 0 of 1 other nodes answer/);
    await pod.setCleared('2026-01-02T03:04:05.000Z');
    await pod.ready();
  });

  test('a list with nobody else in it is that of a node which was never in a cluster', async () => {
    const pod = await lonely();
    await writeFile(join(pod.dataDir, 'nodes.conf'), list(pod.address));
    pod.start();
    await pod.ready();
  });

  test.each([
    ['without this node', '2 redis-2 127.0.0.1 1\n'],
    ['with another address of this node', '1 redis-1 127.0.0.9 1\n2 redis-2 127.0.0.1 1\n'],
    ['without the address of another', 'ME2 redis-2 127.0.0.1 1\n3 redis-3 - 1\n'],
    ['that is empty', ''],
  ])('a table %s', async (_, nodes) => {
    const pod = await lonely();
    await pod.setTable(nodes.replace('ME', `1 redis-1 ${pod.address} 1\n`));
    pod.start();
    await expectWaits(pod, /nothing says for certain that the cluster was never formed/);
    await pod.setTable(`1 redis-1 ${pod.address} 1\n2 redis-2 127.0.0.1 1\n`);
    await pod.ready();
  });

  test('anything that says `true`', async () => {
    const pod = await lonely();
    await writeFile(join(pod.configDir, 'formed'), 'true');
    pod.start();
    await expectWaits(pod, /the cluster was formed, and 0 of 1/);
  });

  test('no table at all: nobody was asked, so nobody said that nobody counts on it', async () => {
    const pod = await lonely();
    await pod.setFormed('true');
    await pod.setTable(null);
    pod.start();
    await expectWaits(pod, /the cluster was formed, and 0 of 0 other nodes answer/);
  });
});
