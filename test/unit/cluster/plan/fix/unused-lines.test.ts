/** A StatefulSet of injected pods that was scaled by hand after its cluster was formed: what is missing, what never was a node. */
import { describe, expect, test } from '@jest/globals';
import { check } from '../../../../../pkg/cluster/check/check.ts';
import { phantomLines } from '../../../../../pkg/cluster/evidence/missing-pods.ts';
import { interpret } from '../../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../../pkg/cluster/model/observation.ts';
import { broughtTable } from '../../../../../pkg/cluster/plan/brought.ts';
import { planFix } from '../../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { recordBrought } from '../../../../../pkg/engine/steps/record-brought.ts';
import { stateMap } from '../../../../../pkg/pod/state-map.ts';
import { createObjectStore } from '../../../../support/fake-kube.ts';
import { changeKube, changeLines, changed, type Change } from '../../../../support/observation-changes.ts';
import { ghost, podGone, unreachable } from '../../../../support/observation-faults.ts';
import { injectedSet as injected } from '../../../../support/injected-set.ts';
import { nodeIdOf } from '../../../../support/observation.ts';

const replicas = (count: number): Change =>
  changeKube((kube) => ({ ...kube, statefulSets: kube.statefulSets.map((set) => ({ ...set, replicas: count })) }));
const withoutService: Change = changeKube((kube) => ({
  ...kube,
  services: kube.services.filter(({ name }) => name !== 'redis-6'),
}));
const downToFour = [podGone('redis-4'), podGone('redis-5'), replicas(4)];

const problemsOf = (observation: Observation): string[] =>
  check(interpret(observation), observation).map(({ severity, code }) => `${severity} ${code}`);
const phantomsOf = (observation: Observation): string[] =>
  phantomLines(interpret(observation), observation.kube).map(({ node }) => node);

describe('a line that never became a node', () => {
  test('is not missing, and fix takes its Service away and then the line', () => {
    const observation = injected();
    expect(problemsOf(observation)).toEqual(['info line-unused']);
    const { repairs, left } = planFix(interpret(observation), NO_POLICY, { observation, slotKeys: null });
    expect(left).toEqual([]);
    expect(repairs.flatMap(({ batches }) => batches.map(({ steps }) => steps))).toEqual([
      [expect.objectContaining({ kind: 'remove-object', object: expect.objectContaining({ uid: 'uid-6' }) })],
      [expect.objectContaining({ kind: 'apply-config' })],
    ]);
    // Once the Service has gone, and not before: nothing else would tell of it.
    expect(broughtTable(interpret(observation), observation.kube)).toContain('redis-6');
    const later = changed(observation, withoutService);
    expect(broughtTable(interpret(later), later.kube)).not.toContain('redis-6');
    expect(problemsOf(later)).toEqual(['info line-unused']);
    expect(problemsOf(injected(null))).toEqual([]);
  });

  test('what fix and create write has it no more, and all that is a node', async () => {
    const observation = changed(injected(), withoutService);
    const store = createObjectStore();
    const cluster = { namespace: 'default', name: 'redis' };
    await store.create(stateMap(cluster, observation.kube.state ?? {}));
    await recordBrought(store, cluster, observation, false);
    const data = store.objects.get('ConfigMap/redis-state')?.['data'] as Record<string, string>;
    expect(data['nodes']?.match(/^\d+ \S+/gm)).toEqual([0, 1, 2, 3, 4, 5].map((n) => `${n} redis-${n}`));
  });

  test('a Service of people stays', () => {
    const theirs = changed(
      injected(),
      changeKube((kube) => ({ ...kube, services: kube.services.map((one) => ({ ...one, labels: {} })) })),
    );
    const { repairs } = planFix(interpret(theirs), NO_POLICY, { observation: theirs, slotKeys: null });
    expect(JSON.stringify(repairs)).not.toContain('remove-object');
  });

  test.each<[string, Observation]>([
    ['others know a node at its address', changed(injected(), ghost('f'.repeat(40), { ip: '10.96.0.6' }))],
    ['an id without a pod may be its', changed(injected(), ghost('f'.repeat(40), { ip: '10.1.1.1' }))],
    ['it has a shard: create found it once', injected('6 redis-6 10.96.0.6 1')],
    [
      'pods of Deployments take any number that is free',
      changed(
        injected(),
        changeKube((kube) => ({
          ...kube,
          pods: kube.pods.map((pod) => ({ ...pod, owner: 'ReplicaSet/cache-5d9c7b' })),
        })),
      ),
    ],
    ['its StatefulSet would make its pod', changed(injected(), replicas(7))],
    [
      'slots have no owner',
      changed(
        injected(),
        changeLines((line) => ({ ...line, slots: line.nodeId === nodeIdOf(1) ? [] : line.slots })),
      ),
    ],
    [
      'nobody can be asked',
      changed(injected(), ...[0, 1, 2, 3, 4, 5].map((n) => unreachable(`redis-${n}`, 'tunnel', 'up'))),
    ],
  ])('it is not one where %s', (_, observation) => {
    expect(phantomsOf(observation)).toEqual([]);
  });
});

describe('a StatefulSet that was scaled down by hand', () => {
  test('is told with the number that brings its nodes back, whatever line there is beyond', () => {
    const observation = changed(injected(), ...downToFour);
    const problems = check(interpret(observation), observation);
    expect(problems.find(({ code }) => code === 'pod-missing')).toMatchObject({
      nodes: ['redis-4', 'redis-5'],
      repair: 'kubectl -n default scale statefulset redis --replicas=6: it was scaled down to 4.',
    });
    expect(phantomsOf(observation)).toEqual(['redis-6']);
  });

  test('also where the node that went owns slots', () => {
    const observation = changed(injected(), ...[2, 3, 4, 5].map((n) => podGone(`redis-${n}`)), replicas(2));
    const down = check(interpret(observation), observation).find(({ code }) => code === 'primary-down');
    expect(down).toMatchObject({ nodes: ['redis-2'] });
    expect(down?.sentence).toContain('its StatefulSet is scaled to 2');
    expect(down?.repair).toContain('scale statefulset redis --replicas=6');
  });
});
