import { MessageChannel, Worker } from 'node:worker_threads';
import { afterEach, expect, test } from '@jest/globals';
import { judge } from '../../../webhook/judge.ts';
import { createLargeReviews, serveLarge, type LargeReviews } from '../../../webhook/large.ts';
import { mutate } from '../../../webhook/mutate.ts';
import { bodyOf, createCluster } from '../../support/admission.ts';
import { podOf } from '../../support/inject-pods.ts';

/** A thread that answers with the length of what it was sent; `die` ends it, `hang` is never answered, `fill` takes all memory. */
const THREAD = `
  const { parentPort } = require('node:worker_threads');
  parentPort.on('message', ({ id, body }) => {
    const text = Buffer.from(body).toString();
    if (text === 'die') process.exit(1);
    if (text === 'fill') for (const all = []; ; ) all.push(new Array(1e5).fill({}).map(() => ({})));
    if (text === 'hang') return;
    const judged = { status: 200, answer: String(body.length), result: 'injected', reason: 'x', seconds: 0, log: null };
    parentPort.postMessage({ id, judged });
  });`;

const open: LargeReviews[] = [];
afterEach(() => Promise.all(open.splice(0).map((large) => large.close())));

function threads(judgeMs = 20_000): { large: LargeReviews; started: () => number } {
  let started = 0;
  const start = (): Worker => {
    started += 1;
    return new Worker(THREAD, { eval: true, resourceLimits: { maxOldGenerationSizeMb: 32 } });
  };
  const large = createLargeReviews({ start, judgeMs });
  open.push(large);
  return { large, started: () => started };
}

const bytes = (text: string): Buffer => Buffer.from(text);

test('one thread judges them all, and is started with the first', async () => {
  const { large, started } = threads();
  expect(started()).toBe(0);
  const judged = await Promise.all(['a', 'bb', 'ccc'].map((text) => large.judge(bytes(text))));
  expect(judged.map(({ answer }) => answer)).toEqual(['1', '2', '3']);
  expect(started()).toBe(1);
});

test.each(['die', 'fill'])('a thread that ends of %s is told of, and the next review has another', async (text) => {
  const { large, started } = threads();
  expect(await large.judge(bytes(text))).toMatchObject({ status: 503, result: 'error', reason: 'large-review' });
  expect(await large.judge(bytes('four'))).toMatchObject({ status: 200, answer: '4' });
  expect(started()).toBe(2);
});

test('who takes too long is ended, with those behind', async () => {
  const { large, started } = threads(200);
  const both = await Promise.all([large.judge(bytes('hang')), large.judge(bytes('hang'))]);
  expect(both.map(({ answer }) => answer)).toEqual(
    Array.from({ length: 2 }, () => '{"error":"the review took too long to be judged"}'),
  );
  expect(started()).toBe(1);
});

test('more than a few do not wait', async () => {
  const { large } = threads(300);
  const all = await Promise.all(Array.from({ length: 20 }, () => large.judge(bytes('hang'))));
  expect(all.filter(({ answer }) => answer.includes('too many'))).toHaveLength(4);
});

test('the thread judges one after the other, as the server would', async () => {
  const { deps } = createCluster();
  const judging = { mutate: (review: Parameters<typeof mutate>[0]) => mutate(review, deps), stopwatch: () => 0 };
  const { port1, port2 } = new MessageChannel();
  const replies = new Promise<unknown[]>((resolve) => {
    const seen: unknown[] = [];
    port1.on('message', (data) => {
      seen.push(data);
      if (seen.length === 2) resolve(seen);
    });
  });
  serveLarge(port2, (body) => judge(body, judging));
  port1.postMessage({ id: 1, body: bytes('{') });
  port1.postMessage({ id: 2, body: bytes(JSON.stringify(bodyOf(podOf()))) });
  expect(await replies).toEqual([
    { id: 1, judged: expect.objectContaining({ status: 400, reason: 'entity.parse.failed' }) },
    {
      id: 2,
      judged: expect.objectContaining({ status: 200, reason: 'injected', log: expect.objectContaining({ ms: 0 }) }),
    },
  ]);
  port1.close();
});
