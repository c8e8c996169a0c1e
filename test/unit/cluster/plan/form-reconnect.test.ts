/** Nodes whose addresses changed all at once, or some of them, while they were down. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { NodeAnswer, Observation } from '../../../../pkg/cluster/model/observation.ts';
import type { Plan, Step } from '../../../../pkg/cluster/model/plan.ts';
import type { ClusterSpec } from '../../../../pkg/cluster/model/spec.ts';
import { planForming } from '../../../../pkg/cluster/plan/form.ts';
import { simulate } from '../../../../pkg/cluster/plan/simulate.ts';
import { changeAnswer, changed } from '../../../support/observation-changes.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';

const SPEC = specOf({ masters: 3, replicas: 1 });

/** The pods of `moved` came back with new addresses: they know their own, nobody else does, and no link is up. */
function moveNodes(observation: Observation, moved: ReadonlySet<string>): Observation {
  const fresh = new Map<string, string>();
  observation.replies.forEach(({ pod, reply }, index) => {
    if (reply.kind === 'answered' && moved.has(pod)) fresh.set(reply.answer.myId, `10.96.200.${index + 1}`);
  });
  const restart = (answer: NodeAnswer): NodeAnswer => {
    const own = fresh.get(answer.myId);
    return {
      ...answer,
      view: answer.view.map((line) =>
        line.nodeId === answer.myId ? { ...line, ip: own ?? line.ip } : { ...line, linkUp: !fresh.has(line.nodeId) },
      ),
      info: { ...answer.info, primaryLinkUp: answer.info.role === 'replica' ? false : null },
      config: { ...answer.config, ...(own === undefined ? {} : { 'cluster-announce-ip': own }) },
    };
  };
  return changed(observation, ...observation.replies.map(({ pod }) => changeAnswer(pod, restart)));
}

const allPods = (observation: Observation): string[] => observation.replies.map(({ pod }) => pod);

function planOf(observation: Observation, spec: ClusterSpec = SPEC): Plan {
  return planForming(interpret(observation), spec, { fastForming: true });
}

function firstSteps(plan: Plan): readonly Step[] {
  return plan.kind === 'batches' ? (plan.batches[0]?.steps ?? []) : [];
}

/** Runs the plan to its end. Returns the facts after it and every step that was run. */
function run(from: Observation, spec: ClusterSpec): { observation: Observation; steps: Step[] } {
  let observation = from;
  const steps: Step[] = [];
  for (let batches = 0; batches < 12; batches++) {
    const plan = planOf(observation, spec);
    if (plan.kind === 'refused') throw new Error(plan.sentence);
    const batch = plan.kind === 'batches' ? plan.batches[0] : undefined;
    if (batch === undefined) return { observation, steps };
    steps.push(...batch.steps);
    observation = simulate(observation, batch);
  }
  throw new Error('does not end');
}

/** All know all at the addresses that they announce, every replica follows, slots are where they were. */
function expectWhole(observation: Observation, before: Observation): void {
  const state = interpret(observation);
  expect([state.views.length, state.uncovered, state.contested]).toEqual([1, [], []]);
  const answers = observation.replies.flatMap(({ reply }) => (reply.kind === 'answered' ? [reply.answer] : []));
  const addresses = new Map(answers.map((answer) => [answer.myId, answer.config?.['cluster-announce-ip']]));
  for (const answer of answers) {
    for (const line of answer.view) expect(line.ip).toBe(addresses.get(line.nodeId));
    expect(answer.info.primaryLinkUp).not.toBe(false);
  }
  const shardsOf = (one: Observation): unknown =>
    interpret(one).shards.map((shard) => [
      shard.primary?.nodeId,
      shard.slots,
      shard.replicas.map((node) => node.nodeId),
    ]);
  expect(shardsOf(observation)).toEqual(shardsOf(before));
}

