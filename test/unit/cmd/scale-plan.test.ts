/** What `scale` and `rebalance` show: the plan as text and as a document, and how far the moves are. */
import { describe, expect, test } from '@jest/globals';
import { rebalancePlanOf } from '../../../cmd/document/rebalance-plan.ts';
import { scalePlanOf } from '../../../cmd/document/scale-plan.ts';
import { limitsOf, typedLimits } from '../../../cmd/move-limits.ts';
import { createProgress } from '../../../cmd/progress.ts';
import { askShape } from '../../../cmd/scale/interview.ts';
import { pausesInWords } from '../../../cmd/view/move-pauses.ts';
import { rebalancePlanLines } from '../../../cmd/view/rebalance-plan.ts';
import { removalInWords, scalePlanLines } from '../../../cmd/view/scale-plan.ts';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import type { Batch, Step } from '../../../pkg/cluster/model/plan.ts';
import { systemClock } from '../../../pkg/engine/clock.ts';
import type { ObservePorts } from '../../../pkg/engine/observe.ts';
import type { KubePort, RedisPort } from '../../../pkg/engine/ports.ts';
import { prepareRebalance } from '../../../pkg/engine/rebalance.ts';
import { lookBeforeScale, prepareScale, type PreparedScale } from '../../../pkg/engine/scale.ts';
import { expectSchema } from '../../support/expect-schema.ts';
import { ownedOf, worldOf, type World } from '../../support/scale-world.ts';

/** A world as the engine sees it. */
function portsOf(world: World): ObservePorts {
  const { observation } = world;
  const kube: Partial<KubePort> = {
    readFacts: () => Promise.resolve(observation.kube),
    list: (apiVersion, kind) =>
      Promise.resolve(
        ownedOf(world)
          .filter((object) => object.kind === kind)
          .map(({ name, uid }) => ({ apiVersion, kind, metadata: { name, uid } })),
      ),
    get: () => Promise.resolve(null),
  };
  const redis: Partial<RedisPort> = {
    ask: (pod) => {
      const found = observation.replies.find((one) => one.pod === pod.name)?.reply;
      return found === undefined ? Promise.reject(new Error(pod.name)) : Promise.resolve(found);
    },
  };
  return { kube: kube as KubePort, redis: redis as RedisPort, clock: systemClock };
}

const CLUSTER = { namespace: 'default', name: 'redis' };
const LIMITS = { maxPauseMs: 20, maxBandwidth: null };
const signal = new AbortController().signal;
const prepare = async (world: World, masters: number | null, replicas: number | null): Promise<PreparedScale> =>
  prepareScale(await lookBeforeScale(portsOf(world), CLUSTER, signal), { masters, replicas });

describe('the plan of scale', () => {
  test('up, as text: what comes, what moves, what it costs', async () => {
    const prepared = await prepare(worldOf({ hosts: 4 }), 5, null);
    expect(scalePlanLines(prepared, LIMITS, { width: 100, colour: false }).join('\n')).toBe(`\
Scale redis in namespace default from 3 x 2 nodes to 5 x 2 nodes

  SHARD   NODES                 SLOTS   THEN   KEYS
  1       redis-1, redis-4       5461   3277    100
  2       redis-2, redis-5       5462   3277    100
  3       redis-3, redis-6       5461   3277    100
  4       +redis-7, +redis-9        0   3277      0
  5       +redis-8, +redis-10       0   3276      0

  adds        redis-7, redis-8, redis-9 and redis-10, each with 1Gi
  moves       6,553 slots with 120 keys, about 0B: 4 pairs, the first 3277-5460 from shard 1 to 4
  takes       about 3s for the slots; pods take as long as they take
  pauses      the servers move slots by themselves; writes to them wait for some milliseconds when
              the owner changes
  loses       no key; clients are redirected while slots move`);
    expect(removalInWords(prepared.outline)).toBeNull();
    expectSchema('scale-plan', scalePlanOf(prepared));
  });

  test('down: what goes, with its volume', async () => {
    const prepared = await prepare(worldOf({ masters: 4 }), 3, 0);
    expect(removalInWords(prepared.outline)).toBe(
      '5 nodes with their volumes (redis-4, redis-5, redis-6, redis-7 and redis-8)',
    );
    expectSchema('scale-plan', scalePlanOf(prepared));
  });

  test('what cannot work is refused with numbers', async () => {
    const world = worldOf({ masters: 4, replicas: 0 });
    const replies = world.observation.replies.map((one) =>
      one.reply.kind === 'answered'
        ? {
            ...one,
            reply: {
              ...one.reply,
              answer: { ...one.reply.answer, info: { ...one.reply.answer.info, usedMemoryBytes: 90_000_000 } },
            },
          }
        : one,
    );
    const full = { ...world, observation: { ...world.observation, replies } };
    await expect(prepare(full, 3, null)).rejects.toMatchObject({
      code: 'too-little-memory',
      exitCode: 3,
      message: 'Shard 1 would have to hold about 119 MB of at most 100 MB (29 MB would come)',
    });
    await expect(prepare(worldOf({ hosts: 3 }), null, 4)).rejects.toMatchObject({
      code: 'too-few-hosts',
      message: 'Hard anti-affinity needs 5 schedulable hosts (a primary and 4 replicas), and there are 3',
    });
  });

  test('a cluster that create did not make is refused', async () => {
    const world = worldOf({});
    const kube = { ...world.observation.kube, services: [], state: null };
    await expect(prepare({ ...world, observation: { ...world.observation, kube } }, 5, 1)).rejects.toMatchObject({
      code: 'foreign-cluster',
      exitCode: 3,
    });
  });
});

