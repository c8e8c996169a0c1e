import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { conflictFile } from '../../../cmd/conflict-file.ts';

const CONFLICT = {
  slot: 7,
  key: Buffer.from([0xff, 0x00, 0x41]),
  dump: Buffer.from([0, 3, 0x62, 0x61, 0x72]),
  timeToLiveMs: 1500,
  pod: 'redis-2-0',
};

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'conflicts-'));
});
afterEach(() => rm(directory, { recursive: true }));

test('lines from which the keys can be made again, for nobody else to read; told once', async () => {
  const said: string[] = [];
  const save = conflictFile(directory, new Date('2026-11-23T09:00:00.123Z'), (text) => said.push(text));
  expect(await readdir(directory)).toEqual([]);
  await save(CONFLICT);
  await save({ ...CONFLICT, slot: 8, timeToLiveMs: null });
  const [name = ''] = await readdir(directory);
  expect(name).toBe('kubectl-redis-conflicts-2026-11-23T09-00-00-123Z.jsonl');
  const path = join(directory, name);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const lines = (await readFile(path, 'utf8')).trim().split('\n');
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
    { pod: 'redis-2-0', slot: 7, key: '/wBB', dump: 'AANiYXI=', timeToLiveMs: 1500 },
    { pod: 'redis-2-0', slot: 8, key: '/wBB', dump: 'AANiYXI=', timeToLiveMs: null },
  ]);
  expect(said).toEqual([expect.stringContaining(path)]);
});

test('where it cannot be written, the copy is not given up', async () => {
  const save = conflictFile(join(directory, 'not-there'), new Date(), () => undefined);
  await expect(save(CONFLICT)).rejects.toMatchObject({ code: 'conflict-not-saved' });
});

test('a value of many pieces is whole, and lines that are saved at the same time do not mix', async () => {
  const save = conflictFile(directory, new Date(), () => undefined);
  const big = Buffer.alloc(7 * 2 ** 20 + 1, 'abc');
  await Promise.all([save({ ...CONFLICT, dump: big }), save(CONFLICT), save({ ...CONFLICT, dump: big })]);
  const [name = ''] = await readdir(directory);
  const lines = (await readFile(join(directory, name), 'utf8')).trim().split('\n');
  const dumps = lines.map((line) => (JSON.parse(line) as { readonly dump: string }).dump);
  expect(dumps.map((dump) => Buffer.from(dump, 'base64').equals(big))).toEqual([true, false, true]);
});
