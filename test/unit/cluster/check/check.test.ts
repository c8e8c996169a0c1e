import { describe, expect, test } from '@jest/globals';
import { check } from '../../../../pkg/cluster/check/check.ts';
import { CODES, CODE_NAMES, docOf, isCode, positionOf } from '../../../../pkg/cluster/check/codes.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import { changeKube, changed } from '../../../support/observation-changes.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { ANNOUNCE_CASES } from './announce-cases.ts';
import { CONFIG_CASES } from './config-cases.ts';
import { GONE_SOON_CASES } from './gone-soon-cases.ts';
import { IMAGES_CASES } from './images-cases.ts';
import { MEMBERSHIP_CASES } from './membership-cases.ts';
import { PODS_CASES } from './pods-cases.ts';
import { PRIMARY_CASES } from './primary-cases.ts';
import { REACHABILITY_CASES } from './reachability-cases.ts';
import { SHARED_CLAIM_CASES } from './shared-claim-cases.ts';
import { OLDER_RECORD_CASES } from './older-record-cases.ts';
import { RECORD_CASES } from './record-cases.ts';
import { SHAPE_CASES } from './shape-cases.ts';
import { REPLICATION_CASES } from './replication-cases.ts';
import { SLOTS_CASES } from './slots-cases.ts';
import { STOPPED_CASES } from './stopped-cases.ts';
import { OPEN_DOORS_CASES } from './open-doors-cases.ts';
import { TROUBLES_CASES } from './troubles-cases.ts';
import { OLDER_DATA_CASES } from './older-data-cases.ts';
import { UPKEEP_CASES } from './upkeep-cases.ts';
import { WRITES_CASES } from './writes-cases.ts';

const CASES = [
  ...RECORD_CASES,
  ...SHAPE_CASES,
  ...OLDER_RECORD_CASES,
  ...SHARED_CLAIM_CASES,
  ...REACHABILITY_CASES,
  ...PRIMARY_CASES,
  ...STOPPED_CASES,
  ...PODS_CASES,
  ...MEMBERSHIP_CASES,
  ...REPLICATION_CASES,
  ...SLOTS_CASES,
  ...OLDER_DATA_CASES,
  ...UPKEEP_CASES,
  ...CONFIG_CASES,
  ...ANNOUNCE_CASES,
  ...OPEN_DOORS_CASES,
  ...TROUBLES_CASES,
  ...GONE_SOON_CASES,
  ...IMAGES_CASES,
  ...WRITES_CASES,
];

test('Services that may not be listed are not missing', () => {
  const hidden = changeKube((kube) => ({ ...kube, services: [], gaps: [{ what: 'services', why: 'forbidden' }] }));
  const observation = changed(healthyObservation(), hidden);
  expect(check(interpret(observation), observation)).toEqual([]);
});

describe('check says exactly this of', () => {
  test.each(CASES)('%s', (_name, observation, problems) => {
    expect(check(interpret(observation), observation)).toEqual(problems);
  });
});

describe('the table of codes', () => {
  test('has a case for each code, and only codes that exist are found', () => {
    const found = new Set(CASES.flatMap(([, , problems]) => problems.map((problem) => problem.code)));
    expect([...found].sort()).toEqual([...CODE_NAMES].sort());
  });

  test('gives each problem its severity', () => {
    for (const [, , problems] of CASES)
      for (const { code, severity } of problems)
        expect([code, severity]).toEqual([code, isCode(code) && CODES[code].severity]);
  });

  test('is written in full: sentences, and invariants that exist', () => {
    const incomplete = CODE_NAMES.filter((code) => {
      const { title, meaning, cause, repair, invariants } = CODES[code];
      const sentences = [meaning, cause, repair].every((text) => /^[A-Z`a-z].{3,}[.)]$/s.test(text));
      return title.endsWith('.') || !sentences || invariants.some((name) => !/^I([1-9]|1[0-35])$/.test(name));
    });
    expect(incomplete).toEqual([]);
  });

  test('covers every invariant that looking can check', () => {
    const covered = new Set(CODE_NAMES.flatMap((code) => CODES[code].invariants));
    const expected = Array.from({ length: 15 }, (_, i) => `I${i + 1}`).filter((name) => name !== 'I14');
    expect([...covered].sort()).toEqual(expected.sort());
  });

  test('knows its own names, their order and where they are explained', () => {
    expect([isCode('slots-open'), isCode('toString'), isCode('')]).toEqual([true, false, false]);
    expect(positionOf('primary-down')).toBeLessThan(positionOf('slots-uncovered'));
    expect(positionOf('no-such-code')).toBe(CODE_NAMES.length);
    expect(docOf('slots-open')).toBe('docs/problems.md#slots-open');
  });
});

test('problems come critical first, then in the order of a repair', () => {
  const cases = CASES.filter(([, , problems]) => problems.length > 1);
  const ranks = { critical: 0, warning: 1, info: 2 };
  const keys = cases.map(([, , problems]) =>
    problems.map((problem) => ranks[problem.severity] * 1000 + positionOf(problem.code)),
  );
  expect(cases.length).toBeGreaterThan(3);
  expect(keys).toEqual(keys.map((list) => list.toSorted((a, b) => a - b)));
});
