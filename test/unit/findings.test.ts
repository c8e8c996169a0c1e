/**
 * Rows of the first findings whose other tests meet another interface on the code in which they were found: here each is asked so that it
 * can be asked there, too (test/findings/run.mjs).
 */
import { expect, test } from '@jest/globals';
import { interpret } from '../../pkg/cluster/interpret.ts';
import type { Observation } from '../../pkg/cluster/model/observation.ts';
import type { Plan, Step } from '../../pkg/cluster/model/plan.ts';
import { compareNatural } from '../../pkg/cluster/natural-order.ts';
import { NO_POLICY } from '../../pkg/cluster/plan/fix/fix-plan.ts';
import { planRebalance, readWeights, type RebalanceInput } from '../../pkg/cluster/plan/rebalance.ts';
import { planScale } from '../../pkg/cluster/plan/scale.ts';
import { simulate } from '../../pkg/cluster/plan/simulate.ts';
import { runFix } from '../../pkg/engine/fix.ts';
import type { ObservePorts } from '../../pkg/engine/observe.ts';
import type { Clock, RedisCommand } from '../../pkg/engine/ports.ts';
import { applyStep, type ApplyDeps } from '../../pkg/engine/steps/apply.ts';
import { heldClock, movingClock } from '../support/fake-clock.ts';
import { createObjectStore } from '../support/fake-kube.ts';
import { changeAnswer, changeKube, changePod, changed, type Change } from '../support/observation-changes.ts';
import { failedOver } from '../support/observation-failover.ts';
import { heard, openSlot, replicaLinkDown, replicasLoseLink, unreachable } from '../support/observation-faults.ts';
import { healthyObservation } from '../support/observation.ts';
import { ownedOf, recordedOf, runBatch, worldOf, type World } from '../support/scale-world.ts';
import { runVerb } from '../support/verb-world.ts';

/** What is remembered of a cluster, where that code looks for it, too. */
const remembered: Change = changeKube((kube) => ({
  ...kube,
  config: { ...kube.config, ...kube.state, formed: 'true' },
}));

const NEVER = new AbortController().signal;

/** Nodes that answer as they were seen; `sent` are commands that change something. */
function portsOn(clock: Clock, seen: () => Observation, sent: string[] = []): ObservePorts {
  const run = (pod: { readonly name: string }, commands: readonly RedisCommand[]): Promise<unknown[]> => {
    for (const [verb = '', sub = ''] of commands.map((words) => words.map(String)))
      if (/^(FAILOVER|SETSLOT|FORGET|REPLICATE|MEET)$/.test(sub)) sent.push(`${pod.name} ${verb} ${sub}`);
    const reply = seen().replies.find((one) => one.pod === pod.name)?.reply;
    const myId = reply?.kind === 'answered' ? reply.answer.myId : '';
    return Promise.resolve(commands.map(([, sub]) => (sub === 'MYID' ? myId : 0)));
  };
  return {
    kube: { ...createObjectStore(), namespace: 'default', logTail: async () => [], readFacts: async () => seen().kube },
    redis: {
      ask: async ({ name }: { readonly name: string }) => seen().replies.find(({ pod }) => pod === name)?.reply,
      run,
      close: () => undefined,
    },
    clock,
  } as unknown as ObservePorts;
}

test('K4: what heals while a person reads is not repaired after the answer', async () => {
  const whole = changed(healthyObservation(), remembered);
  let now = changed(whole, openSlot(7, 'redis-1-0', 'redis-2-0', 'importing'));
  const sent: string[] = [];
  const asked: string[] = [];
  const clock = heldClock(Date.parse(whole.observedAt));
  const stop = new AbortController();
  const over = new AbortController();
  const run = runFix(
    portsOn(clock, () => now, sent),
    {
      cluster: whole.cluster,
      policy: NO_POLICY,
      signal: stop.signal,
      mover: { move: async () => Promise.reject(new Error('moves slots')), lacks: async () => null },
      strays: { settle: async () => Promise.reject(new Error('settles strays')) },
      limits: { maxPauseMs: 10, maxBandwidth: null },
      report: () => undefined,
      skip: new Set(),
      consent: async ({ code }) => {
        asked.push(code);
        now = whole;
        return true;
      },
    },
  );
  run.catch(() => undefined).finally(() => over.abort());
  for (let seconds = 0; seconds < 60 && !over.signal.aborted; seconds++) await clock.pass(1_000);
  stop.abort();
  expect({ asked: asked.length > 0, sent }).toEqual({ asked: true, sent: [] });
});

