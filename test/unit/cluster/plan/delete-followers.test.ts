import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { ServerInfo } from '../../../../pkg/cluster/model/observation.ts';
import { lossOfDelete } from '../../../../pkg/cluster/plan/delete-refuse.ts';
import { changeAnswer, changed, changeKube, changePod, type Change } from '../../../support/observation-changes.ts';
import { config, every, heard, podGone, replicasLoseLink, unreachable } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';

type Directives = Readonly<Record<string, string>>;
type Lost = ReturnType<typeof lossOfDelete>;

const LOG: Directives = {};
const DUMPS: Directives = { appendonly: 'no', save: '3600 1' };
const PRIMARY = 'redis-1-0';
const REPLICA = 'redis-4-0';
const SLOTS = [{ start: 0, end: 5460 }];

const info = (pod: string, some: Partial<ServerInfo>): Change =>
  changeAnswer(pod, (answer) => ({ ...answer, info: { ...answer.info, ...some } }));
const dumps =
  (pod: string): Change =>
  (seen) =>
    changed(seen, info(pod, { aofEnabled: false }), config(pod, 'save', '3600 1'));
const down: Change = (seen) => changed(seen, replicasLoseLink(PRIMARY), unreachable(PRIMARY, 'not-running'));
const waiting: Change = (seen) => changed(seen, replicasLoseLink(PRIMARY), unreachable(PRIMARY, 'guard-waiting'));
const gone: Change = (seen) => changed(seen, replicasLoseLink(PRIMARY), podGone(PRIMARY));
const terminating = (pod: string): Change => changePod(pod, (facts) => ({ ...facts, terminating: true }));
const noSet = (...names: readonly string[]): Change =>
  changeKube((kube) => ({ ...kube, statefulSets: kube.statefulSets.filter(({ name }) => !names.includes(name)) }));
const noClaim: Change = changeKube((kube) => ({
  ...kube,
  claims: kube.claims.filter(({ name }) => name !== `data-${PRIMARY}`),
}));

function lost(directives: Directives | null, ...changes: readonly Change[]): Lost {
  const start = healthyObservation({ keysPerShard: 5, replicas: 2 });
  const seen = changed(start, ...changes);
  return lossOfDelete(interpret(seen), seen.kube, directives);
}

/** redis-4-0 is the only one that follows redis-1-0. */
const alone: Change = (seen) => changed(seen, podGone('redis-7-0'), noSet('redis-7'));

