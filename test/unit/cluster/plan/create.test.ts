import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import { SPEC_HASH_ANNOTATION } from '../../../../pkg/cluster/model/labels.ts';
import type { KubeFacts, Observation } from '../../../../pkg/cluster/model/observation.ts';
import type { Plan } from '../../../../pkg/cluster/model/plan.ts';
import { podName, specHash, type ClusterSpec } from '../../../../pkg/cluster/model/spec.ts';
import { planCreate } from '../../../../pkg/cluster/plan/create.ts';
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
  test('an empty namespace: the Services come first, the client one included', () => {
    const plan = planOf(EMPTY);
    expect(plan.kind === 'batches' ? plan.batches[0]?.steps[0] : null).toMatchObject({
      kind: 'apply-services',
      ordinals: [1, 2, 3, 4, 5, 6],
      client: true,
    });
  });

  test('Services only: configuration, then budgets and nodes', () => {
    const { kube } = asMade(freshObservation());
    const observation = { ...EMPTY, kube: { ...EMPTY.kube, services: kube.services } };
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
    const waiting = withKube(made, {
      statefulSets: made.kube.statefulSets.map((set) => ({ ...set, templateAnnotations: bare })),
      pods: made.kube.pods.map((pod) => ({ ...pod, annotations: bare })),
    });
    expect(titles(planOf(waiting))).toEqual(['make the nodes', 'replace pods that wait']);
    const applied = withKube(waiting, { statefulSets: made.kube.statefulSets });
    expect(titles(planOf(applied))).toEqual(['replace pods that wait']);
  });

  test('another image before the cluster was formed: everything is rendered anew', () => {
    const spec = { ...SPEC, image: 'redis:7' };
    expect(titles(planOf(asMade(freshObservation()), spec))).toEqual(['make the Services']);
    const recorded = asMade(freshObservation(), SPEC);
    const services = asMade(freshObservation(), spec).kube.services;
    expect(titles(planOf(withKube(recorded, { services }), spec))).toEqual([
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
