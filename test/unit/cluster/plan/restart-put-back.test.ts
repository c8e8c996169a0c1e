import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation, StatefulSetFacts } from '../../../../pkg/cluster/model/observation.ts';
import type { Step } from '../../../../pkg/cluster/model/plan.ts';
import { isOtherImage } from '../../../../pkg/cluster/model/redis-image.ts';
import { ALL_SLOTS } from '../../../../pkg/cluster/model/slots.ts';
import { restartTime } from '../../../../pkg/cluster/plan/restart-goal.ts';
import { refuseRestarting } from '../../../../pkg/cluster/plan/scale-refuse.ts';
import { changeKube, changePod, changed, type Change } from '../../../support/observation-changes.ts';
import { LATER, NOON, renewed, run, targetOf, wish } from '../../../support/restart-run.ts';
import { planIn, recordedIn, restartWorld, runRestartStep } from '../../../support/restart-world.ts';
import { specOf } from '../../../support/spec.ts';

describe('K2: a loop that applies a manifest again', () => {
  const ALL = { config: true, templates: true };
  const start = restartWorld();
  const putBack = (change: Partial<StatefulSetFacts>): Change =>
    changeKube((kube) => ({ ...kube, statefulSets: kube.statefulSets.map((set) => ({ ...set, ...change })) }));
  const ARGO = { manager: 'argocd-controller', at: '2026-11-23T12:00:10Z' };

  test('stops a restart with another image before the next pod goes, and names who', () => {
    const target = targetOf(start, wish({ image: 'redis:9' }));
    const rendered = run(start, target, (step) => step.kind === 'restart-pod');
    const plan = planIn(changed(rendered, putBack({ image: 'redis:8', writer: ARGO })), target, ALL_SLOTS, [], ALL);
    expect(plan).toEqual({
      kind: 'refused',
      code: 'put-back',
      sentence:
        'argocd-controller has put StatefulSet redis-1 back to redis:8 after it was rendered: a pod that is restarted now would come up as before',
      hint: 'Change it where it comes from (kubectl redis create redis --dry-run prints what to commit), then run the same command again',
    });
    expect(planIn(changed(rendered, putBack({ image: 'redis:8' })), target, ALL_SLOTS).kind).toBe('batches');
  });

  test('a pod that came up with the old image is not done, whatever its mark says', () => {
    const target = targetOf(start, wish({ image: 'redis:9' }));
    const rendered = run(start, target, (step) => step.kind === 'restart-pod');
    const restarted = run(changed(rendered, putBack({ image: 'redis:8' })), target, (step) => step.kind === 'failover');
    const mended = changed(
      restarted,
      changePod('redis-4-0', (pod) => ({ ...pod, container: { ...pod.container, image: 'redis:8' } })),
    );
    const again = targetOf(mended, wish({ image: 'redis:9', at: LATER }));
    expect(again.goal.pods.map(({ pod }) => pod)).toContain('redis-4-0');
    const end = run(mended, again);
    expect(new Set(end.kube.pods.map(({ container }) => container.image))).toEqual(new Set(['redis:9']));
  });

  test('does not keep one without changes from its end, nor scale from its beginning', () => {
    const target = targetOf(start, wish());
    // Replaced: every template has lost its mark before its pod is made.
    const lost = putBack({ templateAnnotations: {} });
    let now = run(start, target, (step) => step.kind === 'restart-pod');
    for (let steps = 0; steps < 20; steps++) {
      const plan = planIn(changed(now, lost), target, [], [], ALL);
      const batch = plan.kind === 'batches' ? plan.batches[0] : undefined;
      if (batch === undefined) break;
      for (const step of batch.steps) now = madeAfter(runRestartStep(changed(now, lost), step, target), step);
    }
    expect(planIn(changed(now, lost), target, [], [], ALL).kind).toBe('nothing');
    expect(renewed(start, now)).toEqual([1, 1, 1, 1, 1, 1]);
    const recorded = recordedIn(now) ?? specOf();
    expect(refuseRestarting(changed(now, lost).kube, recorded, interpret(now))).toBeNull();
  });

  function madeAfter(now: Observation, step: Step): Observation {
    if (step.kind !== 'restart-pod') return now;
    return changed(
      now,
      changePod(step.pod, (pod) => ({ ...pod, createdAt: LATER })),
    );
  }
});

test('a restart is asked for later than all pods are old, by whichever clock', () => {
  const { kube } = restartWorld();
  expect(restartTime(Date.parse(NOON), kube)).toBe(NOON);
  expect(restartTime(Date.parse('2026-11-20T00:00:00Z'), kube)).toBe('2026-11-22T10:00:01.000Z');
});

test.each([
  ['redis:8', 'redis:8', false],
  ['redis:8', 'redis:9', true],
  ['redis:8', 'mirror.example:5000/library/redis:8@sha256:abc', false],
  ['redis:8', 'redis@sha256:abc', false],
  ['docker.io/library/redis:8', 'valkey:8', true],
])('whether images are certainly different: %s and %s: %s', (a, b, other) => {
  expect([isOtherImage(a, b), isOtherImage(b, a)]).toEqual([other, other]);
});