describe('planForming of a cluster whose addresses changed', () => {
  test('each replica meets its primary first, then one node meets the others', () => {
    const healthy = healthyObservation();
    const moved = moveNodes(healthy, new Set(allPods(healthy)));
    const plan = planOf(moved);
    expect(plan.kind === 'batches' ? plan.batches.map((batch) => batch.title) : []).toEqual([
      'lead the replicas to their primaries',
      'lead the nodes to each other',
      'wait until all nodes agree',
    ]);
    const pairs = firstSteps(plan).map((step) => (step.kind === 'meet' ? [step.node.pod, step.other.pod] : step.kind));
    expect(pairs).toEqual([
      ['redis-4-0', 'redis-1-0'],
      ['redis-5-0', 'redis-2-0'],
      ['redis-6-0', 'redis-3-0'],
    ]);
    expect(firstSteps(plan)[0]?.reason).toMatch(/^redis-4-0 looks for redis-1-0 at 10\.96\./);
    const next = planOf(simulate(moved, { title: '', steps: firstSteps(plan) }));
    const seeds = firstSteps(next).map((step) => (step.kind === 'meet' ? step.node.pod : step.kind));
    expect(new Set(seeds)).toEqual(new Set(['redis-1-0']));
  });

  test('a replica whose replication looks elsewhere is told its own primary again', () => {
    const healthy = healthyObservation();
    const stale = changed(
      healthy,
      changeAnswer('redis-4-0', (answer) => ({
        ...answer,
        info: { ...answer.info, primaryHost: '10.0.0.9', primaryLinkUp: false },
      })),
    );
    expect(firstSteps(planOf(stale))).toMatchObject([
      {
        kind: 'replicate',
        node: { pod: 'redis-4-0' },
        primary: { pod: 'redis-1-0' },
        reason: 'its replication looks for redis-1-0 at 10.0.0.9',
      },
    ]);
    expectWhole(run(stale, SPEC).observation, healthy);
  });

  test('a link that is only down is waited for: meeting would not mend it', () => {
    const healthy = healthyObservation();
    const down = changed(
      healthy,
      changeAnswer('redis-1-0', (answer) => ({
        ...answer,
        view: answer.view.map((line) => ({ ...line, linkUp: line.flags.includes('myself') })),
      })),
    );
    expect(firstSteps(planOf(down)).map((step) => step.kind)).toEqual(['await-convergence']);
  });

  test('pods of others that came back with new IPs: those are what they are met at', () => {
    const healthy = healthyObservation({ kind: 'foreign' });
    const lost = changed(
      { ...healthy, kube: { ...healthy.kube, pods: healthy.kube.pods.map((pod) => ({ ...pod, ip: `${pod.ip}9` })) } },
      ...allPods(healthy).map((pod) =>
        changeAnswer(pod, (answer) => ({
          ...answer,
          view: answer.view.map((line) => ({ ...line, linkUp: line.flags.includes('myself') })),
          info: { ...answer.info, primaryLinkUp: answer.info.role === 'replica' ? false : null },
        })),
      ),
    );
    const steps = firstSteps(planOf(lost));
    expect([steps.length, ...new Set(steps.map((step) => step.kind))]).toEqual([3, 'meet']);
  });

  const shapes = fc.record({ masters: fc.integer({ min: 3, max: 6 }), replicas: fc.integer({ min: 0, max: 2 }) });

  test('property: whoever moved, it ends in the same cluster, by meeting and replicating alone, killed or not', () => {
    fc.assert(
      fc.property(shapes, fc.infiniteStream(fc.boolean()), fc.boolean(), (shape, coins, all) => {
        const spec = specOf(shape);
        const flips = coins[Symbol.iterator]();
        const flip = (): boolean => flips.next().value === true;
        const healthy = healthyObservation(shape);
        const moved = moveNodes(healthy, new Set(allPods(healthy).filter(() => all || flip())));
        const half = simulate(moved, { title: '', steps: firstSteps(planOf(moved, spec)).filter(flip) });
        for (const start of [moved, half]) {
          const end = run(start, spec);
          expectWhole(end.observation, healthy);
          expect(end.steps.filter(({ kind }) => !['meet', 'replicate', 'await-convergence'].includes(kind))).toEqual(
            [],
          );
        }
      }),
      { numRuns: 40 },
    );
  });
});
