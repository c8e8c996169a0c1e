import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import type { Plan } from '../../../../pkg/cluster/model/plan.ts';
import { keptObjects, planDelete, type DeleteInput, type OwnedObject } from '../../../../pkg/cluster/plan/delete.ts';
import { lossOfDelete } from '../../../../pkg/cluster/plan/delete-refuse.ts';
import { changeKube, changeAnswer, changed, type Change } from '../../../support/observation-changes.ts';
import { unreachable } from '../../../support/observation-faults.ts';
import { DEFAULT_SHAPE, healthyObservation } from '../../../support/observation.ts';

const CLUSTER = { namespace: 'default', name: 'redis' };
const API: Readonly<Record<string, string>> = {
  StatefulSet: 'apps/v1',
  PodDisruptionBudget: 'policy/v1',
  NetworkPolicy: 'networking.k8s.io/v1',
};

function object(kind: string, name: string, terminating = false): OwnedObject {
  return { apiVersion: API[kind] ?? 'v1', kind, name, uid: `uid-${kind}-${name}`, terminating };
}

/** Everything that `create` makes for that many shards of two. */
function whole(masters: number): OwnedObject[] {
  const nodes = Array.from({ length: 2 * masters }, (_, index) => `redis-${index + 1}`);
  return [
    object('Service', 'redis'),
    ...nodes.flatMap((node) => [
      object('StatefulSet', node),
      object('Pod', `${node}-0`),
      object('Service', node),
      object('PersistentVolumeClaim', `data-${node}-0`),
    ]),
    ...Array.from({ length: masters }, (_, index) => object('PodDisruptionBudget', `redis-shard-${index + 1}`)),
    object('NetworkPolicy', 'redis-bus'),
    object('ConfigMap', 'redis-config'),
    object('ConfigMap', 'redis-state'),
    object('Secret', 'redis-auth'),
  ];
}

/** The first half are primaries. */
function rolesOf(masters: number): Map<string, 'primary' | 'replica'> {
  return new Map(
    Array.from({ length: 2 * masters }, (_, index) => [
      `redis-${index + 1}-0`,
      index < masters ? 'primary' : 'replica',
    ]),
  );
}

function titles(plan: Plan): string[] {
  return plan.kind === 'batches' ? plan.batches.map((batch) => batch.title) : [plan.kind];
}

/** What is there after the first `steps` steps of the first batch; a StatefulSet takes its pods with it. */
function after(owned: readonly OwnedObject[], plan: Plan, steps = Infinity): OwnedObject[] {
  const batch = plan.kind === 'batches' ? plan.batches[0] : undefined;
  const gone = new Set<string>();
  for (const step of batch?.steps.slice(0, steps) ?? []) {
    if (step.kind === 'remove-object') gone.add(step.object.uid);
    if (step.kind === 'remove-object' && step.object.kind === 'StatefulSet') gone.add(`uid-Pod-${step.object.name}-0`);
  }
  return owned.filter((one) => !gone.has(one.uid));
}

function run(input: DeleteInput): OwnedObject[] {
  let owned = [...input.owned];
  for (let rounds = 0; rounds < 20; rounds++) {
    const plan = planDelete({ ...input, owned });
    if (plan.kind === 'nothing') return owned;
    owned = after(owned, plan);
  }
  throw new Error('does not end');
}

const NOTHING = { others: [], strays: null, loss: null, agreedLoss: [] };

const STOP = [
  'stop the replicas',
  'wait until they have stopped',
  'stop the primaries',
  'wait until they have stopped',
  'remove what guarded the pods',
];

