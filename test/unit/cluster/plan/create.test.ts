import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import { SPEC_HASH_ANNOTATION } from '../../../../pkg/cluster/model/labels.ts';
import type { KubeFacts, Observation, UnreachableReason } from '../../../../pkg/cluster/model/observation.ts';
import type { Plan } from '../../../../pkg/cluster/model/plan.ts';
import { podName, specHash, type ClusterSpec } from '../../../../pkg/cluster/model/spec.ts';
import { planCreate } from '../../../../pkg/cluster/plan/create.ts';
import { recoverSpec } from '../../../../pkg/cluster/plan/create-recover.ts';
import type { GivenSpec } from '../../../../pkg/cluster/plan/create-spec.ts';
import { changeAnswer, changeReply, changed, type Change } from '../../../support/observation-changes.ts';
import { freshObservation, healthyObservation } from '../../../support/observation.ts';
import { asMade as asMadeFrom } from '../../../support/as-made.ts';
import { specOf } from '../../../support/spec.ts';

const SPEC = specOf({ masters: 3, replicas: 1 });
const asMade = (observation: Observation, spec = SPEC): Observation => asMadeFrom(observation, spec);

function planOf(observation: Observation, spec: ClusterSpec = SPEC): Plan {
  return planCreate({ state: interpret(observation), kube: observation.kube, spec, policy: { fastForming: true } });
}

function withKube(observation: Observation, change: Partial<KubeFacts>): Observation {
  return { ...observation, kube: { ...observation.kube, ...change } };
}

function titles(plan: Plan): string[] {
  return plan.kind === 'batches' ? plan.batches.map((batch) => batch.title) : [plan.kind];
}

const EMPTY: Observation = {
  schema: 1,
  cluster: SPEC.cluster,
  observedAt: '2026-11-23T10:00:00.000Z',
  kube: { pods: [], services: [], statefulSets: [], hosts: [], claims: [], config: null, operation: null, gaps: [] },
  replies: [],
};