test('the plan of rebalance, as text and as a document', async () => {
  const isThere = (): Promise<void> => Promise.resolve();
  const input = { cluster: CLUSTER, by: 'slots', weights: ['1=2'], thresholdPercent: 2, signal, isThere } as const;
  const prepared = await prepareRebalance(portsOf(worldOf({ replicas: 0 })), input);
  expect(rebalancePlanLines(prepared, LIMITS, { width: null, colour: false }).join('\n')).toBe(`\
Rebalance redis in namespace default by slots

  PRIMARY     WEIGHT   SLOTS   SHARE   GIVES    GETS
  redis-1-0        2   5,461   8,192       0   2,731
  redis-2-0        1   5,462   4,096   1,366       0
  redis-3-0        1   5,461   4,096   1,365       0

  off         the farthest is 50.0 % from its share; 2 % would be near enough
  moves       2,731 slots with 50 keys, about 0B: 2 pairs, the first 9557-10922 (1366) from redis-2-0 to redis-1-0
  takes       about 2s for the slots
  pauses      the servers move slots by themselves; writes to them wait for some milliseconds when the owner changes
  loses       no key; clients are redirected while slots move`);
  expectSchema('rebalance-plan', rebalancePlanOf(prepared));
});

test.each([
  [
    '7.0.15',
    'redis',
    20,
    2e6,
    null,
    'a primary answers nobody for at most 20ms at a time while the target of its slots answers, and for about 1.5s if that falls silent',
  ],
  [
    '7.0.15',
    'redis',
    20,
    90e6,
    null,
    'a primary answers nobody for at most 20ms at a time while the target of its slots answers, and for about 1.5s if that falls silent; a key of more than 977KiB goes alone and takes as long as it takes, about 3s for 100MiB',
  ],
  ['8.4.0', 'redis', 20, 90e6, null, expect.stringMatching(/^the servers move slots by themselves/)],
  ['9.1.2', 'valkey', 20, 90e6, null, expect.stringMatching(/^the servers move slots by themselves/)],
  ['9.1.2', 'valkey', 5, 90e6, 1e6, expect.stringContaining('a key of more than 256KiB goes alone')],
  ['8.2.1', 'redis', 20, 2e6, null, expect.stringMatching(/^a primary answers nobody/)],
] as const)(
  'pauses: %s of %s, %d ms, %d bytes, bandwidth %p',
  (version, product, maxPauseMs, used, maxBandwidth, said) => {
    const nodes = interpret(worldOf({}).observation).nodes.map((node) => {
      if (node.reply?.kind !== 'answered') return node;
      const { answer } = node.reply;
      const info = { ...answer.info, version, product, usedMemoryBytes: used };
      return { ...node, reply: { ...node.reply, answer: { ...answer, info } } };
    });
    expect(pausesInWords({ nodes }, { maxPauseMs, maxBandwidth })).toEqual(said);
  },
);

test.each([
  ['10M', 10_000_000],
  ['1.5Mi', 1_572_864],
  ['500k', 500_000],
])('--max-bandwidth %s', (typed, bytes) => {
  const flags = { 'max-pause': 20, 'max-bandwidth': typed, parallel: undefined };
  expect([limitsOf(flags), typedLimits(flags)]).toEqual([
    { maxPauseMs: 20, maxBandwidth: bytes },
    ` --max-bandwidth ${typed}`,
  ]);
});

