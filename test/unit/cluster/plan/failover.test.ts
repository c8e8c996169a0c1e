/** Who takes over from whom, what is refused, and what it could cost (law L7). */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { evidenceOf } from '../../../../pkg/cluster/evidence/evidence.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Loss } from '../../../../pkg/cluster/model/loss.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import {
  chooseFailover,
  planFailover,
  type FailoverChoice,
  type FailoverWish,
} from '../../../../pkg/cluster/plan/failover.ts';
import {
  failoverFingerprint,
  failoverLoss,
  type FailoverSeen,
} from '../../../../pkg/cluster/plan/failover-preflight.ts';
import { simulate } from '../../../../pkg/cluster/plan/simulate.ts';
import {
  changeAnswer,
  changeLines,
  changePod,
  changed,
  idOf,
  type Change,
} from '../../../support/observation-changes.ts';
import {
  heard,
  lacksKeys,
  openSlot,
  replicaLinkDown,
  replicasLoseLink,
  unreachable,
} from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';

const two = healthyObservation({ replicas: 2, hosts: 6 });
const wish = (who: string, change: Partial<FailoverWish> = {}): FailoverWish => ({
  who,
  to: null,
  how: 'coordinated',
  ...change,
});
const see = (observation: Observation, replicaKeys?: ReadonlyMap<string, number>): FailoverSeen => {
  const state = interpret(observation);
  return { state, evidence: evidenceOf(state, observation.kube, replicaKeys) };
};
const choose = (observation: Observation, wanted: FailoverWish): FailoverChoice =>
  chooseFailover(see(observation), wanted);

const info = (pod: string, change: object): Change =>
  changeAnswer(pod, (answer) => ({ ...answer, info: { ...answer.info, ...change } }));
/** It does not answer, all others have it down for failed, and its pod is gone from the host. */
const dead =
  (pod: string): Change =>
  (observation) =>
    changed(
      observation,
      unreachable(pod, 'refused', 'fail'),
      changePod(pod, (facts) => ({ ...facts, ready: false })),
    );

/** `redis-4-0 < redis-1-0`, or the code of what else came of it. */
function inShort(choice: FailoverChoice): string {
  switch (choice.kind) {
    case 'goal':
      return `${choice.goal.node.pod} < ${choice.goal.primary.pod}`;
    case 'leads':
      return `${choice.node.pod} leads`;
    case 'refused':
      return choice.code;
    default:
      return choice satisfies never;
  }
}

describe('who takes over', () => {
  test.each([
    ['a replica that was named', two, wish('redis-7-0'), 'redis-7-0 < redis-1-0'],
    ['by the name of its node', two, wish('redis-7'), 'redis-7-0 < redis-1-0'],
    ['by its id', two, wish(idOf(two, 'redis-7-0')), 'redis-7-0 < redis-1-0'],
    [
      'of a primary: the best of its replicas',
      changed(two, info('redis-7-0', { replicationOffset: 5000 })),
      wish('redis-1-0'),
      'redis-7-0 < redis-1-0',
    ],
    ['of two as good: always the same', two, wish('redis-1-0'), 'redis-4-0 < redis-1-0'],
    [
      'not the one without a link',
      changed(two, info('redis-4-0', { primaryLinkUp: false, replicationOffset: 9000 })),
      wish('redis-1-0'),
      'redis-7-0 < redis-1-0',
    ],
    ['who was named to take over', two, wish('redis-1-0', { to: 'redis-7-0' }), 'redis-7-0 < redis-1-0'],
    ['nobody, where that one leads', two, wish('redis-4-0', { to: 'redis-1-0' }), 'redis-1-0 leads'],
    ['not the replica of somebody else', two, wish('redis-1-0', { to: 'redis-5-0' }), 'not-its-replica'],
    ['nobody of that name', two, wish('redis-77-0'), 'node-unknown'],
    ['nobody, where there is no replica', healthyObservation({ replicas: 0 }), wish('redis-1-0'), 'no-replica'],
  ])('%s', (_, observation, wanted, expected) => {
    expect(inShort(choose(observation, wanted))).toBe(expected);
  });
});