describe('lossOfDelete, where a primary does not answer and its replicas do', () => {
  const dumped = every(dumps);

  test('A: it comes back with an older snapshot, and the replica copies that', () => {
    const loss = lost(DUMPS, alone, dumped, down);
    expect(loss).toMatchObject({ slots: SLOTS, keys: null, seconds: null });
    expect(loss?.sentence).toBe(
      'an unknown number of keys of shard 1, slots 0-5460: redis-4-0 may have more than the volume of redis-1-0' +
        ', which keeps no append-only file as far as is known, and would copy it at the next start',
    );
    expect(lost(DUMPS, alone, dumped, gone)).toMatchObject({ slots: SLOTS, keys: null });
    expect(lost(null, alone, dumped, down)).toMatchObject({ slots: SLOTS });
  });

  test('A: a replica that runs and is silent may have more, one that does not run was stopped before', () => {
    expect(lost(DUMPS, alone, dumped, down, unreachable(REPLICA, 'timeout'))).toMatchObject({ slots: SLOTS });
    expect(lost(DUMPS, alone, dumped, down, unreachable(REPLICA, 'not-running'))).toBeNull();
    expect(lost(DUMPS, dumped, down, unreachable(REPLICA, 'not-running'))?.sentence).toContain('redis-7-0 may have');
  });

  test('B: its volume is empty, and the replica writes no log though its next start reads only one', () => {
    const loss = lost(LOG, alone, waiting, info(REPLICA, { aofEnabled: false }));
    expect(loss).toMatchObject({ slots: SLOTS, keys: null });
    expect(loss?.sentence).toContain('redis-4-0 keeps none on disk (it runs with appendonly no');
    expect(loss?.sentence).toContain('and the volume of redis-1-0 has none');
  });

  test('B: a replica that keeps its keys leads in the place of an empty one: nothing is lost', () => {
    expect(lost(LOG, alone, waiting)).toBeNull();
    expect(lost(DUMPS, alone, dumped, waiting)).toBeNull();
    expect(lost(LOG, alone, waiting, unreachable(REPLICA, 'timeout'))?.sentence).toContain('may keep none on disk');
  });

  test('B: another replica that keeps as much is enough, one that has less is not', () => {
    const off = info(REPLICA, { aofEnabled: false });
    const link = { primaryLinkUp: false, primaryLinkDownSeconds: 30 };
    const since = (seconds: number): Change => info('redis-7-0', { ...link, primaryLinkDownSeconds: seconds });
    expect(lost(LOG, waiting, heard(PRIMARY, 30_000), off, since(30))).toBeNull();
    expect(lost(LOG, waiting, heard(PRIMARY, 30_000), off, since(3600))).toMatchObject({ slots: SLOTS });
  });

  test('C: there is no pod of it, so nobody knows what its volume has', () => {
    const off = info(REPLICA, { aofEnabled: false });
    expect(lost(LOG, alone, gone, off)?.sentence).toContain('may have more than the volume of redis-1-0');
    expect(lost(LOG, alone, gone, noClaim, off)?.sentence).toContain('the volume of redis-1-0 has none');
    const pending = changePod(PRIMARY, (facts) => ({ ...facts, phase: 'Pending' }));
    expect(lost(LOG, alone, down, pending, off)).toMatchObject({ slots: SLOTS });
    expect(lost(LOG, alone, gone)).toBeNull();
    expect(lost(LOG, alone, gone, noClaim)).toBeNull();
    expect(lost(LOG, alone, gone, unreachable(REPLICA, 'timeout'))).toBeNull();
  });

  test('a log is recorded, and replicas write none: the primary may have written none either', () => {
    const off = info(REPLICA, { aofEnabled: false });
    expect(lost(LOG, alone, down, off)?.sentence).toContain('may have more than the volume of redis-1-0');
  });

  test('a log, as recorded, has all that a replica which followed it has', () => {
    expect(lost(LOG, alone, down)).toBeNull();
    expect(lost(LOG, alone, down, info(REPLICA, { firstLogPending: true }))).toBeNull();
    expect(lost(null, alone, down)).toBeNull();
  });

  test('healthy clusters, with a log or with snapshots', () => {
    expect(lost(LOG)).toBeNull();
    expect(lost(DUMPS, dumped)).toBeNull();
  });

  test('a replica without keys, or with those of another primary, has nothing to lose', () => {
    expect(lost(DUMPS, alone, dumped, down, info(REPLICA, { keys: 0 }))).toBeNull();
    const [own, other] = [info(REPLICA, { replicationId: 'h' }), info('redis-2-0', { replicationId: 'h' })];
    expect(lost(DUMPS, alone, dumped, down, own, other)).toBeNull();
  });

  test('in the middle of a delete: who is being stopped in order, replica or primary, is not asked for again', () => {
    const replicas = ['redis-4', 'redis-5', 'redis-6', 'redis-7', 'redis-8', 'redis-9'];
    expect(lost(DUMPS, dumped, noSet(...replicas))).toBeNull();
    expect(lost(DUMPS, alone, dumped, down, noSet('redis-4'))).toBeNull();
    expect(lost(DUMPS, alone, dumped, down, terminating(REPLICA))).toBeNull();
    expect(lost(DUMPS, dumped, down, terminating(PRIMARY))).toBeNull();
    expect(lost(DUMPS, dumped, down, noSet('redis-1'))).toBeNull();
    expect(lost(DUMPS, dumped, gone, noSet('redis-1'))).toBeNull();
    expect(lost(DUMPS, dumped, gone)).not.toBeNull();
    const stopped = ['redis-4-0', 'redis-5-0', 'redis-6-0', 'redis-7-0', 'redis-8-0', 'redis-9-0'].map(podGone);
    expect(lost(DUMPS, dumped, ...stopped, gone, noSet('redis-1', ...replicas))).toBeNull();
  });
});

describe('lossOfDelete, where somebody has deleted claims', () => {
  const going = (...pods: readonly string[]): Change[] =>
    pods.map((pod) => changePod(pod, (facts) => ({ ...facts, goingClaim: `data-${pod}` })));

  test('they go with their pods: of a whole shard, all keys of it', () => {
    const loss = lost(LOG, alone, ...going(PRIMARY, REPLICA));
    expect(loss).toMatchObject({ slots: SLOTS, keys: 5 });
    expect(loss?.sentence).toContain('its claim data-redis-1-0 is being deleted and goes with the pod');
  });

  test('one copy that stays is enough, whoever has it: without the volume the guard lets a replica lead', () => {
    expect(lost(LOG, alone, ...going(REPLICA))).toBeNull();
    expect(lost(LOG, alone, ...going(PRIMARY))).toBeNull();
    expect(lost(LOG, alone, ...going(PRIMARY), replicasLoseLink(PRIMARY))).toMatchObject({ slots: SLOTS });
    expect(lost(LOG, alone, ...going(PRIMARY), unreachable(REPLICA, 'timeout'))).toMatchObject({ slots: SLOTS });
  });

  test('a replica of a primary that is down, which is all that is left of it', () => {
    expect(lost(LOG, alone, waiting, noClaim, ...going(REPLICA))).toMatchObject({ slots: SLOTS });
    expect(lost(LOG, alone, down, ...going(PRIMARY, REPLICA))).toMatchObject({ slots: SLOTS });
  });
});
