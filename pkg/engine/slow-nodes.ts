/**
 * A node that did not answer in time once is asked more briefly, and for less, until it answers again: a frozen one delays an
 * operation that looks many times only once by a whole deadline (law L11).
 */
import type { RedisPort } from './ports.ts';

const BRIEFLY_MS = 1_000;

export function rememberingSlowNodes(redis: RedisPort): RedisPort {
  const slow = new Set<string>();
  return {
    ...redis,
    ask: async (pod, options) => {
      const brief = slow.has(pod.uid);
      const reply = await redis.ask(pod, brief ? { deadlineMs: BRIEFLY_MS } : options);
      if (reply.kind === 'unreachable' && reply.why === 'timeout') slow.add(pod.uid);
      else slow.delete(pod.uid);
      return reply;
    },
  };
}