describe('planDelete', () => {
  const input: DeleteInput = { cluster: CLUSTER, owned: whole(3), roles: rolesOf(3), purge: false, ...NOTHING };

  test('replicas stop and are gone before the first primary stops', () => {
    const plan = planDelete(input);
    expect(titles(plan)).toEqual(STOP);
    const steps = plan.kind === 'batches' ? plan.batches.slice(0, 3).map((batch) => batch.steps) : [];
    const names = (at: number): string[] =>
      (steps[at] ?? []).flatMap((step) => (step.kind === 'remove-object' ? [step.object.name] : []));
    expect([names(0), names(2)]).toEqual([
      ['redis-4', 'redis-5', 'redis-6'],
      ['redis-1', 'redis-2', 'redis-3'],
    ]);
    expect(steps[1]).toMatchObject([{ kind: 'wait-gone', objects: [{ name: 'redis-4-0' }, {}, {}] }]);
  });

  test('nobody says its role: all stop at once', () => {
    expect(titles(planDelete({ ...input, roles: new Map() }))).toEqual([
      'stop the nodes',
      'wait until they have stopped',
      'remove what guarded the pods',
    ]);
  });

  test('scaled to zero: there is nobody to wait for', () => {
    const owned = input.owned.filter((one) => one.kind !== 'Pod');
    expect(titles(planDelete({ ...input, owned, roles: new Map() }))).toEqual([
      'stop the nodes',
      'remove what guarded the pods',
    ]);
  });

  test('pods that outlived their StatefulSet are told to stop, those that do are waited for', () => {
    const owned = [object('Pod', 'redis-1-0'), object('Pod', 'redis-2-0', true)];
    const plan = planDelete({ ...input, owned });
    expect(plan.kind === 'batches' ? plan.batches[0]?.steps : []).toMatchObject([
      { kind: 'remove-object', object: { name: 'redis-1-0', uid: 'uid-Pod-redis-1-0' } },
      { kind: 'wait-gone', objects: [{ name: 'redis-1-0' }, { name: 'redis-2-0' }] },
    ]);
  });

  test('what can be resumed from stays, and then there is nothing to do', () => {
    const left = run(input);
    expect([...new Set(left.map((one) => one.kind))].sort()).toEqual([
      'ConfigMap',
      'PersistentVolumeClaim',
      'Secret',
      'Service',
    ]);
    expect(left.map((one) => one.uid).sort()).toEqual(
      keptObjects(input.owned, false)
        .map((one) => one.uid)
        .sort(),
    );
    expect(planDelete({ ...input, owned: left })).toEqual({ kind: 'nothing', remarks: [] });
  });

  test('purge: volumes after the pods, their names after them, the record last but one', () => {
    const plan = planDelete({ ...input, purge: true });
    expect(titles(plan)).toEqual([
      ...STOP,
      'remove the volumes',
      'remove addresses and configuration',
      'remove the record',
      'remove the entry',
    ]);
    const last = plan.kind === 'batches' ? plan.batches.slice(-2).map(({ steps }) => steps) : [];
    expect(last).toMatchObject([
      [{ object: { kind: 'ConfigMap', name: 'redis-state' } }],
      [{ object: { kind: 'Service', name: 'redis' } }],
    ]);
    expect(run({ ...input, purge: true })).toEqual([]);
  });

  test('workloads of others run nodes of it: refused with what to delete first, with and without their data (K7)', () => {
    const others = [
      { kind: 'StatefulSet', name: 'mine', pods: ['mine-0'] },
      { kind: 'Deployment', name: 'also', pods: [] },
    ];
    for (const purge of [false, true]) {
      const plan = planDelete({ ...input, purge, others });
      expect(plan).toMatchObject({ kind: 'refused', code: 'nodes-of-others' });
      expect(JSON.stringify(plan)).toContain('First kubectl delete deployment also -n default and the others');
    }
  });

  test('keys that no volume keeps go only with consent that names their slots; purge is another consent (K8)', () => {
    const loss = { slots: [{ start: 0, end: 5460 }], keys: 7, seconds: null, sentence: '7 keys' };
    const refused = planDelete({ ...input, loss });
    expect(refused).toMatchObject({ kind: 'refused', code: 'needs-consent' });
    expect(JSON.stringify(refused)).toContain('--accept-data-loss 0-5460');
    expect(planDelete({ ...input, loss, agreedLoss: [{ start: 0, end: 5459 }] }).kind).toBe('refused');
    expect(planDelete({ ...input, loss, agreedLoss: loss.slots }).kind).toBe('batches');
    expect(planDelete({ ...input, loss, purge: true }).kind).toBe('batches');
  });

  test('claims that go with their StatefulSet are not kept: refused, but for purge', () => {
    const owned = input.owned.map((one) =>
      one.name === 'data-redis-2-0' ? { ...one, goesWith: 'StatefulSet redis-2' } : one,
    );
    expect(planDelete({ ...input, owned })).toMatchObject({ kind: 'refused', code: 'claims-go-too' });
    expect(planDelete({ ...input, owned, purge: true }).kind).toBe('batches');
  });

  test('property: killed anywhere, run again, it ends the same; without purge no claim is ever touched', () => {
    const someOf = fc.infiniteStream(fc.boolean());
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 6 }), fc.boolean(), fc.nat(12), someOf, (masters, purge, kill, coins) => {
        const flips = coins[Symbol.iterator]();
        const owned = whole(masters).filter(() => flips.next().value === true);
        const start: DeleteInput = { cluster: CLUSTER, owned, roles: rolesOf(masters), purge, ...NOTHING };
        const half = after(owned, planDelete(start), kill);
        const end = run({ ...start, owned: half });
        expect(end).toEqual(purge ? [] : owned.filter((one) => keptObjects(owned, false).includes(one)));
      }),
      { numRuns: 200 },
    );
  });
});

