/**
 * Refuse before you touch: whatever a verb refuses, the objects and the nodes are what they were. Each verb with every refusal that it
 * knows; a refusal that is written and has no line here is found by its code.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { runVerb } from '../../../support/verb-world.ts';
import { HEALTHY, REFUSALS, SOURCES } from './refusal-cases.ts';

describe('every verb changes something where nothing is refused', () => {
  test.each(Object.entries(HEALTHY))('%s', async (_, { argv, world }) => {
    const { writes } = await runVerb(argv, world);
    expect(writes).toHaveLength(1);
  });
});

describe('and nothing where it is', () => {
  const cases = REFUSALS.map((one): [string, typeof one] => [`${one.argv[0]}: ${one.code}, ${one.name}`, one]);
  test.each(cases)('%s', async (_, { argv, world, code, says }) => {
    const { exitCode, stderr, writes } = await runVerb(argv, world);
    expect(writes).toEqual([]);
    expect([exitCode, stderr]).toEqual([3, expect.stringContaining(says)]);
    expect(code).not.toBe('');
  });
});

test('each refusal that is written is in the table, or its reason not to be is', () => {
  const missing = Object.entries(SOURCES).flatMap(([verb, { files, after }]) => {
    const written = new Set(files.flatMap((file) => [...codesIn(file)]));
    const tried = new Set(REFUSALS.filter(({ argv }) => argv[0] === verb).map(({ code }) => code));
    for (const code of Object.keys(after)) tried.add(code);
    return [...written].filter((code) => !tried.has(code)).map((code) => `${verb}: ${code}`);
  });
  expect(missing).toEqual([]);
});

/** `refuse('code', …)`, `refused('code', …)`, `refusal('code', …)`, `silenceCode(node, 'code')`, `noHeir`. */
function codesIn(file: string): Set<string> {
  const text = readFileSync(file, 'utf8');
  const found = text.matchAll(/\b(?:refuse|refused|refusal|silenceCode)\(\s*(?:\w+, )?'([a-z-]+)'/g);
  const written = text.matchAll(/kind: 'refused',\s*code: '([a-z-]+)'/g);
  return new Set([...found, ...written].map(([, code = '']) => code));
}
