/** `fix` on the command line: what it says of clusters that need nothing, that could be repaired, and that need a decision. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from '@jest/globals';
import { policyOf, skippedOf, typedPolicy, type PolicyFlagValues } from '../../../cmd/fix/policy.ts';
import { fixedInWords, fixPlanLines, repairQuestion, repairSteps } from '../../../cmd/view/fix-plan.ts';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../pkg/cluster/model/observation.ts';
import { planFix } from '../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY, type FixPolicy } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import type { FixSight } from '../../../pkg/engine/fix.ts';
import { runCommand } from '../../support/fake-terminal.ts';
import { changed, type Change } from '../../support/observation-changes.ts';
import {
  config,
  ghost,
  heard,
  openSlot,
  replicasLoseLink,
  strayKeys,
  unreachable,
} from '../../support/observation-faults.ts';
import { healthyObservation } from '../../support/observation.ts';

const LOOK = { width: 110, colour: false };
const BROKEN = changed(healthyObservation(), openSlot(7, 'redis-1-0', 'redis-2-0'), strayKeys('redis-3-0', 3));
const STRANGER = changed(healthyObservation(), ghost('f'.repeat(40), { flags: ['master'], linkUp: true }));
const LOST = changed(healthyObservation({ replicas: 0 }), unreachable('redis-1-0', 'guard-waiting'));

function sightOf(observation: Observation, policy: Partial<FixPolicy> = {}): FixSight {
  const state = interpret(observation);
  const plan = planFix(state, { ...NO_POLICY, ...policy }, { observation, slotKeys: null });
  return { observation, state, slotKeys: new Map(), recorded: null, plan };
}

const text = (observation: Observation): string => fixPlanLines(sightOf(observation), LOOK).join('\n');

describe('the plan, as text', () => {
  test('what would be done, why in this order, and that nothing is lost', () => {
    expect(text(BROKEN)).toBe(`\
Repair redis in namespace default: 2 repairs, 0 problems left

  #   PROBLEM      REPAIR                                    NODES                     SLOTS
  1   slots-open   finish slots that are open                redis-1-0 and redis-2-0       1
  2   stray-keys   bring keys to the owners of their slots   redis-3-0                     -

  why 1, 2    Roles and members stand still now, so slots and keys can be brought where they belong.
  loses       no key`);
  });

  test('which directive gets which value on which node, instead of which', () => {
    const other = [2, 3].map((n) => config(`redis-${n}-0`, 'maxmemory', String(n * 2 ** 20)));
    const usual = [1, 4, 5, 6].map((n) => config(`redis-${n}-0`, 'maxmemory', '0'));
    const lines = text(changed(healthyObservation(), ...usual, ...other));
    expect(lines).toMatch(/config-differs {3}configure all nodes alike {3}/);
    expect(lines.replaceAll(/\s+/g, ' ')).toContain(
      'sets 1 maxmemory 0 (no limit), instead of 2097152 on redis-2-0, instead of 3145728 on redis-3-0',
    );
  });

  test('whom nobody could ask: that no key is lost is said of the others', () => {
    const lines = text(changed(BROKEN, unreachable('redis-6-0', 'timeout'))).replaceAll(/\s+/g, ' ');
    expect(lines).toContain('loses no key of a node that answers unknown redis-6-0 (');
    expect(lines).toContain('its keys, roles and marks are as others last saw them, or not known');
    expect(text(BROKEN)).not.toContain('unknown');
  });

  test('what is left, with the flag that would help', () => {
    expect(text(LOST)).toContain('primary-down (needs consent): redis-1-0, a primary, is down');
    expect(text(LOST).replaceAll(/\s+/g, ' ')).toContain('--accept-data-loss 0-5460 gives its keys up');
  });

  test('what would be lost is said, and not agreed to by pressing Enter', () => {
    const { plan, state } = sightOf(LOST, { acceptDataLoss: [{ start: 0, end: 5460 }] });
    const [repair] = plan.repairs;
    if (repair === undefined) throw new Error('nothing is planned');
    expect(fixPlanLines({ plan, state }, { width: null, colour: false }).join('\n')).toContain(
      'loses       every key of slots 0-5460: the only node that had them is gone with its volume',
    );
    expect(repairQuestion(repair)).toBe(
      'primary-down: give up what redis-1-0 had, and lose every key of slots 0-5460: the only node that had them is gone with its volume?',
    );
    expect(repairSteps(repair, LOOK)[0]).toMatch(/^Replicas take over before anybody is forgotten/);
  });

  test('two primaries without a majority: what each shard loses is named before anybody is asked', () => {
    const dead = (pod: string, seconds: number): Change[] => [
      replicasLoseLink(pod, seconds),
      heard(pod, 30_000),
      unreachable(pod, 'not-running', 'fail?'),
    ];
    const two = changed(healthyObservation(), ...dead('redis-1-0', 105), ...dead('redis-2-0', 3600));
    const slots = [{ start: 0, end: 10922 }];
    const { plan, state } = sightOf(two, { takeover: true, acceptDataLoss: slots });
    const lines = fixPlanLines({ plan, state }, { width: null, colour: false }).join('\n');
    expect(lines).toContain('writes of 75 s to slots 0-5460, which redis-4-0 has not');
    expect(lines).toContain('writes of 3570 s to slots 5461-10922, which redis-5-0 has not');
    const [repair] = plan.repairs;
    expect(repair === undefined ? '' : repairQuestion(repair)).toMatch(
      /^no-quorum: let redis-4-0 take over 0-5460 without a vote; let redis-5-0 take over 5461-10922, and lose writes of 75 s .*; writes of 3570 s /,
    );
    expect(sightOf(two).plan.left[0]?.hint).toMatch(/would lose writes of 75 s .*; writes of 3570 s /);
  });

  test('the last line of a run', () => {
    const last = sightOf(STRANGER);
    const done = { batches: 1, steps: 1, changes: 1, last, repaired: ['slots-open'], skipped: ['stray-keys'] };
    expect(fixedInWords(done, '1.2')).toBe('redis: repaired slots-open, skipped stray-keys; 1 problem left (1.2 s)');
  });
});

describe('the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fix-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  const fix = (observation: Observation, ...flags: readonly string[]) =>
    runCommand(['fix', ...flags], { clusters: [observation] });

  test('a healthy cluster: nothing is done, and it says so', async () => {
    expect(await fix(healthyObservation())).toEqual({
      exitCode: 0,
      stdout: 'redis: nothing is to be repaired. Nothing was changed.\n',
      stderr: '',
    });
  });

  test('a dry run ends with 3 where there is something to repair', async () => {
    const { exitCode, stdout } = await fix(BROKEN, '--dry-run');
    expect([exitCode, stdout]).toEqual([3, expect.stringContaining('finish slots that are open')]);
  });

  test('what needs consent is left, with the flag, and with 3', async () => {
    const { exitCode, stdout } = await fix(STRANGER);
    expect([exitCode, stdout]).toEqual([3, expect.stringContaining('--forget-strangers makes every node forget it')]);
  });

  test('a record is planned from, and never repaired', async () => {
    const file = join(folder, 'redis.json');
    expect((await fix(BROKEN, '--dry-run', '--record', file)).stderr).toContain(`Recorded in ${file}`);
    const { exitCode, stdout } = await runCommand(['fix', '--dry-run', '-f', file], { clusters: [] });
    expect([exitCode, stdout]).toEqual([3, expect.stringContaining('stray-keys')]);
    expect(await runCommand(['fix', '-f', file], { clusters: [] })).toMatchObject({ exitCode: 2 });
  });

  test.each([
    [['--accept-data-loss', '5-1']],
    [['--accept-data-loss', '20000']],
    [['--skip', 'no-such-code']],
    [['-o', 'json']],
  ])('%j is wrong usage', async (flags) => {
    expect(await fix(BROKEN, ...flags)).toMatchObject({ exitCode: 2, stdout: '' });
  });
});

test('policies are typed again as they were', () => {
  const flags: PolicyFlagValues = {
    'accept-data-loss': [
      { start: 0, end: 5460 },
      { start: 7000, end: 7000 },
    ],
    takeover: true,
    'forget-strangers': false,
    'start-empty': true,
    skip: ['ghost-node,stray-keys'],
  };
  expect(policyOf(flags)).toEqual({
    acceptDataLoss: [
      { start: 0, end: 5460 },
      { start: 7000, end: 7000 },
    ],
    takeover: true,
    forgetStrangers: false,
    startEmpty: true,
  });
  expect(skippedOf(flags)).toEqual(new Set(['ghost-node', 'stray-keys']));
  expect(typedPolicy(flags)).toBe(
    ' --accept-data-loss 0-5460,7000 --takeover --start-empty --skip ghost-node --skip stray-keys',
  );
});
