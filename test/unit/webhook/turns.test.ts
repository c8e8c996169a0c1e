import { expect, test } from '@jest/globals';
import { mutate } from '../../../webhook/mutate.ts';
import { createTurns } from '../../../webhook/turns.ts';
import { createCluster, requestOf } from '../../support/admission.ts';
import { podOf } from '../../support/inject-pods.ts';

test('work of one key is done one after the other, that of others beside it; a failure ends nobody else', async () => {
  const { inTurn } = createTurns(() => 0);
  const told: string[] = [];
  const work = (name: string) => async () => {
    told.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    told.push(`${name} ends`);
    if (name === 'a1') throw new Error(name);
    return name;
  };
  const all = await Promise.allSettled([
    inTurn('a', work('a1')),
    inTurn('a', work('a2')),
    inTurn('b', work('b1')),
    inTurn('a', work('a3')),
  ]);
  expect(all.map((each) => (each.status === 'fulfilled' ? each.value : 'failed'))).toEqual([
    'failed',
    'a2',
    'b1',
    'a3',
  ]);
  const ofA = told.filter((each) => each.startsWith('a'));
  expect(ofA).toEqual(['a1 begins', 'a1 ends', 'a2 begins', 'a2 ends', 'a3 begins', 'a3 ends']);
  expect(told.indexOf('b1 begins')).toBeLessThan(told.indexOf('a1 ends'));
});

test('whose turn comes too late is told so, and does nothing', async () => {
  let now = 0;
  const { inTurn } = createTurns(() => now);
  const first = inTurn('a', async () => void (now = 9_000));
  const late = inTurn('a', () => Promise.reject(new Error('must not run')));
  await first;
  await expect(late).rejects.toMatchObject({ code: 'busy' });
  expect(await inTurn('a', async () => 'next')).toBe('next');
});

test('sixty pods at once: each has a number, and nobody looks twice', async () => {
  const cluster = createCluster();
  const deps = { ...cluster.deps, ...createTurns(() => 0) };
  const names = Array.from({ length: 60 }, (_, n) => `cache-${n}x`);
  const admitted = await Promise.all(names.map((name) => mutate(requestOf(podOf(), { name }), deps)));
  expect(new Set(admitted.map(({ node }) => node)).size).toBe(60);
  expect(cluster.writes.filter((write) => write.includes('Service/'))).toHaveLength(60);
});
