/** An older record that was put back over nodes that run: it is the record that is wrong. */
import { describe, expect, test } from '@jest/globals';
import { check } from '../../../../../pkg/cluster/check/check.ts';
import { renewedSpec } from '../../../../../pkg/cluster/evidence/older-record.ts';
import { interpret } from '../../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../../pkg/cluster/model/observation.ts';
import { planFix } from '../../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { planScale } from '../../../../../pkg/cluster/plan/scale.ts';
import { recordSpec } from '../../../../../pkg/engine/steps/object-steps.ts';
import { stateMap } from '../../../../../pkg/pod/state-map.ts';
import { createObjectStore } from '../../../../support/fake-kube.ts';
import { asMade } from '../../../../support/as-made.ts';
import { changeAnswer, changeKube, changeLines, type Change } from '../../../../support/observation-changes.ts';
import { ghost, podGone, unreachable } from '../../../../support/observation-faults.ts';
import { healthyObservation, nodeIdOf } from '../../../../support/observation.ts';
import { BEFORE, recordPutBack, SINCE } from '../../../../support/record-put-back.ts';
import { specOf } from '../../../../support/spec.ts';

const problemsOf = (observation: Observation): { code: string; nodes: readonly string[]; sentence: string }[] =>
  check(interpret(observation), observation).map(({ code, nodes, sentence }) => ({ code, nodes, sentence }));
const renewed = (observation: Observation): ReturnType<typeof renewedSpec> =>
  renewedSpec(interpret(observation), observation.kube);

const withoutCopies: Change = changeKube((kube) => ({
  ...kube,
  statefulSets: kube.statefulSets.map((set) => ({ ...set, annotations: {} })),
}));

/** `kubectl delete statefulset --cascade=orphan`. */
const withoutSets: Change = changeKube((kube) => ({
  ...kube,
  statefulSets: kube.statefulSets.filter(({ name }) => !['redis-4', 'redis-8'].includes(name)),
  pods: kube.pods.map((pod) => ({
    ...pod,
    owner: ['redis-4-0', 'redis-8-0'].includes(pod.name) ? null : pod.owner,
    labels: { ...pod.labels, 'app.kubernetes.io/managed-by': 'kubectl-redis' },
  })),
}));

