/** Slots that nobody owns, and a volume that no pod uses: nobody is given them unasked, and nobody is told to forget whose they were. */
import { describe, expect, test } from '@jest/globals';
import { check } from '../../../../pkg/cluster/check/check.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import type { Plan } from '../../../../pkg/cluster/model/plan.ts';
import { slotsFromRanges, type SlotRanges } from '../../../../pkg/cluster/model/slots.ts';
import { planCreate } from '../../../../pkg/cluster/plan/create.ts';
import { refuseUnsound } from '../../../../pkg/cluster/plan/scale-refuse.ts';
import { planFix } from '../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY, type FixPlan, type FixPolicy } from '../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { changeKube, changeLines, changed, type Change } from '../../../support/observation-changes.ts';
import { podGone, staleView, unowned, unreachable } from '../../../support/observation-faults.ts';
import { freshObservation, healthyObservation, nodeIdOf } from '../../../support/observation.ts';
import {
  LEFT_CLAIM,
  LEFT_SLOTS,
  claimsHidden,
  forgotten,
  withOlderRecord,
  withoutClaim,
} from '../../../support/older-record.ts';
import { asMade } from '../../../support/as-made.ts';
import { specOf } from '../../../support/spec.ts';
import { inWords } from './fix/fix-words.ts';

const FLAG = '--accept-data-loss 12288-16383';
const WAY_BACK = 'ConfigMap redis-state is an old record: put back the one that names it';
const spec = specOf({ replicas: 0 });

const create = (observation: Observation): Plan =>
  planCreate({ state: interpret(observation), kube: observation.kube, spec, policy: { fastForming: true } });

/** Every primary counts no key in the slots. */
const counted = (slots: SlotRanges): ReadonlyMap<string, ReadonlyMap<number, number>> => {
  const none = new Map(slotsFromRanges(slots).map((slot) => [slot, 0]));
  return new Map([1, 2, 3].map((ordinal) => [nodeIdOf(ordinal), none]));
};

function fix(observation: Observation, policy: Partial<FixPolicy> = {}, slots: SlotRanges = LEFT_SLOTS): FixPlan {
  return planFix(interpret(observation), { ...NO_POLICY, ...policy }, { observation, slotKeys: counted(slots) });
}

const addClaim = (name: string, setAside = false): Change =>
  changeKube((kube) => ({ ...kube, claims: [...kube.claims, { name, phase: 'Bound', storageClass: null, setAside }] }));

const problemOf = (observation: Observation, code: string): ReturnType<typeof check>[number] | undefined =>
  check(interpret(observation), observation).find((problem) => problem.code === code);

