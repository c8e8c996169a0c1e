/** `fix` where nobody can be asked: a loss that turns up after the plan was shown is left, whatever `--takeover` allows. */
import { expect, test } from '@jest/globals';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../pkg/cluster/model/observation.ts';
import type { SlotRanges } from '../../../pkg/cluster/model/slots.ts';
import { planFix } from '../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import { runFix } from '../../../pkg/engine/fix.ts';
import type { ObservePorts } from '../../../pkg/engine/observe.ts';
import type { RedisCommand } from '../../../pkg/engine/ports.ts';
import { heldClock } from '../../support/fake-clock.ts';
import { createObjectStore } from '../../support/fake-kube.ts';
import { changed, type Change } from '../../support/observation-changes.ts';
import { heard, replicasLoseLink, unreachable } from '../../support/observation-faults.ts';
import { healthyObservation } from '../../support/observation.ts';

/** Its replica was in step: what --takeover loses is what nobody had received. */
const dead = (pod: string): Change[] => [
  replicasLoseLink(pod, 30),
  heard(pod, 30_000),
  unreachable(pod, 'not-running', 'fail?'),
];
const ofFive = healthyObservation({ masters: 5 });
const three = changed(ofFive, ...['redis-1-0', 'redis-2-0', 'redis-3-0'].flatMap(dead));
/** Meanwhile another one has died. */
const four = changed(three, ...dead('redis-4-0'));

/** @returns who was told to take over, and what was said */
async function fixWithout(shown: Observation, now: Observation, typed: SlotRanges): Promise<[string[], string]> {
  const policy = { ...NO_POLICY, takeover: true, acceptDataLoss: typed };
  const clock = heldClock(Date.parse(now.observedAt));
  const [sent, said]: [string[], string[]] = [[], []];
  const [stop, over] = [new AbortController(), new AbortController()];
  const run = (pod: { readonly name: string }, commands: readonly RedisCommand[]): Promise<unknown[]> => {
    if (commands.some(([, sub]) => sub === 'FAILOVER')) {
      sent.push(pod.name);
      stop.abort();
    }
    const reply = now.replies.find((one) => one.pod === pod.name)?.reply;
    const myId = reply?.kind === 'answered' ? reply.answer.myId : '';
    return Promise.resolve(commands.map(([, sub]) => (sub === 'MYID' ? myId : 1)));
  };
  const ports = {
    kube: { ...createObjectStore(), namespace: 'default', logTail: async () => [], readFacts: async () => now.kube },
    redis: {
      ask: async ({ name }: { readonly name: string }) => now.replies.find(({ pod }) => pod === name)?.reply,
      run,
      close: () => undefined,
    },
    clock,
  } as unknown as ObservePorts;
  const fixing = runFix(ports, {
    cluster: now.cluster,
    policy,
    signal: stop.signal,
    mover: { move: async () => Promise.reject(new Error('moves slots')), lacks: async () => null },
    strays: { settle: async () => Promise.reject(new Error('settles strays')) },
    limits: { maxPauseMs: 10, maxBandwidth: null },
    report: (event) => void (event.kind === 'trouble' && said.push(event.sentence)),
    skip: new Set(),
    named: planFix(interpret(shown), policy, { observation: shown, slotKeys: null }),
  });
  fixing.catch(() => undefined).finally(() => over.abort());
  for (let seconds = 0; seconds < 60 && !over.signal.aborted; seconds++) await clock.pass(1_000);
  stop.abort();
  return [[...new Set(sent)], said.join('\n')];
}

test('what was named is done', async () => {
  const [sent] = await fixWithout(three, three, []);
  expect(sent).toEqual(['redis-6-0']);
});

test('a shard that was not named is left, and said', async () => {
  const [sent, said] = await fixWithout(three, four, []);
  expect(sent).toEqual([]);
  expect(said).toMatch(
    /^no-quorum is left: .*would lose .* that redis-9-0 had not received, which the plan did not name/m,
  );
});

test('unless its slots were typed', async () => {
  const [sent] = await fixWithout(three, four, [{ start: 0, end: 16383 }]);
  expect(sent).toEqual(['redis-6-0']);
});
