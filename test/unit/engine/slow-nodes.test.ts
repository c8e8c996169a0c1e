/** Who is asked how, after being slow. */
import { expect, test } from '@jest/globals';
import type { NodeReply, PodFacts } from '../../../pkg/cluster/model/observation.ts';
import type { AskOptions, RedisPort } from '../../../pkg/engine/ports.ts';
import { patientWithNodes } from '../../../pkg/engine/slow-nodes.ts';
import { healthyObservation } from '../../support/observation.ts';

const { kube, replies } = healthyObservation();
const TIMEOUT: NodeReply = { kind: 'unreachable', why: 'timeout', detail: 'no reply' };
const FULL: AskOptions = { deadlineMs: 5_000, withConfig: true, countKeys: true };
const BRIEF: AskOptions = { deadlineMs: 2_000, withConfig: true };

/** Answers in turn, and what it was asked. */
function scripted(answers: readonly NodeReply[]): { readonly redis: RedisPort; readonly asked: AskOptions[] } {
  const asked: AskOptions[] = [];
  const redis: RedisPort = {
    ask: (_, options) => Promise.resolve(answers[asked.push(options) - 1] ?? TIMEOUT),
    run: () => Promise.reject(new Error('not asked for')),
    close: () => undefined,
  };
  return { redis: patientWithNodes(redis), asked };
}

const [pod] = kube.pods as readonly [PodFacts];
const answer = replies[0]?.reply ?? TIMEOUT;

test('one that answers is asked once', async () => {
  const { redis, asked } = scripted([answer]);
  expect(await redis.ask(pod, FULL)).toBe(answer);
  expect(asked).toEqual([FULL]);
});

test('one that can not count in time is asked again for less, and counts again the next time', async () => {
  const { redis, asked } = scripted([TIMEOUT, answer, answer]);
  expect(await redis.ask(pod, FULL)).toBe(answer);
  expect(await redis.ask(pod, FULL)).toBe(answer);
  expect(asked).toEqual([FULL, BRIEF, FULL]);
});

test('a frozen one is asked briefly until it answers', async () => {
  const { redis, asked } = scripted([TIMEOUT, TIMEOUT, TIMEOUT, answer, answer]);
  expect(await redis.ask(pod, FULL)).toBe(TIMEOUT);
  expect(await redis.ask(pod, FULL)).toBe(TIMEOUT);
  expect(await redis.ask(pod, FULL)).toBe(answer);
  expect(await redis.ask(pod, FULL)).toBe(answer);
  expect(asked).toEqual([FULL, BRIEF, BRIEF, BRIEF, FULL]);
});

test('one that says why it can not answer is not asked again', async () => {
  const refused: NodeReply = { kind: 'unreachable', why: 'refused', detail: 'nobody listens' };
  const { redis, asked } = scripted([refused]);
  expect(await redis.ask(pod, FULL)).toBe(refused);
  expect(asked).toEqual([FULL]);
});
