/** What a node tells of older data that it was started with, out of the text of its process title. */
import { expect, test } from '@jest/globals';
import { readLoaded } from '../../../../pkg/cluster/wire/loaded.ts';

const TITLE = '{title} {listen-addr} {server-mode} heard:1795946400';

test.each([
  ['a primary that has just been started', `${TITLE} loaded:100=200=-`, { dataAt: 100, startedAt: 200, led: false }],
  ['before other words', `${TITLE} served:-=- loaded:100=200=led data:100`, { dataAt: 100, startedAt: 200, led: true }],
  ['a node that was never told to', `${TITLE} data:100`, null],
  ['a file that somebody changed', `${TITLE} loaded:x=200=led`, null],
  ['a text of people', 'loaded:', null],
  ['nobody may ask, or an older server', undefined, null],
] as const)('%s', (_, title, expected) => {
  expect(readLoaded(title)).toEqual(expected);
});
