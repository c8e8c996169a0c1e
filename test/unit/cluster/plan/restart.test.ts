/** Any cluster restarted, cut short anywhere and gone on with. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { isConverged } from '../../../../pkg/cluster/plan/form.ts';
import { isToRestart, restartTarget } from '../../../../pkg/cluster/plan/restart-goal.ts';
import { outlineRestart } from '../../../../pkg/cluster/plan/restart-outline.ts';
import { changeAnswer, changePod, changed } from '../../../support/observation-changes.ts';
import { follows, replicaLinkDown } from '../../../support/observation-faults.ts';
import { failedOver } from '../../../support/observation-failover.ts';
import { LATER, NOON, renewed, run, targetOf, wish } from '../../../support/restart-run.ts';
import { planIn, recordedIn, restartWorld } from '../../../support/restart-world.ts';

const someShape = fc.record({
  masters: fc.integer({ min: 3, max: 6 }),
  replicas: fc.integer({ min: 0, max: 3 }),
  kind: fc.constantFrom('ours' as const, 'foreign' as const),
});

function someWorld(shape: Parameters<typeof restartWorld>[0], failovers: readonly number[]): Observation {
  const owned = (observation: Observation): Observation => ({
    ...observation,
    kube: {
      ...observation.kube,
      pods: observation.kube.pods.map((pod) => ({
        ...pod,
        owner: pod.owner ?? 'StatefulSet/redis',
        ephemeralData: false,
      })),
    },
  });
  return failovers.reduce(
    (now, number) => {
      const replicas = interpret(now).nodes.filter(({ role, pod }) => role === 'replica' && pod !== null);
      const pod = replicas[number % Math.max(1, replicas.length)]?.pod;
      return pod === undefined || pod === null ? now : changed(now, failedOver(pod.name, 100 + number));
    },
    owned(restartWorld(shape)),
  );
}

describe('any cluster', () => {
  test('has every pod renewed once, and is whole', () => {
    fc.assert(
      fc.property(someShape, fc.array(fc.nat({ max: 50 }), { maxLength: 3 }), (shape, failovers) => {
        const start = someWorld(shape, failovers);
        const target = targetOf(start, wish());
        const end = run(start, target);
        expect(new Set(renewed(start, end))).toEqual(new Set([1]));
        expect(isConverged(interpret(end))).toBe(true);
        expect(planIn(end, target).kind).toBe('nothing');
      }),
      { numRuns: 25 },
    );
  });

  test('cut short anywhere: the same command goes on, and renews no pod twice', () => {
    fc.assert(
      fc.property(someShape, fc.nat({ max: 40 }), fc.nat({ max: 40 }), (shape, first, second) => {
        const start = someWorld(shape, []);
        const dyingAfter = (count: number) => (): boolean => count-- <= 0;
        const begun = targetOf(start, wish());
        const cut = run(start, begun, dyingAfter(first));
        const left = (now: Observation): boolean => now.kube.pods.some((pod) => isToRestart(begun, pod, now.kube));
        fc.pre(left(cut));
        const again = targetOf(cut, wish({ at: LATER }));
        // Before anything was recorded or marked there is nothing to go on with.
        expect(again.continues).toBe(again.goal.at === NOON);
        const cutAgain = run(cut, again, dyingAfter(second));
        fc.pre(!left(cutAgain) || again.continues);
        const last = left(cutAgain) ? targetOf(cutAgain, wish({ at: LATER })) : again;
        const end = run(cutAgain, last);
        expect(new Set(renewed(start, end))).toEqual(new Set([1]));
      }),
      { numRuns: 30 },
    );
  });
});

test.each(['ours', 'foreign'] as const)('a replica that missed a failover is attached to its primary (%s)', (kind) => {
  const start = someWorld({ masters: 3, replicas: 2, kind }, []);
  const { nodes } = interpret(start);
  const [first, second] = nodes.filter(({ primaryId }) => primaryId === nodes[0]?.nodeId).map(({ pod }) => pod?.name);
  if (first === undefined || second === undefined) throw new Error('not two replicas');
  const chained = changed(start, follows(second, first));
  const target = targetOf(chained, wish());
  const end = run(chained, target);
  expect(new Set(renewed(chained, end))).toEqual(new Set([1]));
  const after = interpret(end);
  const isPrimary = new Map(after.nodes.map(({ nodeId, role }) => [nodeId, role === 'primary']));
  expect(after.nodes.filter(({ role, primaryId }) => role === 'replica' && isPrimary.get(primaryId) !== true)).toEqual(
    [],
  );
  // Also when no pod is left to restart: somebody fell behind in the last failover.
  const lost = after.nodes.flatMap(({ role, pod }) => (role === 'replica' && pod !== null ? [pod.name] : []));
  const inShard = (name: string): string | null => after.nodes.find(({ pod }) => pod?.name === name)?.primaryId ?? null;
  const [behind = ''] = lost;
  const other = lost.find((name) => name !== behind && inShard(name) === inShard(behind)) ?? '';
  const left = changed(end, follows(behind, other));
  expect(planIn(left, target)).toMatchObject({
    batches: [{ steps: [{ kind: 'replicate', node: { pod: behind }, primary: { nodeId: inShard(behind) } }] }],
  });
  expect(planIn(run(left, target), target).kind).toBe('nothing');
});

describe('what it works towards', () => {
  test('a pod that fails long after a restart is no restart that was begun', () => {
    const start = someWorld({ masters: 3, replicas: 1, kind: 'ours' }, []);
    const over = run(start, targetOf(start, wish()));
    const failed = changed(
      over,
      changePod('redis-2-0', (pod) => ({ ...pod, ready: false })),
    );
    const target = targetOf(failed, wish({ at: LATER }));
    expect([target.continues, target.goal.pods.length, target.goal.at]).toEqual([false, 6, LATER]);
  });

  const start = restartWorld();
  const target = targetOf(start, wish());

  test('a finished one begins anew; with an image or a directive that all have, there is nothing to do', () => {
    const end = run(start, target);
    expect(targetOf(end, wish({ at: LATER }))).toMatchObject({ continues: false, goal: { at: LATER } });
    const recorded = recordedIn(end);
    expect(restartTarget(end.kube, recorded, wish({ image: recorded?.image ?? '' }))).toBeNull();
  });

  test('an unfinished one with another image begins anew for all', () => {
    const cut = run(start, target, (step) => step.kind === 'failover');
    const other = targetOf(cut, wish({ at: LATER, image: 'redis:9' }));
    expect(other).toMatchObject({ continues: false, spec: { image: 'redis:9' }, goal: { at: LATER } });
    expect(other.goal.pods).toHaveLength(6);
  });

  test('one pod only: a primary hands over and is not given the role back', () => {
    const one = targetOf(start, wish({ pods: ['redis-1-0'] }));
    const steps: string[] = [];
    const end = run(start, one, (step) => {
      steps.push(step.kind);
      return false;
    });
    expect(steps).toEqual(['record-spec', 'apply-workloads', 'failover', 'restart-pod']);
    expect(renewed(start, end)).toEqual([1, 0, 0, 0, 0, 0]);
    expect(recordedIn(end)?.restarted).toEqual({ '1': NOON });
  });

  test.each([
    ['of an older server, which can never follow its primary, is restarted', '7.0.15', 'restart-pod'],
    ['of the same server is waited for', '8.6.3', 'await-convergence'],
  ])('a replica that has no link, %s', (_, version, kind) => {
    const one = targetOf(start, wish({ pods: ['redis-4-0'] }));
    const old = changed(
      start,
      replicaLinkDown('redis-4-0'),
      changeAnswer('redis-4-0', (answer) => ({ ...answer, info: { ...answer.info, version } })),
    );
    const steps: string[] = [];
    run(old, one, (step) => steps.push(step.kind) > 2);
    expect(steps).toEqual(['record-spec', 'apply-workloads', kind]);
  });

  test('directives that servers take while they run: set on all, then recorded, and no pod goes', () => {
    const config = { 'maxmemory-policy': 'allkeys-lru' };
    const live = targetOf(start, wish({ config, live: Object.keys(config) }));
    expect(live).toMatchObject({ live: config, goal: { pods: [] } });
    const steps: string[] = [];
    const bare = changed(
      start,
      ...start.replies.map(({ pod }) => changeAnswer(pod, (answer) => ({ ...answer, config: {} }))),
    );
    const end = run(bare, live, (step) => {
      steps.push(step.kind);
      return false;
    });
    expect(steps).toEqual([
      ...Array.from({ length: 6 }, () => 'set-config'),
      'record-spec',
      'apply-config',
      'apply-workloads',
    ]);
    expect(recordedIn(end)?.config).toEqual(config);
    expect(renewed(start, end)).toEqual([0, 0, 0, 0, 0, 0]);
  });

  test('the outline names the order of each shard', () => {
    const state = interpret(changed(start, failedOver('redis-4-0')));
    expect(outlineRestart(state, start.kube, target)[0]).toEqual({
      name: '1',
      order: ['redis-1-0', 'redis-4-0'],
      primary: 'redis-4-0',
      handsOver: true,
      slotsAway: 0,
    });
    const bare = restartWorld({ replicas: 0 });
    expect(outlineRestart(interpret(bare), bare.kube, targetOf(bare, wish()))[0]).toMatchObject({
      handsOver: false,
      slotsAway: 5461,
    });
  });
});
