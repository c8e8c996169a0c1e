/** Any cluster restarted, cut short anywhere and gone on with. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import type { Plan, Step } from '../../../../pkg/cluster/model/plan.ts';
import type { SlotRanges } from '../../../../pkg/cluster/model/slots.ts';
import { isConverged } from '../../../../pkg/cluster/plan/form.ts';
import {
  isToRestart,
  restartTarget,
  type RestartTarget,
  type RestartWish,
} from '../../../../pkg/cluster/plan/restart-goal.ts';
import type { RestartInput } from '../../../../pkg/cluster/plan/restart.ts';
import { lossOfRestart } from '../../../../pkg/cluster/plan/restart-refuse.ts';
import { outlineRestart } from '../../../../pkg/cluster/plan/restart-outline.ts';
import { changeAnswer, changePod, changed, type Change } from '../../../support/observation-changes.ts';
import { failedOver } from '../../../support/observation-failover.ts';
import {
  duplicatedOwner,
  openSlot,
  podGone,
  replicaLinkDown,
  unreachable,
} from '../../../support/observation-faults.ts';
import { planIn, recordedIn, restartWorld, runRestartStep } from '../../../support/restart-world.ts';

const NOON = '2026-11-23T12:00:00.000Z';
const LATER = '2026-11-23T13:00:00.000Z';
const wish = (change: Partial<RestartWish> = {}): RestartWish => ({
  at: NOON,
  image: null,
  config: {},
  live: [],
  pods: null,
  ...change,
});

function targetOf(observation: Observation, wanted: RestartWish): RestartTarget {
  const target = restartTarget(observation.kube, recordedIn(observation), wanted);
  if (target === null) throw new Error('nothing is to be restarted');
  return target;
}

/** @param dies whether the run ends before a step, as a kill ends it */
function run(start: Observation, target: RestartTarget, dies: (step: Step) => boolean = () => false): Observation {
  let now = start;
  for (let batches = 0; batches < 100; batches++) {
    const plan = planIn(now, target, true);
    if (plan.kind === 'refused') throw new Error(`${plan.code}: ${plan.sentence}`);
    const batch = plan.kind === 'batches' ? plan.batches[0] : undefined;
    if (batch === undefined) return now;
    for (const step of batch.steps) {
      if (dies(step)) return now;
      now = runRestartStep(now, step, target);
    }
  }
  throw new Error('it never ends');
}

/** Pods whose uid has changed, with how often. */
function renewed(start: Observation, end: Observation): number[] {
  return end.kube.pods.map(
    ({ name, uid }) => uid.length - (start.kube.pods.find((pod) => pod.name === name)?.uid.length ?? 0),
  );
}

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
        const left = (now: Observation): boolean => now.kube.pods.some((pod) => isToRestart(begun, pod));
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

describe('what it works towards', () => {
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
    expect(outlineRestart(state, target)[0]).toEqual({
      name: '1',
      order: ['redis-1-0', 'redis-4-0'],
      primary: 'redis-4-0',
      handsOver: true,
      slotsAway: 0,
    });
    const bare = restartWorld({ replicas: 0 });
    expect(outlineRestart(interpret(bare), targetOf(bare, wish()))[0]).toMatchObject({
      handsOver: false,
      slotsAway: 5461,
    });
  });
});

