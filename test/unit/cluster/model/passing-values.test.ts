/** C8: the one list of values that our own scripts and moves set for a while. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  isMoveTimeout,
  isPassing,
  moveTimeoutMs,
  PASSING_DIRECTIVES,
} from '../../../../pkg/cluster/model/passing-values.ts';
import { nodeTimeoutMs } from '../../../../pkg/cluster/model/spec.ts';
import { formingTimeoutMs } from '../../../../pkg/cluster/plan/form.ts';

const SCRIPTS = new URL('../../../../pkg/pod/scripts/', import.meta.url);
const timeout = (value: number, usual: number): boolean =>
  isPassing('cluster-node-timeout', String(value), String(usual));

test('has every directive that a script sets on a running server', () => {
  const texts = readdirSync(SCRIPTS)
    .filter((file) => file.endsWith('.sh'))
    .map((file) => readFileSync(new URL(file, SCRIPTS), 'utf8'));
  const set = texts.flatMap((text) => [...text.matchAll(/config set ([a-z-]+)/g)].flatMap(([, name]) => name ?? []));
  // What history.sh tells in the process title is told where nobody has configured one.
  expect([...new Set(set)].sort()).toEqual([...PASSING_DIRECTIVES, 'proc-title-template'].sort());
});

describe('cluster-node-timeout', () => {
  test.each([6, 60, 300])('what forming, the guard and the stop hook set in a cluster of %d nodes', (nodes) => {
    const usual = nodeTimeoutMs(nodes);
    for (const value of [formingTimeoutMs(nodes), usual * 0.6, 1_000])
      expect([value, timeout(value, usual)]).toEqual([value, true]);
  });

  test('what a move sets is longer than it needs, odd, and another one for each key', () => {
    const values = Array.from({ length: 97 }, (_, turn) => moveTimeoutMs(12_345, turn));
    expect(new Set(values).size).toBe(97);
    for (const value of values) {
      expect(value).toBeGreaterThan(12_345);
      expect([isMoveTimeout(String(value)), timeout(value, 5_000), timeout(value, 60_000)]).toEqual([
        true,
        true,
        false,
      ]);
    }
  });

  test.each([4_000, 1_001, 5_500, 15_000, 60_000, 100])('%d is nobody of ours', (value) => {
    expect(timeout(value, 5_000)).toBe(false);
  });
});

test.each([
  ['repl-timeout', '5', '20', true],
  ['repl-timeout', '5', '3', false],
  ['repl-timeout', '6', '20', false],
  ['repl-timeout', '20', '5', false],
  ['cluster-replica-validity-factor', '0', '10', true],
  ['cluster-replica-validity-factor', '5', '10', false],
  ['cluster-announce-bus-port', '16380', '0', true],
  ['cluster-announce-bus-port', '16379', '0', false],
  ['maxmemory', '0', '10', false],
] as const)('%s %s instead of %s: %s', (name, value, usual, passing) => {
  expect(isPassing(name, value, usual)).toBe(passing);
});
