/** Whether a node that was not heard is surely not serving. A broken tunnel, a wrong password or a slow answer proves nothing. */
import type { UnreachableReason } from '../model/observation.ts';
import type { ClusterNode } from '../model/state.ts';

const CERTAIN: ReadonlySet<UnreachableReason> = new Set([
  'no-pod',
  'not-running',
  'guard-waiting',
  'refused',
  'loading',
]);

export function isCertain(why: UnreachableReason): boolean {
  return CERTAIN.has(why);
}

export function isDown(node: ClusterNode): boolean {
  if (node.reply?.kind === 'answered') return false;
  if (node.unreachable !== null && isCertain(node.unreachable.why)) return true;
  return node.gossip !== null && isSeenDown(node.gossip.flags);
}

/** FAIL or PFAIL or without an address, as the majority has it. */
export function isSeenDown(flags: readonly string[]): boolean {
  return flags.some((flag) => flag === 'fail' || flag === 'fail?' || flag === 'noaddr');
}