describe('a coordinated one is refused', () => {
  const one = healthyObservation();
  test.each([
    ['without a link', changed(one, replicaLinkDown('redis-4-0')), 'link-down'],
    ['while it copies', changed(one, info('redis-4-0', { syncInProgress: true })), 'replica-syncing'],
    ['far behind', changed(one, info('redis-1-0', { replicationOffset: 60_000_000 })), 'lag-too-large'],
    ['with fewer keys', changed(one, lacksKeys('redis-4-0', 'redis-1-0', 3)), 'replica-incomplete'],
    ['without any key', changed(one, info('redis-4-0', { keys: 0 })), 'replica-incomplete'],
    ['while it loads', changed(one, unreachable('redis-4-0', 'loading', 'up')), 'replica-loading'],
    ['when it does not answer', changed(one, unreachable('redis-4-0', 'timeout', 'up')), 'replica-silent'],
    ['when the primary does not answer', changed(one, dead('redis-1-0')), 'primary-silent'],
    ['when slots are being moved', changed(one, openSlot(7, 'redis-1-0', 'redis-2-0')), 'slots-open'],
    ['without a majority', changed(one, dead('redis-2-0'), dead('redis-3-0')), 'no-majority'],
    [
      'when it follows nobody that is known',
      changed(
        one,
        changeLines((line, viewer) =>
          viewer === 'redis-4-0' && line.flags.includes('myself') ? { ...line, primaryId: 'e'.repeat(40) } : line,
        ),
      ),
      'replica-orphaned',
    ],
  ])('%s', (_, observation, code) => {
    expect(inShort(choose(observation, wish('redis-4-0')))).toBe(code);
  });
});

describe('a replica with less memory than its primary', () => {
  const memory = (pod: string, used: number, max: number): Change =>
    changeAnswer(pod, (answer) => ({
      ...answer,
      info: { ...answer.info, usedMemoryBytes: used, maxMemoryBytes: max, maxMemoryPolicy: 'allkeys-lru' },
    }));
  const sentenceOf = (...changes: Change[]): string | undefined => {
    const observation = changed(healthyObservation(), ...changes);
    const choice = choose(observation, wish('redis-4-0'));
    return choice.kind === 'goal' ? failoverLoss(see(observation), choice.goal)?.sentence : choice.kind;
  };

  test('evicts what is beyond it as soon as it leads: that is a loss', () => {
    expect(sentenceOf(memory('redis-4-0', 3e6, 2e6))).toMatch(
      /slots 0-5460: redis-4-0 uses 3000000 bytes, and as a primary it would evict what is beyond 2000000 \(allkeys-lru\)/,
    );
    expect(sentenceOf(memory('redis-1-0', 3e6, 4e6), memory('redis-4-0', 3e6, 2e6))).toBeDefined();
  });

  test('a full cache is as small by its own limit: nothing is lost by the other', () => {
    expect(sentenceOf(memory('redis-1-0', 2e6, 2e6), memory('redis-4-0', 2.1e6, 2e6))).toBeUndefined();
    expect(sentenceOf(memory('redis-4-0', 1e6, 2e6))).toBeUndefined();
  });

  test('a limit that spared keys which do not expire is not as small: another policy takes those, too', () => {
    const spares = changeAnswer('redis-1-0', (answer) => ({
      ...answer,
      info: { ...answer.info, usedMemoryBytes: 3e6, maxMemoryBytes: 2e6, maxMemoryPolicy: 'volatile-lru' },
    }));
    expect(sentenceOf(spares, memory('redis-4-0', 3e6, 2e6))).toContain(
      'would evict what is beyond 2000000 (allkeys-lru)',
    );
  });
});