describe('planCreate', () => {
  test('an empty namespace: the record comes first, then the Services, the client one included', () => {
    const plan = planOf(EMPTY);
    expect(plan.kind === 'batches' ? plan.batches.map(({ steps }) => steps[0]) : null).toMatchObject([
      { kind: 'record-spec', spec: SPEC, isNew: true },
      { kind: 'apply-services', ordinals: [1, 2, 3, 4, 5, 6], client: true },
    ]);
  });

  test('volumes and no record: its nodes come back as they were, whatever shape is asked for', () => {
    const claims = ['data-redis-1-0', 'data-redis-2-0'].map((name) => ({ name, phase: 'Bound', storageClass: null }));
    const plan = planOf({ ...EMPTY, kube: { ...EMPTY.kube, claims } });
    expect(plan).toMatchObject({ kind: 'batches', remarks: [{ code: 'volume-unused' }] });
    expect(plan.kind === 'batches' ? plan.remarks[0]?.sentence : '').toMatch(
      /^data-redis-1-0 and data-redis-2-0 are there, and no record of redis: .* Ask for the shape that it had then;/,
    );
    expect(planOf(EMPTY)).toMatchObject({ remarks: [] });
  });

  test('Services only: configuration, then budgets and nodes', () => {
    const { kube } = asMade(freshObservation());
    const state = { formed: 'false', spec: JSON.stringify(SPEC) };
    const observation = { ...EMPTY, kube: { ...EMPTY.kube, services: kube.services, state } };
    expect(titles(planOf(observation))).toEqual(['make the configuration', 'make the nodes']);
  });

  test('everything made, pods fresh: it is formed', () => {
    expect(titles(planOf(asMade(freshObservation())))).toEqual([
      'assign slots',
      'join the nodes',
      'attach the replicas',
      'wait until all nodes agree',
    ]);
  });

  test('C9: pods that were found by other ties than our label are not said to carry it', () => {
    const foreign = freshObservation({ kind: 'foreign', masters: 4, replicas: 0 });
    expect(planOf(foreign)).toMatchObject({
      kind: 'refused',
      code: 'wrong-number-of-pods',
      sentence:
        '4 pods go by the name redis (none carries kubectl-redis.io/cluster=redis), and 3 masters with one replica each need 6',
    });
    const pods = foreign.kube.pods.map((pod) => ({ ...pod, labels: { 'kubectl-redis.io/cluster': 'redis' } }));
    expect(planOf(withKube(foreign, { pods }))).toMatchObject({
      sentence: '4 pods carry kubectl-redis.io/cluster=redis, and 3 masters with one replica each need 6',
    });
  });

  test('a finished cluster: nothing', () => {
    expect(planOf(asMade(healthyObservation()))).toEqual({ kind: 'nothing', remarks: [] });
  });

  test('a pod that is not there yet is waited for', () => {
    const made = asMade(freshObservation());
    const missing = withKube({ ...made, replies: made.replies.slice(1) }, { pods: made.kube.pods.slice(1) });
    expect(titles(planOf(missing))).toEqual(['wait for pods']);
  });

  test('pods of the YAML of --dry-run announce nothing: template, then pod', () => {
    const made = asMade(freshObservation());
    const bare = { [SPEC_HASH_ANNOTATION]: specHash(SPEC) };
    const waits = {
      kind: 'unreachable',
      why: 'guard-waiting',
      detail: 'waiting for the address of Service x',
    } as const;
    const silent = { ...made, replies: made.replies.map(({ pod }) => ({ pod, reply: waits })) };
    const waiting = withKube(silent, {
      statefulSets: made.kube.statefulSets.map((set) => ({ ...set, templateAnnotations: bare })),
      pods: made.kube.pods.map((pod) => ({ ...pod, annotations: bare })),
    });
    expect(titles(planOf(waiting))).toEqual(['make the nodes', 'replace pods that wait']);
    const applied = withKube(waiting, { statefulSets: made.kube.statefulSets });
    expect(titles(planOf(applied))).toEqual(['replace pods that wait']);
    // One that found it in the table runs, and is left alone.
    const found = withKube(made, { pods: waiting.kube.pods });
    expect(titles(planOf(found))[0]).toBe('assign slots');
  });

  test('another image before the cluster was formed: everything is rendered anew', () => {
    const spec = { ...SPEC, image: 'redis:7' };
    expect(titles(planOf(asMade(freshObservation()), spec))).toEqual(['record what is wanted', 'make the Services']);
    const recorded = asMade(freshObservation(), SPEC);
    const { services, state } = asMade(freshObservation(), spec).kube;
    expect(titles(planOf(withKube(recorded, { services, state: state ?? null }), spec))).toEqual([
      'make the configuration',
      'make the nodes',
      'replace pods that wait',
    ]);
  });

  test('another image of a formed cluster: no pod is touched', () => {
    expect(planOf(asMade(healthyObservation()), { ...SPEC, image: 'redis:7' }).kind).toBe('nothing');
  });

  test.each([
    [5, 1, '5 masters with one replica each'],
    [3, 2, '3 masters with 2 replicas each'],
    [3, 0, '3 masters without replicas'],
  ])('another shape (%d x %d) of a formed cluster: refused, names scale', (masters, replicas, words) => {
    expect(planOf(asMade(healthyObservation()), { ...SPEC, masters, replicas })).toEqual({
      kind: 'refused',
      code: 'other-shape',
      sentence: `redis is a cluster of 3 masters with one replica each, not ${words}`,
      hint: `kubectl redis scale redis --masters ${masters} --replicas ${replicas} changes the shape of a cluster`,
    });
  });

  test('a foreign cluster that is whole: nothing; of another shape: refused', () => {
    const foreign = healthyObservation({ kind: 'foreign' });
    expect(planOf(foreign).kind).toBe('nothing');
    expect(planOf(foreign, { ...SPEC, masters: 4 })).toMatchObject({ kind: 'refused', code: 'other-shape' });
  });

  test('pods that people brought are formed as they are', () => {
    const brought = freshObservation({ kind: 'foreign' });
    expect(titles(planOf(brought))).toEqual([
      'assign slots',
      'join the nodes',
      'attach the replicas',
      'wait until all nodes agree',
    ]);
    expect(planOf(brought, { ...SPEC, masters: 4 })).toMatchObject({ kind: 'refused', code: 'wrong-number-of-pods' });
  });

  test('the pods of a deleted node are waited for, by name', () => {
    const made = asMade(freshObservation());
    const pods = made.kube.pods.map((pod) => (pod.name === podName('redis', 2) ? { ...pod, terminating: true } : pod));
    const plan = planOf(withKube(made, { pods }));
    expect(plan.kind === 'batches' ? plan.batches[0]?.steps[0] : null).toMatchObject({
      kind: 'wait-pods',
      reason: '1 of 6 pods are not ready',
    });
  });

  test('a cluster whose shape was changed: nothing; while that is unfinished: refused, scale is named', () => {
    const nodes = { '1': '1', '2': '2', '3': '3', '4': '1', '5': '2', '6': '3' };
    const scaled = { ...SPEC, nodes };
    expect(planOf(asMade(healthyObservation(), scaled), scaled)).toEqual({ kind: 'nothing', remarks: [] });
    const unfinished = { ...scaled, scaling: { leaving: [4], spread: false } };
    expect(planOf(asMade(healthyObservation(), unfinished), unfinished)).toMatchObject({
      kind: 'refused',
      code: 'scale-unfinished',
      hint: 'kubectl redis scale redis --masters 3 --replicas 1 goes on with it',
    });
  });
});

