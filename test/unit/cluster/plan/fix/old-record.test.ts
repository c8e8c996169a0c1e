/** What fix does not do where the record, or the list of pods, tells less than there is: above all nothing unasked. */
import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../../pkg/cluster/model/observation.ts';
import { planFix } from '../../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY, type FixPlan } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { asMade } from '../../../../support/as-made.ts';
import { healthyObservation, nodeIdOf } from '../../../../support/observation.ts';
import {
  changeAnswer,
  changeKube,
  changeLines,
  changed,
  type Change,
} from '../../../../support/observation-changes.ts';
import { ghost, heard, podGone, replicasLoseLink, unreachable } from '../../../../support/observation-faults.ts';
import { specOf } from '../../../../support/spec.ts';
import { deployed, withoutAddress } from '../../evidence/brought-pods.ts';
import { inWords } from './fix-words.ts';

function planOf(observation: Observation): FixPlan {
  return planFix(interpret(observation), NO_POLICY, { observation, slotKeys: null });
}

const wordsOf = (observation: Observation): string[] => {
  const { repairs, left } = inWords(planOf(observation));
  return [...repairs, ...left];
};

const lagging = (pod: string): Change[] => [replicasLoseLink(pod, 330), heard(pod, 30_000)];

describe('pods that people brought', () => {
  test('K1: a replica that is behind does not lead unasked while the pod of its primary is away', () => {
    expect(wordsOf(changed(deployed(), ...lagging('redis-1-0'), podGone('redis-1-0')))).toEqual([
      'primary-down (needs-consent --accept-data-loss 0-5460)',
    ]);
  });

  test('K1: nor where nothing is recorded', () => {
    const unrecorded = changeKube((kube) => ({ ...kube, config: null, state: null }));
    const words = wordsOf(changed(deployed(), unrecorded, ...lagging('redis-1-0'), podGone('redis-1-0')));
    expect(words).toContain('slots-without-node (needs-consent --accept-data-loss 0-5460)');
    expect(words.filter((one) => one.includes('force'))).toEqual([]);
  });

  test('slots of nobody are not given away while a recorded node is away', () => {
    const gone = [nodeIdOf(1), nodeIdOf(4)];
    const observation = changed(
      deployed(),
      podGone('redis-1-0'),
      podGone('redis-4-0'),
      changeLines((line) => (gone.includes(line.nodeId) ? null : line)),
    );
    const none = new Map(Array.from({ length: 5461 }, (_, slot) => [slot, 0]));
    const slotKeys = new Map([2, 3].map((ordinal) => [nodeIdOf(ordinal), none]));
    const plan = planFix(interpret(observation), NO_POLICY, { observation, slotKeys });
    expect(plan.repairs.map(({ code }) => code)).not.toContain('slots-uncovered');
    expect(plan.left.find(({ problem }) => problem.code === 'slots-uncovered')?.hint).toMatch(/^redis-1 is missing/);
  });
});

/** NAME-state from before redis-7 … redis-9 came, but for those that it names; `managed` StatefulSets and all. */
const big = healthyObservation({ masters: 3, replicas: 2, hosts: 6 });
const naming = (...ordinals: readonly number[]): Change =>
  changeKube((kube) => ({
    ...kube,
    state: {
      formed: 'true',
      spec: JSON.stringify(specOf({ masters: 3, replicas: 1, nodes: shards([1, 2, 3, 4, 5, 6, ...ordinals]) })),
    },
    statefulSets: kube.statefulSets.map((set) => ({
      ...set,
      uid: `uid-${set.name}`,
      templateLabels: { ...set.templateLabels, 'app.kubernetes.io/managed-by': 'kubectl-redis' },
    })),
  }));
const shards = (ordinals: readonly number[]): Record<string, string> =>
  Object.fromEntries(ordinals.map((n) => [String(n), String(((n - 1) % 3) + 1)]));
const fromBefore = naming();
/** Nobody knows its node: it was removed, and a manifest made its StatefulSet again. */
const removed = (ordinal: number): Change => changeLines((line) => (line.nodeId === nodeIdOf(ordinal) ? null : line));

/** Of the StatefulSets 7 … 9: `remove`, `recorded` anew, or why neither. */
function beyond(observation: Observation): Record<string, string> {
  const { repairs, left } = planOf(observation);
  const gone = repairs.flatMap(({ batches }) =>
    batches.flatMap(({ steps }) => steps.flatMap((step) => (step.kind === 'remove-object' ? [step.object.name] : []))),
  );
  const recorded = repairs.flatMap(({ batches }) =>
    batches.flatMap(({ steps }) =>
      steps.flatMap((step) => (step.kind === 'record-spec' ? Object.keys(step.spec.nodes ?? {}) : [])),
    ),
  );
  const kept = left.filter(({ problem }) => problem.subject?.startsWith('StatefulSet/') === true);
  return Object.fromEntries([
    ...gone.map((name) => [name, 'remove']),
    ...recorded.map((ordinal) => [`redis-${ordinal}`, 'recorded']),
    ...kept.map(({ problem, why }) => [problem.subject?.replace('StatefulSet/', '') ?? '', why]),
  ]) as Record<string, string>;
}