describe('create', () => {
  test('does not say to forget a node whose volume is there', () => {
    const plan = create(withOlderRecord());
    expect(plan).toMatchObject({
      kind: 'refused',
      code: 'foreign-node',
      hint: expect.stringMatching(
        /^It is redis-4, and its volume is there \(claim data-redis-4-0\)\. ConfigMap redis-state does not name it/,
      ),
    });
  });

  test.each([
    ['its claim is gone', withoutClaim, /^It is redis-4, whose Service has its address, and there is no claim/],
    ['claims may not be listed', claimsHidden, /whether its volume is there can't be seen.*Do not CLUSTER FORGET/],
    [
      'no Service has its address: it owns slots',
      changeKube((kube) => ({ ...kube, services: kube.services.filter(({ name }) => name !== 'redis-4') })),
      /^It owns slots 12288-16383, and their keys are with it/,
    ],
  ])('nor where %s', (_, change, hint) => {
    const plan = create(withOlderRecord(change));
    expect(plan).toMatchObject({ kind: 'refused', code: 'foreign-node', hint: expect.stringMatching(hint) });
    expect(plan).not.toMatchObject({ hint: expect.stringContaining('run CLUSTER FORGET') });
  });

  test('gives nobody the slots of a node that was forgotten', () => {
    expect(create(withOlderRecord(forgotten))).toEqual({
      kind: 'refused',
      code: 'volume-unused',
      sentence:
        'Nobody owns slots 12288-16383 of redis; their keys may be on the volume of claim data-redis-4-0, which no pod uses',
      hint: `If redis-4 is a node of redis, ${WAY_BACK}, and run kubectl redis create redis. Else kubectl redis fix redis ${FLAG} gives these slots to nodes that are there, without those keys`,
    });
  });

  test('nor where claims may not be listed', () => {
    expect(create(withOlderRecord(forgotten, claimsHidden))).toMatchObject({ code: 'volume-unused' });
  });

  test('finishes forming where no volume is left over, and begins it whatever is', () => {
    expect(create(withOlderRecord(forgotten, withoutClaim))).toMatchObject({ kind: 'batches' });
    const fresh = freshObservation({ replicas: 0 });
    expect(interpret(fresh).formed).toBe(false);
    expect(create(changed(fresh, addClaim('data-redis-9-0')))).toMatchObject({ kind: 'batches' });
  });

  // The mark comes before the slots, and a run that was killed in between had never a key to lose.
  test.each([
    ['a volume of somebody is there', addClaim('data-redis-9-0')],
    ['claims may not be listed', claimsHidden],
  ])('finishes forming that was killed behind the mark, where %s', (_, change) => {
    const marked = asMade(freshObservation({ replicas: 0 }), specOf({ replicas: 0 }));
    const killed = changed(
      marked,
      changeKube((kube) => ({ ...kube, state: { ...kube.state, formed: 'true' } })),
      change,
    );
    expect(interpret(killed).formed).toBe(true);
    expect(create(killed)).toMatchObject({ kind: 'batches' });
  });

  test('says before it starts the others that a volume is left over', () => {
    const stopped = changed(
      withOlderRecord(),
      changeKube((kube) => ({ ...kube, pods: [], statefulSets: [] })),
      (observation) => ({ ...observation, replies: [] }),
    );
    const plan = create(stopped);
    expect(plan.kind === 'batches' ? plan.remarks : []).toEqual([
      {
        code: 'volume-unused',
        sentence: `No pod uses ${LEFT_CLAIM}, and no node that is recorded is to: keys may be there. If redis-4 is a node of redis, ${WAY_BACK}, and run kubectl redis create redis`,
      },
    ]);
  });
});

describe('fix', () => {
  test('asks before it gives away slots of which a volume may have the keys', () => {
    const plan = fix(withOlderRecord(forgotten));
    expect(inWords(plan)).toEqual({
      repairs: [],
      left: expect.arrayContaining([`slots-uncovered (needs-consent ${FLAG})`]),
    });
    const { hint = '' } = plan.left.find(({ problem }) => problem.code === 'slots-uncovered') ?? {};
    expect(hint).toContain(WAY_BACK);
    expect(hint).toContain('on the volume of claim data-redis-4-0, which no pod uses');
  });

  test('consent is for these slots and names the claim', () => {
    const some = fix(withOlderRecord(forgotten), { acceptDataLoss: [{ start: 12288, end: 12300 }] });
    expect(some.repairs).toEqual([]);
    const [repair] = fix(withOlderRecord(forgotten), { acceptDataLoss: LEFT_SLOTS }).repairs;
    expect(repair).toMatchObject({
      code: 'slots-uncovered',
      loses: { slots: LEFT_SLOTS, keys: null, sentence: expect.stringContaining(`claim ${LEFT_CLAIM}, which no pod`) },
    });
  });

  test('asks where claims may not be listed, and not where none is left over', () => {
    expect(inWords(fix(withOlderRecord(forgotten, claimsHidden))).left).toContain(
      `slots-uncovered (needs-consent ${FLAG})`,
    );
    const [repair] = fix(withOlderRecord(forgotten, withoutClaim)).repairs;
    expect(repair).toMatchObject({ code: 'slots-uncovered', loses: null });
  });

  test.each([
    ['a claim of its StatefulSet', addClaim('redis-data-redis-9'), true],
    ['claims may not be listed', claimsHidden, true],
    ['every claim is in use', addClaim('data-redis-0'), false],
  ])('of a cluster that others made, slots without an owner: %s', (_, change, asks) => {
    const theirs = changed(healthyObservation({ kind: 'foreign', replicas: 0 }), unowned(LEFT_SLOTS), change);
    const none = new Map(slotsFromRanges(LEFT_SLOTS).map((slot) => [slot, 0]));
    const ids = interpret(theirs).nodes.flatMap(({ nodeId }) => nodeId ?? []);
    const evidence = { observation: theirs, slotKeys: new Map(ids.map((id) => [id, none])) };
    const plan = planFix(interpret(theirs), NO_POLICY, evidence);
    const asked = inWords(plan).left.filter((line) => line.startsWith('slots-uncovered'));
    expect(asked).toEqual(asks ? [`slots-uncovered (needs-consent ${FLAG})`] : []);
    expect(plan.repairs).toHaveLength(asks ? 0 : 1);
  });

  test('says of a node that is not forgotten yet how it comes back', () => {
    const plan = fix(withOlderRecord());
    expect(plan.repairs).toEqual([]);
    const hints = plan.left.map(({ hint }) => hint).join('\n');
    expect(hints).toContain('its volume is there (claim data-redis-4-0)');
    expect(hints).not.toMatch(/(?<!not )CLUSTER FORGET/);
  });

  test('also where the others have not noticed yet that it is gone', () => {
    const heard = changeLines((line) =>
      line.nodeId === nodeIdOf(4) ? { ...line, flags: ['master'], linkUp: true } : line,
    );
    const { hint = '' } = fix(withOlderRecord(heard)).left.find(({ problem }) => problem.code === 'unknown-node') ?? {};
    expect(hint).toContain('It is redis-4, and its volume is there');
  });

  test('where another claim may be the volume of a node that is lost, the loss says so', () => {
    const unknown = changeKube((kube) => ({
      ...kube,
      services: kube.services.filter(({ name }) => name !== 'redis-4'),
    }));
    const observation = withOlderRecord(unknown);
    const { hint = '' } = fix(observation).left.find(({ flag }) => flag === FLAG) ?? {};
    expect(hint).toContain('It may be that of claim data-redis-4-0');
    const [repair] = fix(observation, { acceptDataLoss: LEFT_SLOTS }).repairs;
    expect(repair?.loses?.sentence).toContain('its volume may be that of claim data-redis-4-0');
  });

  test('does the same with slots whose owner denies them, where nobody has a key of them', () => {
    const slots = [{ start: 5, end: 6 }];
    const denied = changed(healthyObservation({ replicas: 0 }), staleView('redis-1-0', slots, 'redis-2-0'));
    expect(inWords(fix(denied, {}, slots)).repairs[0]).toMatch(/^slots-unclaimed/);
    expect(inWords(fix(changed(denied, addClaim(LEFT_CLAIM)), {}, slots)).left).toContain(
      'slots-unclaimed (needs-consent --accept-data-loss 5-6)',
    );
  });

  test('every volume is lost but one that no pod uses: nobody starts empty for the one flag alone', () => {
    const waits = [1, 2, 3].map((n) => unreachable(`redis-${n}-0`, 'guard-waiting'));
    const lost = withOlderRecord(forgotten, ...waits);
    const both = '--start-empty --accept-data-loss 0-16383';
    expect(inWords(fix(lost, { startEmpty: true })).left).toContain(`cluster-down (needs-consent ${both})`);
    const all = [{ start: 0, end: 16383 }];
    const [repair] = fix(lost, { startEmpty: true, acceptDataLoss: all }).repairs;
    expect(repair?.loses?.sentence).toContain(`claim ${LEFT_CLAIM}`);
    expect(fix(changed(lost, withoutClaim), { startEmpty: true }).repairs).toHaveLength(1);
  });
});

describe('scale and rebalance', () => {
  test('do not say that create starts what an older record does not name', () => {
    const state = interpret(withOlderRecord());
    expect(refuseUnsound(state, [])).toMatchObject({
      code: 'owner-silent',
      hint: expect.stringContaining('It is redis-4, and its volume is there'),
    });
    const away = interpret(changed(healthyObservation({ replicas: 0 }), podGone('redis-3-0')));
    expect(refuseUnsound(away, [])).toMatchObject({ hint: expect.stringContaining('starts what is missing') });
  });
});

describe('check', () => {
  test('names the volume that may have the keys of slots without an owner', () => {
    expect(problemOf(withOlderRecord(forgotten), 'slots-uncovered')).toMatchObject({
      sentence: expect.stringContaining('their keys may be on the volume of claim data-redis-4-0'),
      repair: expect.stringContaining(WAY_BACK),
    });
  });

  test('names it when they were given away already', () => {
    const given = healthyObservation({ replicas: 0 });
    expect(check(interpret(given), given)).toEqual([]);
    expect(problemOf(changed(given, addClaim(LEFT_CLAIM)), 'volume-unused')).toMatchObject({
      severity: 'info',
      subject: `PersistentVolumeClaim/${LEFT_CLAIM}`,
    });
    expect(problemOf(changed(given, addClaim('data-redis-3-0')), 'volume-unused')).toBeUndefined();
  });

  test('does not name what a person set aside, and still gives nobody slots of which it may have the keys', () => {
    const given = changed(healthyObservation({ replicas: 0 }), addClaim(LEFT_CLAIM, true));
    expect(check(interpret(given), given)).toEqual([]);
    expect(inWords(fix(changed(given, unowned(LEFT_SLOTS)))).left).toContain(`slots-uncovered (needs-consent ${FLAG})`);
  });

  test('does not name what a StatefulSet of others leaves behind each time that it is scaled', () => {
    const given = changed(healthyObservation({ replicas: 0 }), addClaim('redis-data-mine-7'));
    expect(check(interpret(given), given)).toEqual([]);
  });

  test('says of the node which one it is', () => {
    const found = check(interpret(withOlderRecord()), withOlderRecord());
    const owner = found.find(({ slots }) => slots.length > 0);
    expect(owner?.repair).toContain('It is redis-4, and its volume is there');
    expect(found.map(({ repair }) => repair).join()).not.toMatch(/(?<!not )CLUSTER FORGET/);
  });

  test('slots that nobody owns and no volume: as before', () => {
    const slots = [{ start: 5, end: 6 }];
    const found = problemOf(changed(healthyObservation(), unowned(slots)), 'slots-uncovered');
    expect(found?.repair).toContain('finishes a cluster whose forming was interrupted');
  });
});