describe('lossOfDelete', () => {
  const start = healthyObservation({ ...DEFAULT_SHAPE, keysPerShard: 5 });
  const volatile = (pod: string): Change =>
    changeAnswer(pod, (answer) => ({
      ...answer,
      info: { ...answer.info, aofEnabled: false },
      config: { ...answer.config, save: '' },
    }));
  const lost = (
    observation: Observation,
    config: Readonly<Record<string, string>> | null = {},
  ): ReturnType<typeof lossOfDelete> => lossOfDelete(interpret(observation), observation.kube, config);

  test('none where all primaries write an append-only file', () => {
    expect(lost(start)).toBeNull();
  });

  test('per shard, and a replica on disk is no help: it would copy the empty primary (K8)', () => {
    expect(lost(changed(start, volatile('redis-2-0')))).toMatchObject({
      slots: [{ start: 5461, end: 10922 }],
      keys: 5,
    });
    expect(lost(changed(start, volatile('redis-4-0')))).toBeNull();
  });

  test('of a node that runs and does not answer it is not known, whatever the record says; one that does not run loses nothing', () => {
    const silent = changed(start, unreachable('redis-1-0', 'timeout'));
    expect(lost(silent)).toMatchObject({ slots: [{ start: 0, end: 5460 }], keys: null });
    expect(lost(changed(start, unreachable('redis-1-0', 'not-running')))).toBeNull();
    expect(lost(silent, null)).toMatchObject({ slots: [{ start: 0, end: 5460 }], keys: null });
  });

  test('what runs is not what the next start reads: an old log, an old snapshot, or none', () => {
    const runs = (info: object, config: object): Observation =>
      changed(
        start,
        changeAnswer('redis-1-0', (answer) => ({
          ...answer,
          info: { ...answer.info, ...info },
          config: { ...answer.config, ...config },
        })),
      );
    const shard = { slots: [{ start: 0, end: 5460 }], keys: 5 };
    const points = { save: '3600 1' };
    expect(lost(runs({ aofEnabled: false }, points))).toMatchObject(shard);
    expect(lost(runs({ aofEnabled: true, firstLogPending: true }, points))).toMatchObject(shard);
    const bySnapshot = (observation: Observation): ReturnType<typeof lost> =>
      lossOfDelete(interpret(changed(observation, ...others)), changed(observation, ...others).kube, {
        appendonly: 'no',
      });
    const others = ['redis-2-0', 'redis-3-0'].map((pod) =>
      changeAnswer(pod, (answer) => ({ ...answer, config: { ...answer.config, ...points } })),
    );
    expect(bySnapshot(runs({ aofEnabled: true }, { save: '' }))).toMatchObject(shard);
    expect(bySnapshot(runs({ aofEnabled: true }, points))).toBeNull();
    expect(bySnapshot(runs({ aofEnabled: false }, { ...points, 'shutdown-on-sigterm': 'nosave' }))).toMatchObject(
      shard,
    );
    // A volume that is full, or a fork that fails: the save at its end fails, too.
    const failed = { aofWriteOk: true, snapshotOk: false };
    expect(bySnapshot(runs({ aofEnabled: false, writes: failed }, points))).toMatchObject(shard);
    expect(lost(runs({ aofEnabled: true, writes: { ...failed, aofWriteOk: false } }, points))).toMatchObject(shard);
  });

  test('a node whose workload has gone is being stopped, though it is not seen to be yet', () => {
    const silent = changed(
      start,
      unreachable('redis-1-0', 'refused'),
      changeKube((kube) => ({ ...kube, statefulSets: kube.statefulSets.filter(({ name }) => name !== 'redis-1') })),
    );
    expect(lost(silent)).toBeNull();
    expect(lost(changed(start, unreachable('redis-1-0', 'refused')))).not.toBeNull();
  });

  test('nobody answers: every slot', () => {
    const pods = start.kube.pods.map(({ name }) => name);
    const dark = changed(start, ...pods.map((pod) => unreachable(pod)));
    expect(lost(dark, { appendonly: 'no' })).toMatchObject({ slots: [{ start: 0, end: 16383 }], keys: null });
    expect(lost(dark)).toMatchObject({ slots: [{ start: 0, end: 16383 }], keys: null });
  });
});