describe('StatefulSets that an old record does not name', () => {
  const [eighth, ninth] = [removed(8), removed(9)];
  const waits = [unreachable('redis-8-0', 'guard-waiting'), unreachable('redis-9-0', 'not-running')];

  test.each(['guard-waiting', 'not-running'] as const)('are recorded while others know the node: %s', (why) => {
    const observation = changed(big, fromBefore, unreachable('redis-7-0', why));
    expect(beyond(observation)).toEqual(
      Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => [`redis-${n}`, 'recorded'])),
    );
  });

  test('are recorded while it owns slots', () => {
    const owner = changed(
      big,
      fromBefore,
      changeLines((line) =>
        line.nodeId === nodeIdOf(7)
          ? { ...line, role: 'primary', primaryId: null, configEpoch: 9, slots: [{ start: 0, end: 99 }] }
          : line,
      ),
      unreachable('redis-7-0', 'not-running'),
    );
    expect(beyond(owner)).toMatchObject({ 'redis-7': 'recorded' });
  });

  test('stay while an id without a pod may be its', () => {
    const moved = changed(
      big,
      naming(7),
      ...waits,
      eighth,
      ninth,
      ghost('f'.repeat(40), { slots: [{ start: 0, end: 9 }], configEpoch: 9 }),
    );
    expect(beyond(moved)).toMatchObject({ 'redis-8': 'by-hand', 'redis-9': 'by-hand' });
    const kept = planOf(moved).left.find(({ problem }) => problem.subject === 'StatefulSet/redis-8');
    expect(kept?.hint).toMatch(/^kubectl redis status redis shows what redis-8-0 holds: .* an old record/);
  });

  test('are recorded while the pod is away and others know its node', () => {
    expect(beyond(changed(big, fromBefore, podGone('redis-9-0')))).toMatchObject({ 'redis-9': 'recorded' });
  });

  test('stay where nobody can be asked', () => {
    const silent = [1, 2, 3, 4, 5, 6, 7].map((n) => unreachable(`redis-${n}-0`, 'tunnel', 'up'));
    expect(Object.values(beyond(changed(big, fromBefore, eighth, ninth, ...waits, ...silent)))).not.toContain('remove');
  });

  test('go where nothing of the cluster is in the pod, and nobody knows it', () => {
    const known = [eighth, ninth, ...waits, withoutAddress('redis-8-0')];
    expect(beyond(changed(big, naming(7), ...known))).toMatchObject({ 'redis-8': 'remove', 'redis-9': 'remove' });
    // An older record is written anew first: then it is looked at again.
    expect(beyond(changed(big, fromBefore, ...known))).toMatchObject({
      'redis-7': 'recorded',
      'redis-8': 'after-others',
      'redis-9': 'after-others',
    });
  });

  test('stay where it is alone, and others still know it', () => {
    const alone = changed(
      big,
      naming(8, 9),
      changeAnswer('redis-7-0', (answer) => ({
        ...answer,
        view: answer.view.filter(({ nodeId }) => nodeId === answer.myId),
        info: { ...answer.info, keys: 0 },
      })),
    );
    expect(beyond(alone)).toMatchObject({ 'redis-7': 'by-hand' });
    expect(beyond(changed(alone, removed(7), onlyItself('redis-7-0')))).toMatchObject({ 'redis-7': 'remove' });
  });
});

/** What `removed` took from its own view, too. */
function onlyItself(pod: string): Change {
  const line = big.replies.flatMap(({ reply }) =>
    reply.kind === 'answered' ? reply.answer.view.filter(({ flags }) => flags.includes('myself')) : [],
  );
  return changeAnswer(pod, (answer) => ({ ...answer, view: line.filter(({ nodeId }) => nodeId === answer.myId) }));
}

describe('a pod whose volume is lost and that nothing ties to an id', () => {
  test('lets its replica lead, because nobody has more', () => {
    const lost = changed(
      healthyObservation(),
      ...lagging('redis-1-0'),
      unreachable('redis-1-0', 'guard-waiting'),
      withoutAddress('redis-1-0'),
    );
    expect(wordsOf(lost)).toContain('slots-without-node: force redis-4-0');
  });

  test('without a replica nothing is given up unasked', () => {
    const lost = changed(
      healthyObservation({ replicas: 0 }),
      unreachable('redis-1-0', 'guard-waiting'),
      withoutAddress('redis-1-0'),
    );
    const plan = planOf(lost);
    expect(plan.repairs.map(({ code }) => code)).not.toContain('slots-without-node');
    expect(plan.left.map(({ problem }) => problem.code)).toContain('slots-without-node');
  });
});

describe('a record from before an upgrade, put back', () => {
  test('templates are not rendered with an image that is older than what runs', () => {
    const made = asMade(healthyObservation(), specOf({ image: 'redis:7.0' }));
    const newer = changeKube((kube) => ({
      ...kube,
      statefulSets: kube.statefulSets.map((set) => ({ ...set, image: 'redis:8.6.3' })),
    }));
    const { repairs, left } = planOf(changed(made, newer));
    expect(repairs).toEqual([]);
    expect(left[0]).toMatchObject({
      why: 'by-hand',
      hint: "redis:7.0 is recorded, but redis-1-0 runs redis 8.6.3, and an older one can't read their data: ConfigMap redis-state is an old record. kubectl redis restart redis --image IMAGE records the one that runs",
    });
  });
});