describe('C5: a pod is replaced only where it is certain that it holds nothing', () => {
  const other = { ...SPEC, image: 'redis:9' };
  /** `create --image` of a cluster whose mark says that it was never formed; everything is rendered, and pods would be next. */
  const replacedBy = (...changes: readonly Change[]): readonly string[] => {
    const rendered = asMade(freshObservation(), other);
    const { kube } = asMade(freshObservation());
    const before = { ...rendered, kube: { ...rendered.kube, pods: kube.pods } };
    const plan = planOf(changed(before, ...changes), other);
    const steps = plan.kind === 'batches' ? plan.batches.flatMap((batch) => batch.steps) : [];
    return steps.flatMap((step) => (step.kind === 'replace-pod' ? [step.pod] : []));
  };
  const all = ['redis-1-0', 'redis-2-0', 'redis-3-0', 'redis-4-0', 'redis-5-0', 'redis-6-0'];
  const says = (why: UnreachableReason): Change =>
    changeReply('redis-2-0', () => ({ kind: 'unreachable', why, detail: '' }));

  test.each([
    ['all are fresh', [], all],
    ['one does not run', [says('not-running')], all],
    ['the guard of one waits', [says('guard-waiting')], all],
    ['one is silent', [says('timeout')], all.filter((pod) => pod !== 'redis-2-0')],
    ['the way to one is broken', [says('tunnel')], all.filter((pod) => pod !== 'redis-2-0')],
    ['one is loading', [says('loading')], all.filter((pod) => pod !== 'redis-2-0')],
    ['one has keys', [changeAnswer('redis-2-0', (answer) => ({ ...answer, info: { ...answer.info, keys: 1 } }))], []],
  ] as [string, Change[], string[]][])('%s', (_, changes, replaced) => {
    expect(replacedBy(...changes)).toEqual(replaced);
  });

  test('a cluster that is plainly there is formed, whatever the mark says: it keeps its image, and the mark is put right', () => {
    const formed = asMade(healthyObservation());
    const state = { ...formed.kube.state, formed: 'false' };
    const plan = planOf(withKube(formed, { state }), other);
    expect(titles(plan)).toEqual(['record what is wanted']);
    expect(plan.kind === 'batches' ? plan.batches[0]?.steps : []).toMatchObject([{ kind: 'mark-formed' }]);
    expect(titles(planOf(withKube(formed, { state: { ...state, formed: 'true' } }), other))).toEqual(['nothing']);
  });

  test('a cluster of an older version is taken over, and its templates learn where the record is', () => {
    const formed = asMade(healthyObservation());
    const config = { ...formed.kube.config, formed: 'false' };
    const statefulSets = formed.kube.statefulSets.map((set) => ({ ...set, readsState: false }));
    const plan = planOf(withKube(formed, { state: null, config, statefulSets }));
    expect(titles(plan)).toEqual(['record what is wanted', 'make the configuration', 'make the nodes']);
    expect(JSON.stringify(plan)).not.toContain('replace-pod');
  });
});

describe('a record that is lost', () => {
  const given: GivenSpec = {
    masters: null,
    replicas: null,
    image: null,
    imagePullPolicy: null,
    storage: null,
    storageClass: null,
    memory: '1Gi',
    cpu: null,
    config: null,
    auth: null,
    antiAffinity: null,
    networkPolicy: null,
  };
  const spec = specOf({ memory: '1Gi', antiAffinity: 'soft', masters: 5 });
  const { kube } = asMade(healthyObservation({ masters: 5 }), spec);
  const rendered = { ...kube, statefulSets: kube.statefulSets.map((set) => ({ ...set, annotations: {} })) };

  test('is what is typed, where the templates were rendered from that; with the nodes that are there', () => {
    expect(recoverSpec(rendered, SPEC.cluster, given)).toEqual({
      ...spec,
      nodes: Object.fromEntries(rendered.statefulSets.map((_, n) => [String(n + 1), String((n % 5) + 1)])),
    });
  });

  test.each([
    ['other memory', { memory: '2Gi' }],
    ['a directive more', { config: { maxclients: '10' } }],
    ['another image', { image: 'redis:7' }],
    ['another anti-affinity', { antiAffinity: 'hard' }],
  ] as const)('is not guessed: %s', (_, more) => {
    expect(recoverSpec(rendered, SPEC.cluster, { ...given, ...more })).toBeNull();
  });

  test('of nobody is none', () => {
    const statefulSets = rendered.statefulSets.map((set) => ({ ...set, templateLabels: {} }));
    expect(recoverSpec({ ...rendered, statefulSets }, SPEC.cluster, given)).toBeNull();
  });
});