describe('what it refuses', () => {
  const start = restartWorld();
  const alone = restartWorld({ replicas: 0 });
  const firstOf = (observation: Observation, acceptOutage = false, agreed: SlotRanges = []): Plan =>
    planIn(observation, targetOf(observation, wish({ image: 'redis:9' })), acceptOutage, agreed);
  const settings = (pod: string, appendOnly: boolean, save: string): Change =>
    changeAnswer(pod, (answer) => ({
      ...answer,
      info: { ...answer.info, aofEnabled: appendOnly },
      config: { ...answer.config, save },
    }));

  test.each<[string, Observation, string]>([
    ['a last copy without consent', alone, 'last-copy'],
    ['a primary that does not answer', changed(start, unreachable('redis-1-0', 'timeout', 'up')), 'owner-silent'],
    ['slots that two claim', changed(start, duplicatedOwner('redis-2-0', [{ start: 0, end: 9 }])), 'slots-contested'],
    ['open slots', changed(start, openSlot(7, 'redis-1-0', 'redis-2-0')), 'slots-open'],
    [
      'keys in slots of others',
      changed(
        start,
        changeAnswer('redis-1-0', (answer) => ({ ...answer, keysInOwnSlots: answer.info.keys - 3 })),
      ),
      'stray-keys',
    ],
    [
      'a pod of a Deployment',
      changed(
        start,
        changePod('redis-2-0', (pod) => ({ ...pod, owner: 'ReplicaSet/redis' })),
      ),
      'not-of-a-stateful-set',
    ],
    [
      'data in the pod',
      changed(
        start,
        changePod('redis-2-0', (pod) => ({ ...pod, ephemeralData: true })),
      ),
      'no-volume',
    ],
  ])('%s: before anything is written (K6)', (_, observation, code) => {
    expect(firstOf(observation)).toMatchObject({ kind: 'refused', code });
  });

  test('a primary of which no replica is in step, where only that primary is to restart (K6)', () => {
    const behind = changed(start, replicaLinkDown('redis-4-0'));
    expect(planIn(behind, targetOf(behind, wish({ pods: ['redis-1-0'] })))).toMatchObject({ code: 'not-in-step' });
  });

  test('a replica older than its primary, when all replicas of its shard are new', () => {
    const older = changed(
      start,
      changeAnswer('redis-4-0', (answer) => ({ ...answer, info: { ...answer.info, version: '7.0.15' } })),
    );
    expect(() => run(older, targetOf(older, wish()))).toThrow('older-server');
  });

  test('a last copy goes with consent', () => {
    const end = run(alone, targetOf(alone, wish()));
    expect(new Set(renewed(alone, end))).toEqual(new Set([1]));
  });

  test('a last copy that keeps no key on disk: no consent but the one that names its slots (K8)', () => {
    const volatile = changed(alone, settings('redis-1-0', false, ''), settings('redis-2-0', false, '3600 1'));
    const target = targetOf(volatile, wish());
    expect(lossOfRestart({ ...inputOf(volatile), target })).toMatchObject({ slots: [{ start: 0, end: 5460 }] });
    const refused = firstOf(volatile, true);
    expect(refused).toMatchObject({ kind: 'refused', code: 'needs-consent' });
    expect(JSON.stringify(refused)).toContain('--accept-data-loss 0-5460');
    expect(firstOf(volatile, true, [{ start: 0, end: 5459 }])).toMatchObject({ code: 'needs-consent' });
    expect(firstOf(volatile, true, [{ start: 0, end: 5460 }]).kind).toBe('batches');
  });

  test('whether a silent last copy keeps its keys is not known, and that is said (K8)', () => {
    const unknown = changed(
      alone,
      changeAnswer('redis-1-0', (answer) => ({
        ...answer,
        info: { ...answer.info, aofEnabled: false },
        config: null,
      })),
    );
    const target = targetOf(unknown, wish());
    expect(lossOfRestart({ ...inputOf(unknown), target })?.sentence).toContain('may keep none on disk');
  });

  test('pods in which nothing runs are replaced first, whatever the cluster says', () => {
    const broken = changed(
      start,
      changePod('redis-4-0', (pod) => ({
        ...pod,
        phase: 'Pending',
        ready: false,
        container: { ...pod.container, state: 'waiting', reason: 'ErrImagePull' },
      })),
      unreachable('redis-4-0', 'not-running', 'fail'),
    );
    const target = targetOf(broken, wish({ image: 'redis:9' }));
    const steps: Step[] = [];
    let now = broken;
    for (let batches = 0; batches < 4; batches++) {
      const plan = planIn(now, target);
      const batch = plan.kind === 'batches' ? plan.batches[0] : undefined;
      for (const step of batch?.steps ?? []) {
        steps.push(step);
        now = runRestartStep(now, step, target);
      }
    }
    expect(steps.map(({ kind }) => kind).slice(0, 4)).toEqual([
      'record-spec',
      'apply-config',
      'apply-workloads',
      'replace-pod',
    ]);
  });

  test('what this restart took away is waited for, not refused', () => {
    const taken = run(start, targetOf(start, wish()), ({ kind }) => kind === 'restart-pod');
    const target = targetOf(taken, wish({ at: LATER }));
    const away = changed(
      taken,
      changePod('redis-4-0', (pod) => ({ ...pod, uid: `${pod.uid}+`, annotations: {} })),
      podGone('redis-4-0'),
    );
    const plan = planIn(away, target);
    expect(plan).toMatchObject({ batches: [{ steps: [{ kind: 'wait-pods', pods: ['redis-4-0'] }] }] });
  });
});

function inputOf(observation: Observation): Pick<RestartInput, 'state' | 'kube' | 'recorded'> {
  return { state: interpret(observation), kube: observation.kube, recorded: recordedIn(observation) };
}