test('K5: failover --force onto a replica that is hours old, and nobody to ask: nothing is begun', async () => {
  const old = changed(
    healthyObservation(),
    remembered,
    unreachable('redis-1-0', 'refused', 'fail'),
    changePod('redis-1-0', (pod) => ({ ...pod, ready: false })),
    replicasLoseLink('redis-1-0', 7200),
    heard('redis-1-0', 60_000),
  );
  const { writes, stderr } = await runVerb(['failover', 'redis-4-0', '--force'], { observation: old });
  expect(writes).toEqual([]);
  expect(stderr).toContain('--accept-data-loss 0-5460');
});

test('K14: a primary that can not be asked is not removed', () => {
  const plan = (world: World): Plan => {
    const observation = changed(world.observation, remembered);
    const input = { state: interpret(observation), kube: observation.kube, owned: ownedOf(world), agreedToGo: null };
    return planScale({ ...input, recorded: recordedOf(world), wanted: { masters: 3, replicas: 0 } });
  };
  const stepsOf = (made: Plan): readonly Step[] => (made.kind === 'batches' ? (made.batches[0]?.steps ?? []) : []);
  let world = worldOf({ masters: 4, replicas: 0 });
  for (let n = 0; n < 40 && stepsOf(plan(world)).every(({ kind }) => kind !== 'remove-object'); n++)
    world = runBatch(world, { title: '', steps: stepsOf(plan(world)) });
  const silent = { ...world, observation: changed(world.observation, unreachable('redis-4-0', 'timeout', 'fail')) };
  expect(stepsOf(plan(world)).map(({ kind }) => kind)).toContain('remove-object');
  expect(stepsOf(plan(silent)).map(({ kind }) => kind)).not.toContain('remove-object');
});

test('C1: a replica that copies for five minutes is waited for', async () => {
  const whole = changed(healthyObservation(), remembered);
  const clock = movingClock();
  const copying = (): Observation =>
    changed(
      whole,
      replicaLinkDown('redis-6-0'),
      changeAnswer('redis-6-0', (answer) => ({
        ...answer,
        info: { ...answer.info, syncInProgress: true, copied: Math.floor(clock.at / 10_000) },
      })),
    );
  const ports = portsOn(clock, () => (clock.at < 300_000 ? copying() : whole));
  const deps = { ...ports, report: () => undefined, signal: NEVER, podsTimeoutMs: 120_000 };
  const wait: Step = { kind: 'await-convergence', pods: whole.kube.pods.map(({ name }) => name), reason: '' };
  const end = applyStep(deps as unknown as ApplyDeps, wait, whole);
  await expect(end).resolves.toBeUndefined();
});

test('C4: a weight of 0 stays that of the shard when its primary changes in the middle of the run', () => {
  const start = changed(healthyObservation(), remembered);
  const weights = readWeights(['redis-2-0=0'], interpret(start));
  let observation = changed(start, failedOver('redis-5-0'));
  for (let n = 0; n < 10; n++) {
    const input = { state: interpret(observation), by: 'slots', weights, thresholdPercent: 0, measured: null };
    const plan = planRebalance(input as unknown as RebalanceInput);
    if (plan.kind !== 'batches') break;
    observation = plan.batches.reduce((now, batch) => simulate(now, batch), observation);
  }
  const owners = interpret(observation).nodes.flatMap(({ pod, slots }) => (slots.length > 0 ? [pod?.name ?? ''] : []));
  expect(owners.toSorted(compareNatural)).toEqual(['redis-1-0', 'redis-3-0']);
});