describe('without the primary', () => {
  const lossOf = (
    observation: Observation,
    how: 'force' | 'takeover',
    replicaKeys?: ReadonlyMap<string, number>,
  ): Loss | null => {
    const choice = choose(observation, wish('redis-4-0', { how }));
    if (choice.kind !== 'goal') throw new Error(inShort(choice));
    return failoverLoss(see(observation, replicaKeys), choice.goal);
  };
  const one = healthyObservation();
  const lost = (pod: string): Change[] => [dead(pod), replicasLoseLink(pod, 30), heard(pod, 30_000)];
  const noMajority = changed(one, ...lost('redis-1-0'), ...lost('redis-2-0'));

  test('dead by three witnesses, with a replica that was in step: elected, and nothing is asked', () => {
    expect(lossOf(changed(one, ...lost('redis-1-0')), 'force')).toBeNull();
  });

  test.each([
    ['that answers', [], 'redis-1-0 answers'],
    [
      'to which only the tunnel broke',
      [unreachable('redis-1-0', 'tunnel', 'fail')],
      'only the way to it may be broken',
    ],
    ['that the others hear', [unreachable('redis-1-0', 'refused', 'up')], '0 of 5 other nodes have redis-1-0 down'],
    ['to which the replica still has a link', [dead('redis-1-0')], 'redis-4-0 still has a link'],
    ['that loads its data (K13)', [unreachable('redis-1-0', 'loading', 'fail')], 'redis-1-0 runs (loading'],
  ])('%s: it needs consent for its slots', (_, changes, why) => {
    const loss = lossOf(changed(one, ...changes), 'force');
    expect(loss?.sentence).toContain(why);
    expect(loss?.slots).toEqual([{ start: 0, end: 5460 }]);
  });

  test('K5: a replica that is hours old needs consent that names slots, time and keys', () => {
    const old = changed(one, dead('redis-1-0'), replicasLoseLink('redis-1-0', 7200), heard('redis-1-0', 60_000));
    const loss = lossOf(old, 'force', new Map([[idOf(one, 'redis-4-0'), 101]]));
    expect(loss).toMatchObject({ slots: [{ start: 0, end: 5460 }], keys: null, seconds: 7140 });
    expect(loss?.sentence).toBe(
      'writes of 7140 s to slots 0-5460, which redis-4-0 has not (redis-1-0 may come back with it; redis-4-0 has 101 keys)',
    );
  });

  test('K5: a replica that never had a link needs consent, also where the primary lives', () => {
    const never = info('redis-4-0', { primaryLinkUp: false, primaryLinkDownSeconds: null, keys: 0 });
    const noKeys = new Map([[idOf(one, 'redis-4-0'), 0]]);
    expect(lossOf(changed(one, never), 'force', noKeys)).toMatchObject({ keys: 100 });
    const loss = lossOf(changed(one, never, dead('redis-1-0')), 'force', noKeys);
    expect(loss?.sentence).toMatch(/^every key that was written to slots 0-5460, which redis-4-0 has not/);
  });

  test('a replica that was told to follow it and still has the data of another needs consent', () => {
    const other = 'f'.repeat(40);
    const strange = changed(
      one,
      ...lost('redis-1-0'),
      info('redis-2-0', { replicationId: other }),
      info('redis-4-0', { replicationId: other }),
    );
    expect(lossOf(strange, 'force')?.sentence).toMatch(/^every key that was written/);
  });

  test('a sibling that has more needs consent, too', () => {
    const siblings = changed(
      two,
      dead('redis-1-0'),
      heard('redis-1-0', 30_000),
      info('redis-4-0', { primaryLinkUp: false, primaryLinkDownSeconds: 40 }),
      info('redis-7-0', { primaryLinkUp: false, primaryLinkDownSeconds: 40, replicationOffset: 1900 }),
    );
    expect(lossOf(siblings, 'force')?.sentence).toContain('redis-7-0 has 900 bytes more');
  });

  test('K3: a sibling that can not be asked may have more', () => {
    const silent = changed(
      two,
      dead('redis-1-0'),
      heard('redis-1-0', 30_000),
      info('redis-4-0', { primaryLinkUp: false, primaryLinkDownSeconds: 40 }),
      unreachable('redis-7-0', 'tunnel', 'up'),
    );
    expect(lossOf(silent, 'force')?.sentence).toContain("redis-7-0 can't be asked, and may have more");
  });

  test('without a majority nobody is elected, and --takeover needs no vote', () => {
    expect(inShort(choose(noMajority, wish('redis-4-0', { how: 'force' })))).toBe('no-majority');
    const suspected = changed(
      noMajority,
      changeLines((line) => (line.flags.includes('fail') ? { ...line, flags: ['master', 'fail?'] } : line)),
    );
    expect(lossOf(suspected, 'takeover')).toBeNull();
    expect(lossOf(changed(one, ...lost('redis-1-0')), 'takeover')?.sentence).toContain('--force is enough');
  });

  test('what was agreed to: ages and offsets may grow, but not what the decision hangs on', () => {
    const of = (observation: Observation): string => {
      const choice = choose(observation, wish('redis-4-0', { how: 'force' }));
      if (choice.kind !== 'goal') throw new Error(inShort(choice));
      return failoverFingerprint(see(observation), choice.goal);
    };
    const shown = changed(two, ...lost('redis-1-0'));
    expect(of(changed(shown, replicasLoseLink('redis-1-0', 90), heard('redis-1-0', 90_000)))).toBe(of(shown));
    const changes: readonly Change[] = [
      unreachable('redis-7-0', 'tunnel', 'up'),
      unreachable('redis-1-0', 'loading', 'fail'),
      replicasLoseLink('redis-1-0', 95),
    ];
    for (const change of changes) expect(of(changed(shown, change))).not.toBe(of(shown));
  });
});

test('planned again it is done, in any cluster, and never hands the role back', () => {
  const some = fc.record({ masters: fc.integer({ min: 3, max: 6 }), replicas: fc.integer({ min: 1, max: 3 }) });
  fc.assert(
    fc.property(some, fc.nat(), (shape, number) => {
      const start = healthyObservation({ ...shape, hosts: 8 });
      const pods = start.kube.pods.map(({ name }) => name);
      const choice = choose(start, wish(pods[number % pods.length] ?? ''));
      if (choice.kind !== 'goal') throw new Error(inShort(choice));
      const plan = planFailover(see(start), choice.goal);
      const [batch] = plan.kind === 'batches' ? plan.batches : [];
      if (batch === undefined) throw new Error(plan.kind);
      const end = see(simulate(start, batch));
      expect(planFailover(end, choice.goal).kind).toBe('nothing');
      const leads = end.state.nodes.find(({ pod }) => pod?.name === choice.goal.node.pod);
      expect(leads?.slots).toEqual(
        interpret(start).nodes.find(({ pod }) => pod?.name === choice.goal.primary.pod)?.slots,
      );
    }),
    { numRuns: 40 },
  );
});
