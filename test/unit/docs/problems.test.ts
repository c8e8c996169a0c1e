import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { problemDocs } from '../../../docs/make/problem-docs.ts';

test('docs/problems.md is current; if not: npm run docs:problems', () => {
  expect(readFileSync('docs/problems.md', 'utf8')).toBe(problemDocs());
});