describe('nodes that run in the cluster and that the record does not name', () => {
  test('are of the cluster: check says that the record is older, and nothing of a manifest', () => {
    const problems = problemsOf(recordPutBack());
    expect(problems[0]).toEqual({
      code: 'record-older',
      nodes: ['redis-4-0', 'redis-8-0'],
      sentence:
        'redis-4-0 and redis-8-0 are nodes of redis, the other nodes know them, and they own 4096 slots; ConfigMap redis-state does not name them: an older one was put back.',
    });
    expect(JSON.stringify(problems)).not.toMatch(/of no node|asked for/);
  });

  test('fix writes table, shape and counts anew, unasked, and removes nothing', () => {
    const observation = recordPutBack();
    const { repairs, left } = planFix(interpret(observation), NO_POLICY, { observation, slotKeys: null });
    expect(repairs.map(({ code, loses }) => [code, loses])).toEqual([['record-older', null]]);
    const { masters, replicas, nodes } = SINCE;
    expect(repairs[0]?.batches[0]?.steps).toEqual([
      expect.objectContaining({ kind: 'record-spec', spec: { ...BEFORE, masters, replicas, nodes } }),
    ]);
    expect(left.filter(({ why }) => why !== 'after-others')).toEqual([]);
  });

  test('what it writes: a table with all nodes at their addresses, and the shape on the Service', async () => {
    const observation = recordPutBack();
    const spec = renewed(observation);
    if (spec === null) throw new Error('nothing was renewed');
    const store = createObjectStore();
    await store.create(stateMap(spec.cluster, observation.kube.state ?? {}));
    await recordSpec(store, { spec }, observation);
    const data = store.objects.get('ConfigMap/redis-state')?.['data'] as Record<string, string>;
    expect(data).toMatchObject({ formed: 'true', spec: JSON.stringify(spec) });
    expect(data['nodes']?.split('\n')).toHaveLength(9);
    expect(data['nodes']).toMatch(/^4 redis-4 10\.\S+ 4$/m);
    expect(data['nodes']).toMatch(/^8 redis-8 10\.\S+ 4$/m);
    expect(store.objects.get('Service/redis')?.metadata.annotations).toMatchObject({ 'kubectl-redis.io/masters': '4' });
  });

  test('a second run finds nothing', () => {
    const after = renewed(recordPutBack());
    if (after === null) throw new Error('nothing was renewed');
    const observation = asMade(healthyObservation({ masters: 4, replicas: 1, hosts: 4 }), after);
    expect(problemsOf(observation)).toEqual([]);
  });

  test('scale touches nothing until then, and names fix', () => {
    const observation = recordPutBack();
    const wanted = { masters: 4, replicas: 1 };
    const state = interpret(observation);
    const seen = { state, kube: observation.kube, owned: [], recorded: BEFORE, wanted, agreedToGo: null };
    expect(planScale(seen)).toMatchObject({
      kind: 'refused',
      code: 'record-older',
      hint: expect.stringMatching(/^kubectl redis fix redis writes the record anew/),
    });
  });

  test.each<[string, Change[]]>([
    ['its owner is silent', [unreachable('redis-4-0', 'timeout')]],
    ['its owner has no pod', [podGone('redis-4-0')]],
    ['its replica waits', [unreachable('redis-8-0', 'guard-waiting')]],
    ['the replica that the record names is silent', [unreachable('redis-5-0', 'timeout')]],
    ['no StatefulSet has a copy of the spec', [withoutCopies]],
    ['somebody took its StatefulSets away and left the pods', [withoutSets]],
  ])('also where %s', (_, changes) => {
    expect(renewed(recordPutBack(...changes))).toMatchObject({ masters: 4, replicas: 1, nodes: SINCE.nodes });
  });

  test('what they are made with comes from the copy that was written after the record', () => {
    const newer = { ...SINCE, config: { 'maxmemory-policy': 'allkeys-lru' }, scaling: { leaving: [], spread: true } };
    const copied = changeKube((kube) => ({
      ...kube,
      statefulSets: kube.statefulSets.map((set) =>
        set.name === 'redis-8'
          ? { ...set, annotations: { ...set.annotations, 'kubectl-redis.io/spec': JSON.stringify(newer) } }
          : set,
      ),
    }));
    expect(renewed(recordPutBack(copied))).toEqual({ ...newer, scaling: null });
  });

  test('a recorded node goes only where nothing at all is left of it', () => {
    const gone = (...kinds: ('services' | 'claims' | 'statefulSets')[]): Change[] => [
      podGone('redis-7-0'),
      changeLines((line) => (line.nodeId === nodeIdOf(7) ? null : line)),
      changeKube((kube) => ({
        ...kube,
        ...Object.fromEntries(
          kinds.map((kind) => [kind, kube[kind].filter(({ name }) => !/^(data-)?redis-7(-0)?$/.test(name))]),
        ),
      })),
    ];
    const all = ['services', 'claims', 'statefulSets'] as const;
    const isNamed = (...changes: Change[]): boolean =>
      Object.hasOwn(renewed(recordPutBack(...changes))?.nodes ?? {}, '7');
    expect(isNamed(...gone(...all))).toBe(false);
    for (const kept of all) expect(isNamed(...gone(...all.filter((kind) => kind !== kept)))).toBe(true);
    expect(isNamed(...gone(...all), ghost('f'.repeat(40), { ip: '10.9.9.9' }))).toBe(true);
    const hidden = changeKube((kube) => ({ ...kube, gaps: [{ what: 'persistentvolumeclaims', why: 'forbidden' }] }));
    expect(isNamed(...gone(...all), hidden)).toBe(true);
  });
});

describe('what is no node of the cluster stays none', () => {
  test.each<[string, Change[]]>([
    ['nobody knows it', [changeLines((line) => ([nodeIdOf(4), nodeIdOf(8)].includes(line.nodeId) ? null : line))]],
    [
      'it came back empty, and others remember its id',
      ['redis-4-0', 'redis-8-0'].map((pod) =>
        changeAnswer(pod, (answer) => ({
          ...answer,
          view: answer.view.filter(({ nodeId }) => nodeId === answer.myId),
        })),
      ),
    ],
    [
      'nobody that the record names can be asked',
      [1, 2, 3, 5, 6, 7].map((n) => unreachable(`redis-${n}-0`, 'tunnel', 'up')),
    ],
  ])('where %s', (_, changes) => {
    expect(renewed(recordPutBack(...changes))).toBeNull();
  });

  test('a cluster whose record is right', () => {
    expect(renewed(asMade(healthyObservation(), specOf({})))).toBeNull();
  });
});
