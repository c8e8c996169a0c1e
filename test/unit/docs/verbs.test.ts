import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { verbDocs } from '../../../docs/make/verb-docs.ts';

test('docs/verbs is current; if not: npm run docs:verbs', () => {
  const files = readdirSync('docs/verbs').sort();
  const written = new Map(files.map((file) => [file, readFileSync(`docs/verbs/${file}`, 'utf8')]));
  expect(written).toEqual(new Map([...verbDocs()].sort(([a], [b]) => (a < b ? -1 : 1))));
});
