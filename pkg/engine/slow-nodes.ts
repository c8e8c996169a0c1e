/**
 * Nodes that do not answer in time. Counting the keys of every slot takes long on a busy machine, and is no reason to take a node
 * for dead: it is asked again for less. One that does not answer that either is asked briefly until it does, so that a frozen
 * node delays an operation that looks many times only once by a whole deadline (law L11).
 */
import type { NodeReply } from '../cluster/model/observation.ts';
import type { RedisPort } from './ports.ts';

const BRIEFLY_MS = 2_000;

/** One for each port: what was learned while a plan was made is still known when it is run. */
const KNOWN = new WeakMap<RedisPort, RedisPort>();

/** No answer in time, or not even a tunnel. A tunnel that was refused costs no time, and is asked for again as quickly. */
function isSilent(reply: NodeReply): reply is Extract<NodeReply, { kind: 'unreachable' }> {
  return reply.kind === 'unreachable' && (reply.why === 'timeout' || reply.why === 'tunnel');
}

/** Remembers who was silent, by pod. */
export function patientWithNodes(redis: RedisPort): RedisPort {
  const known = KNOWN.get(redis);
  if (known !== undefined) return known;
  const silent = new Set<string>();
  const patient: RedisPort = {
    ...redis,
    ask: async (pod, options) => {
      const withConfig = options.withConfig ?? false;
      const brief = { deadlineMs: Math.min(BRIEFLY_MS, options.deadlineMs), withConfig };
      const first = silent.has(pod.uid) ? null : await redis.ask(pod, options);
      if (first !== null && !isSilent(first)) return first;
      // A tunnel that does not open has nothing to do with how much the node is asked for.
      const again = first === null || (options.countKeys === true && first.why === 'timeout');
      const reply = again ? await redis.ask(pod, brief) : first;
      if (isSilent(reply)) silent.add(pod.uid);
      else silent.delete(pod.uid);
      return reply;
    },
  };
  KNOWN.set(redis, patient);
  KNOWN.set(patient, patient);
  return patient;
}
