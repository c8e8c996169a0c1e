/** What is recorded with `--config`, and what servers run: `check` names a difference, `fix` sets what is recorded, where that costs nothing. */
import { describe, expect, test } from '@jest/globals';
import { asAskedFor } from '../../../../cmd/view/restart-plan.ts';
import { check } from '../../../../pkg/cluster/check/check.ts';
import { asServersSay } from '../../../../pkg/cluster/check/recorded-config.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { planFix } from '../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY, type FixPlan } from '../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { simulate } from '../../../../pkg/cluster/plan/simulate.ts';
import { asMade } from '../../../support/as-made.ts';
import { changeAnswer, changed, changePod, type Change } from '../../../support/observation-changes.ts';
import { config, every, unreachable } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';
import { inWords } from '../plan/fix/fix-words.ts';

const POLICY = 'maxmemory-policy';
const LRU = { [POLICY]: 'allkeys-lru' };
const recorded = (directives: Readonly<Record<string, string>>, ...changes: readonly Change[]): Observation =>
  changed(asMade(healthyObservation(), specOf({ config: directives })), ...changes);
const all = (name: string, value: string): Change => every((pod) => config(pod, name, value));
const uses = (pod: string, usedMemoryBytes: number, maxMemoryBytes: number): Change =>
  changeAnswer(pod, (answer) => ({ ...answer, info: { ...answer.info, usedMemoryBytes, maxMemoryBytes } }));

function found(observation: Observation): string[] {
  return check(interpret(observation), observation)
    .filter(({ code }) => code === 'config-differs')
    .map(({ sentence }) => sentence);
}

function fix(observation: Observation): FixPlan {
  return planFix(interpret(observation), NO_POLICY, { observation, slotKeys: null });
}

describe('check', () => {
  test('what runs on all nodes and is not what is recorded', () => {
    expect(found(recorded(LRU, all(POLICY, 'noeviction')))).toEqual([
      'maxmemory-policy is noeviction on all nodes, and allkeys-lru is recorded for all.',
    ]);
  });

  test('what most nodes have is not what counts, where a value is recorded', () => {
    const most = recorded(LRU, all(POLICY, 'noeviction'), config('redis-1-0', POLICY, 'allkeys-lru'));
    expect(found(most)).toEqual([
      'maxmemory-policy is noeviction on redis-2-0, redis-3-0, redis-4-0, redis-5-0 and redis-6-0, and allkeys-lru is recorded for all.',
    ]);
  });

  test.each<[string, Observation]>([
    ['the same', recorded(LRU, all(POLICY, 'allkeys-lru'))],
    ['the same in other units', recorded({ maxmemory: '100mb' }, all('maxmemory', String(100 * 2 ** 20)))],
    ['nothing is recorded of it', recorded({}, all('maxmemory', '1048576'))],
    ['a script of ours has set it for a while', recorded({ 'repl-timeout': '20' }, all('repl-timeout', '5'))],
    ['of appendonly another problem tells', recorded({ appendonly: 'no' }, all('appendonly', 'yes'))],
    [
      'the pod of its owner says otherwise',
      recorded(
        LRU,
        all(POLICY, 'noeviction'),
        changePod('redis-1-0', (pod) => ({ ...pod, annotations: { 'kubectl-redis.io/injected': '1' } })),
      ),
    ],
  ])('no difference: %s', (_, observation) => {
    expect(found(observation)).toEqual([]);
  });

  test.each([
    ['maxmemory', '1gb', '1073741824'],
    ['maxmemory-policy', '"allkeys-lru"', 'allkeys-lru'],
    ['cluster-require-full-coverage', 'NO', 'no'],
    ['repl-timeout', ' 060', '60'],
  ])('%s %s is what a server calls %s', (name, value, said) => {
    expect(asServersSay(name, value)).toBe(said);
  });
});

describe('fix', () => {
  test('sets what is recorded, says instead of what, and then finds nothing', () => {
    const observation = recorded(LRU, all(POLICY, 'noeviction'), config('redis-1-0', POLICY, 'allkeys-lru'));
    const plan = fix(observation);
    expect(plan.repairs.map(({ title }) => title)).toEqual([
      'configure all nodes alike: maxmemory-policy allkeys-lru, instead of noeviction on redis-2-0, redis-3-0, redis-4-0, redis-5-0 and redis-6-0',
    ]);
    const [batch] = plan.repairs[0]?.batches ?? [];
    if (batch === undefined) throw new Error('nothing is planned');
    expect(found(simulate(observation, batch))).toEqual([]);
  });

  test('says that a limit goes', () => {
    const plan = fix(changed(healthyObservation(), all('maxmemory', '0'), config('redis-4-0', 'maxmemory', '1048576')));
    expect(plan.repairs.map(({ title }) => title)).toEqual([
      'configure all nodes alike: maxmemory 0 (no limit), instead of 1048576 on redis-4-0',
    ]);
  });

  test('not a policy under which keys would go, nor a limit that is too small', () => {
    const evicts = recorded(LRU, all(POLICY, 'noeviction'), uses('redis-1-0', 3_000_000, 1_000_000));
    expect(inWords(fix(evicts))).toMatchObject({ repairs: [], left: ['config-differs (by-hand)'] });
    const small = recorded({ maxmemory: '1mb' }, all('maxmemory', '0'), uses('redis-1-0', 3_000_000, 0));
    expect(inWords(fix(small))).toMatchObject({ repairs: [], left: ['config-differs (by-hand)'] });
  });
});

describe('restart, where that is recorded already', () => {
  const said = (observation: Observation, wished: Readonly<Record<string, string>> = LRU): string => {
    const seen = { state: interpret(observation) } as Parameters<typeof asAskedFor>[0]['seen'];
    const wish = { at: '', image: null, config: wished, live: [], pods: null };
    return asAskedFor({ cluster: observation.cluster, seen, wish });
  };

  test('servers run with it', () => {
    expect(said(recorded(LRU, all(POLICY, 'allkeys-lru')))).toBe('redis has that image and these settings already');
  });

  test('servers run with something else', () => {
    expect(said(recorded(LRU, all(POLICY, 'allkeys-lru'), config('redis-2-0', POLICY, 'noeviction')))).toBe(
      'redis has that recorded already, but its servers run with something else: maxmemory-policy on redis-2-0. kubectl redis fix redis sets what is recorded, or says what that would cost',
    );
  });

  test('in other words: capitals, units, several lines', () => {
    const wished = { [POLICY]: 'ALLKEYS-LRU', maxmemory: '1mb', save: '3600 1\n300 100' };
    const values = [all(POLICY, 'allkeys-lru'), all('maxmemory', '1048576'), all('save', '3600 1 300 100')];
    expect(said(recorded(wished, ...values), wished)).toBe('redis has that image and these settings already');
  });

  test('one is silent, or nobody was asked for it', () => {
    const says = 'redis has that recorded already; whether each server runs with it was not told';
    const silent = recorded(LRU, all(POLICY, 'allkeys-lru'), unreachable('redis-2-0', 'timeout', 'up'));
    expect(said(silent)).toBe(`${says} (maxmemory-policy)`);
    expect(said(recorded({ hz: '20' }), { hz: '20' })).toBe(`${says} (hz)`);
  });
});