test.each(['', '10', 'fast', '-1M', '1T'])('--max-bandwidth %s is wrong usage', (typed) => {
  expect(() => limitsOf({ 'max-pause': 20, 'max-bandwidth': typed, parallel: undefined })).toThrow(
    expect.objectContaining({ exitCode: 2 }),
  );
});

test('a person is asked for the shape; Enter keeps what is there', async () => {
  const asked: string[] = [];
  const answers = ['', '2'];
  const text = (question: string, fallback: string, check: (answer: string) => string | null): Promise<string> => {
    asked.push(`${question} [${fallback}]`);
    expect([check('two'), check('1')].every((wrong) => wrong === null)).toBe(false);
    return Promise.resolve(answers.shift() || fallback);
  };
  expect(await askShape({ text }, { masters: 3, replicas: 1 })).toEqual({ masters: 3, replicas: 2 });
  expect(asked).toEqual(['Primaries (shards) [3]', 'Replicas of each primary [1]']);
});

describe('progress of moves', () => {
  const move = (target: string): Step => ({
    kind: 'move-slots',
    source: { nodeId: 'a', pod: 'redis-1-0' },
    target: { nodeId: target, pod: `redis-${target}-0` },
    ranges: [{ start: 0, end: 999 }],
    reason: '1000 slots',
  });
  const [one, other] = [move('4'), move('15')];
  const batch: Batch = { title: 'move slots', steps: [one, other] };
  const SLOT_BY_SLOT = [
    [one, 250, 0],
    [other, 500, 0],
    [one, 1000, 0],
    [other, 1000, 0],
  ] as const;
  const run = (live: boolean, reports: readonly (readonly [Step, number, number])[] = SLOT_BY_SLOT): string => {
    let said = '';
    let now = 0;
    const progress = createProgress({
      say: (text) => (said += text),
      live,
      width: 120,
      colour: false,
      now: () => now,
    });
    progress.report({ kind: 'batch', batch });
    for (const [step, slots, arriving] of reports) {
      now += 2000;
      const [keys, bytes] = [2 * (slots + arriving), 1000 * (slots + arriving)];
      if (step.kind === 'move-slots')
        progress.report({ kind: 'moving', step, progress: { slots, keys, bytes, arriving } });
    }
    progress.end();
    return said;
  };

  test('on a terminal: a bar for each pair and one for all, drawn over again, and gone at the end', () => {
    const frames = run(true).split('\r\u001B[2A\u001B[J');
    expect(frames[1]?.split('\n').slice(0, 3)).toEqual([
      '  redis-1-0 -> redis-4-0   █████░░░░░░░░░░░░░░░ 250 of 1000 slots, 500 keys',
      '  redis-1-0 -> redis-15-0  ██████████░░░░░░░░░░ 500 of 1000 slots, 1,000 keys',
      expect.stringMatching(
        /^ {2}move slots {15}███████░░░░░░░░░░░░░ 750 of 2000 slots \(37 %\), 1,500 keys, 183KiB\/s, 6s left/,
      ),
    ]);
    expect(frames.at(-1)).toBe('');
  });

  test('elsewhere: a line when a tenth more has been done', () => {
    expect(run(false).trim().split('\n')).toEqual([
      '250 of 2000 slots (12 %), 500 keys, 122KiB/s, 14s left',
      '  750 of 2000 slots (37 %), 1,500 keys, 183KiB/s, 6s left',
      '  1500 of 2000 slots (75 %), 3,000 keys, 244KiB/s, 2s left',
      '  2000 of 2000 slots (100 %), 4,000 keys, 244KiB/s',
    ]);
  });

  test('a server that changes the owner of all slots at the end: bar, percent and time left follow what has arrived', () => {
    const reports = [
      [one, 0, 500],
      [one, 1000, 0],
      [other, 1000, 0],
    ] as const;
    expect(run(true, reports).split('\r\u001B[2A\u001B[J')[0]).toContain(
      '██████████░░░░░░░░░░ 0 of 1000 slots, 1,000 keys',
    );
    expect(run(false, reports).trim().split('\n')).toEqual([
      '0 of 2000 slots (25 %), 1,000 keys, 244KiB/s, 6s left',
      '  1000 of 2000 slots (50 %), 2,000 keys, 244KiB/s, 4s left',
      '  2000 of 2000 slots (100 %), 4,000 keys, 326KiB/s',
    ]);
  });
});
