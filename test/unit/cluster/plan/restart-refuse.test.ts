/** What a restart refuses, and that it does so before anything is written. */
import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import type { Plan, Step } from '../../../../pkg/cluster/model/plan.ts';
import { ALL_SLOTS, type SlotRanges } from '../../../../pkg/cluster/model/slots.ts';
import type { RestartTarget } from '../../../../pkg/cluster/plan/restart-goal.ts';
import type { RestartInput } from '../../../../pkg/cluster/plan/restart.ts';
import { lossOfRestart } from '../../../../pkg/cluster/plan/restart-refuse.ts';
import { changeAnswer, changePod, changed, type Change } from '../../../support/observation-changes.ts';
import {
  crashing,
  duplicatedOwner,
  openSlot,
  podGone,
  replicaLinkDown,
  unreachable,
} from '../../../support/observation-faults.ts';
import { LATER, renewed, run, targetOf, wish } from '../../../support/restart-run.ts';
import { planIn, recordedIn, restartWorld, runRestartStep } from '../../../support/restart-world.ts';

describe('what it refuses', () => {
  const start = restartWorld();
  const alone = restartWorld({ replicas: 0 });
  const firstOf = (observation: Observation, away: SlotRanges = [], agreed: SlotRanges = []): Plan =>
    planIn(observation, targetOf(observation, wish({ image: 'redis:9' })), away, agreed);
  /** The next start reads no log. */
  const bySnapshot = (target: RestartTarget): RestartTarget => ({
    ...target,
    spec: target.spec === null ? null : { ...target.spec, config: { ...target.spec.config, appendonly: 'no' } },
  });
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
      'keys that nobody counted',
      changed(
        start,
        changeAnswer('redis-1-0', (answer) => ({ ...answer, keysInOwnSlots: null, notCounted: 'NOPERM' })),
      ),
      'keys-not-counted',
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
      'a claim that was deleted',
      changed(
        start,
        changePod('redis-2-0', (pod) => ({ ...pod, goingClaim: 'data-redis-2-0' })),
      ),
      'no-volume',
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

  test.each([
    ['crashes', (name: string) => [unreachable(name, 'not-running'), crashing(name)]],
    ['waits with its guard', (name: string) => [unreachable(name, 'guard-waiting')]],
  ])('where every server %s, an image that starts is rendered, and all pods are replaced', (_, silenced) => {
    const dead = changed(start, ...start.kube.pods.flatMap(({ name }) => silenced(name)));
    const target = targetOf(dead, wish({ image: 'redis:9' }));
    const kinds: string[] = [];
    let now = dead;
    while (!kinds.includes('replace-pod')) {
      const plan = planIn(now, target);
      if (plan.kind !== 'batches') throw new Error(JSON.stringify(plan));
      const steps = plan.batches[0]?.steps ?? [];
      kinds.push(...steps.map(({ kind }) => kind));
      for (const step of steps) now = runRestartStep(now, step, target);
    }
    expect(kinds).toEqual(['record-spec', 'apply-config', 'apply-workloads', ...Array<string>(6).fill('replace-pod')]);
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

  test('consent for one shard is none for another', () => {
    expect(firstOf(alone, [{ start: 0, end: 5460 }])).toMatchObject({ kind: 'refused', code: 'last-copy' });
    expect(JSON.stringify(firstOf(alone, [{ start: 0, end: 5460 }]))).toContain('redis-2-0 alone holds shard 2');
  });

  test('a last copy that keeps no key on disk: no consent but the one that names its slots (K8)', () => {
    const kept = ['redis-2-0', 'redis-3-0'].map((pod) => settings(pod, false, '3600 1'));
    const volatile = changed(alone, settings('redis-1-0', false, ''), ...kept);
    const target = bySnapshot(targetOf(volatile, wish()));
    expect(lossOfRestart({ ...inputOf(volatile), target })).toMatchObject({ slots: [{ start: 0, end: 5460 }] });
    const firstOf = (_: Observation, away: SlotRanges, agreed: SlotRanges = []): Plan =>
      planIn(volatile, target, away, agreed);
    const refused = firstOf(volatile, ALL_SLOTS);
    expect(refused).toMatchObject({ kind: 'refused', code: 'needs-consent' });
    expect(JSON.stringify(refused)).toContain('--accept-data-loss 0-5460');
    expect(firstOf(volatile, ALL_SLOTS, [{ start: 0, end: 5459 }])).toMatchObject({ code: 'needs-consent' });
    expect(firstOf(volatile, ALL_SLOTS, [{ start: 0, end: 5460 }]).kind).toBe('batches');
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
    const target = bySnapshot(targetOf(unknown, wish()));
    expect(lossOfRestart({ ...inputOf(unknown), target })?.sentence).toContain('may keep none on disk');
  });

  test('what is set on running servers counts before it is set: a log that is switched off, a limit that evicts', () => {
    const loss = (config: Readonly<Record<string, string>>, world = alone): string | undefined => {
      const target = targetOf(world, wish());
      const spec = target.spec === null ? null : { ...target.spec, config };
      return lossOfRestart({ ...inputOf(world), target: { ...target, spec, live: config } })?.sentence;
    };
    expect(loss({ appendonly: 'no', save: '""' })).toContain('redis-1-0 keeps none on disk (appendonly no, save "")');
    expect(loss({ appendonly: 'no', save: '3600 1' })).toBeUndefined();
    const used = changed(
      start,
      changeAnswer('redis-2-0', (answer) => ({ ...answer, info: { ...answer.info, usedMemoryBytes: 3_000_000 } })),
    );
    expect(loss({ maxmemory: '2mb', 'maxmemory-policy': 'allkeys-lru' }, used)).toMatch(
      /slots 5461-10922: redis-2-0 uses \d+ bytes, and with that limit it would evict what is beyond 2097152 \(allkeys-lru\)/,
    );
    expect(loss({ maxmemory: '2mb', 'maxmemory-policy': 'noeviction' }, used)).toBeUndefined();
    expect(loss({ maxmemory: '1gb', 'maxmemory-policy': 'allkeys-lru' }, used)).toBeUndefined();
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
