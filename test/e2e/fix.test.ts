/** `fix` through the built command line: three broken states of a cluster with data, each as one might find it. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { slotOfKey } from '../../cmd/slot-lookup.ts';
import { changeObject } from '../support/change.ts';
import { cli, type Ended } from '../support/cli.ts';
import { describeCore, openClusterEnv, until, type ClusterEnv } from '../support/cluster-env.ts';
import { expectHealthy, inRedis, manyInRedis, slotsOf } from '../support/seen-cluster.ts';

const KEYS = Array.from({ length: 300 }, (_, i) => i);
/** So that there are slots with more than one key. */
const keyOf = (i: number): string => `{group:${i % 40}}:${i}`;

interface Primary {
  readonly pod: string;
  readonly id: string;
  readonly address: string;
}

describeCore('fix', () => {
  let env: ClusterEnv;
  let primaries: readonly Primary[] = [];
  beforeAll(async () => {
    env = await openClusterEnv();
    expect((await cli(['create', 'redis', '--storage', '100Mi'], env)).code).toBe(0);
    const written = await onAll((i) => ['SET', keyOf(i), `value:${i}`]);
    expect(written).toEqual(KEYS.map(() => 'OK'));
    const { shards } = await slotsOf(env.namespace, 'redis');
    primaries = await Promise.all(shards.map(({ primary }) => primaryOf(primary?.pod ?? '')));
  }, 240_000);
  afterAll(() => env.close());

  function onAll(command: (i: number) => readonly [string, ...string[]]): Promise<readonly string[]> {
    return manyInRedis(env.namespace, 'redis-2-0', KEYS.map(command));
  }

  const say = (pod: string, ...words: readonly string[]): Promise<string> => inRedis(env.namespace, pod, ...words);

  async function primaryOf(pod: string): Promise<Primary> {
    const id = await say(pod, 'CLUSTER', 'MYID');
    const line = (await say(pod, 'CLUSTER', 'NODES')).split('\n').find((one) => one.startsWith(id)) ?? '';
    return { pod, id, address: (line.split(' ')[1] ?? '').split('@')[0] ?? '' };
  }

  function fix(...flags: readonly string[]): Promise<Ended> {
    return cli(['fix', 'redis', ...flags], env);
  }

  async function planned(): Promise<readonly string[]> {
    const { stdout } = await fix('--dry-run', '-o', 'json');
    const { repairs } = JSON.parse(stdout) as { repairs: readonly { code: string }[] };
    return repairs.map(({ code }) => code);
  }

  /** Nothing is wrong, nothing is planned any more, and every key has its value. */
  async function expectWhole(): Promise<void> {
    await expectHealthy(env, 'redis', 30_000);
    expect(await onAll((i) => ['GET', keyOf(i)])).toEqual(KEYS.map((i) => `value:${i}`));
    const again = await fix();
    expect([again.code, again.stdout]).toEqual([0, 'redis: nothing is to be repaired. Nothing was changed.\n']);
  }

  test('a healthy cluster is left alone', async () => {
    await expectWhole();
    expect(await planned()).toEqual([]);
  }, 60_000);

  test('moves that were cut short: one open on both sides, one whose source forgot it, keys on both sides', async () => {
    const [source, target] = primaries;
    if (source === undefined || target === undefined) throw new Error('no primaries');
    const shards = (await slotsOf(env.namespace, 'redis')).shards;
    const own = shards.find(({ primary }) => primary?.pod === source.pod)?.slots ?? [];
    const keys = KEYS.map(keyOf).filter((key) => own.some(({ start, end }) => inRange(slotOfKey(key), start, end)));
    const [first, second] = [...new Set(keys.map(slotOfKey))];
    const [ip = '', port = ''] = target.address.split(':');
    for (const slot of [first, second]) {
      expect(await say(target.pod, 'CLUSTER', 'SETSLOT', String(slot), 'IMPORTING', source.id)).toBe('OK');
      expect(await say(source.pod, 'CLUSTER', 'SETSLOT', String(slot), 'MIGRATING', target.id)).toBe('OK');
      const key = keys.find((one) => slotOfKey(one) === slot) ?? '';
      expect(await say(source.pod, 'MIGRATE', ip, port, key, '0', '5000')).toBe('OK');
    }
    expect(await say(source.pod, 'CLUSTER', 'SETSLOT', String(second), 'STABLE')).toBe('OK');
    expect(await planned()).toEqual(['slots-half-open', 'slots-open']);
    const fixed = await fix('--yes');
    expect([fixed.code, fixed.stdout]).toEqual([
      0,
      expect.stringMatching(/^redis: repaired slots-half-open and slots-open; no problem is left/),
    ]);
    await expectWhole();
  }, 120_000);

  test('slots that nobody owns, and a node that is configured otherwise: one is skipped, then done', async () => {
    const { shards } = await slotsOf(env.namespace, 'redis');
    const pods = shards.flatMap(({ primary, replicas }) => [primary?.pod ?? '', ...replicas.map(({ pod }) => pod)]);
    const used = new Set(KEYS.map((i) => slotOfKey(keyOf(i))));
    const free = Array.from({ length: 16384 }, (_, slot) => slot).filter((slot) => !used.has(slot));
    const lost = [free[0], free[5000], free[5001]].map(String);
    await Promise.all(pods.map((pod) => say(pod, 'CLUSTER', 'DELSLOTS', ...lost)));
    expect(await say(pods[0] ?? '', 'CONFIG', 'SET', 'cluster-allow-reads-when-down', 'yes')).toBe('OK');
    expect((await planned()).toSorted()).toEqual(['config-differs', 'slots-uncovered']);
    // What is skipped stays, and says so.
    const some = await fix('--skip', 'slots-uncovered');
    expect([some.code, some.stdout]).toEqual([3, expect.stringContaining('skipped slots-uncovered')]);
    const rest = await fix();
    expect([rest.code, rest.stdout]).toEqual([
      0,
      expect.stringMatching(/^redis: repaired slots-uncovered; no problem/),
    ]);
    await expectWhole();
  }, 120_000);

  test('a replica that follows the wrong primary, and a record that says it was never formed', async () => {
    const { shards } = await slotsOf(env.namespace, 'redis');
    const replica = shards[0]?.replicas[0]?.pod ?? '';
    const other = primaries.find(({ pod }) => pod === shards[1]?.primary?.pod);
    expect(await say(replica, 'CLUSTER', 'REPLICATE', other?.id ?? '')).toBe('OK');
    await changeObject(env.kube, ['v1', 'ConfigMap', 'redis-state'], (config) => ({
      ...config,
      data: { ...(config['data'] as object), formed: 'false' },
    }));
    await until(planned, (codes) => codes.includes('shard-label-stale'), 30_000);
    const fixed = await fix('--yes');
    expect([fixed.code, fixed.stdout]).toEqual([
      0,
      expect.stringMatching(/^redis: repaired formed-mark-missing and shard-label-stale; no problem/),
    ]);
    await expectWhole();
  }, 120_000);

  test('a Service that leads to nobody while its node lives: nobody takes over, nothing is lost', async () => {
    const [first] = primaries;
    if (first === undefined) throw new Error('no primaries');
    const { pod, id } = first;
    const name = pod.replace(/-0$/, '');
    await changeObject(env.kube, ['v1', 'Service', name], (service) => ({
      ...service,
      spec: { ...(service['spec'] as object), selector: { name: 'nobody' } },
    }));
    await until(planned, (codes) => codes.includes('service-wrong'), 30_000);
    const fixed = await fix('--yes');
    expect([fixed.code, fixed.stdout]).toEqual([
      0,
      expect.stringMatching(/^redis: repaired service-wrong; no problem is left/),
    ]);
    await expectWhole();
    expect(await primaryOf(pod)).toMatchObject({ id });
    expect(await say(pod, 'ROLE')).toMatch(/^master/);
  }, 120_000);
});

function inRange(slot: number, start: number, end: number): boolean {
  return start <= slot && slot <= end;
}
