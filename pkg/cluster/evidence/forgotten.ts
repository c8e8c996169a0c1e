/**
 * Primaries that everybody was told to forget but their own replicas, which can't. Nobody would vote for such a replica any more,
 * because to the voters its slots are nobody's: it may hold the only copy, and never takes over by itself.
 */
import type { NodeAnswer } from '../model/observation.ts';
import type { Member } from './members.ts';

type Viewer = Pick<Member, 'nodeId' | 'answer'>;

/** Ids that are known to those who follow them, and to nobody else who answered. */
export function forgottenPrimaries(answered: readonly Viewer[]): ReadonlySet<string> {
  const followed = new Set(answered.flatMap(({ nodeId, answer }) => followedBy(nodeId, answer) ?? []));
  for (const { nodeId, answer } of answered) {
    const own = followedBy(nodeId, answer);
    for (const line of answer.view) if (line.nodeId !== own) followed.delete(line.nodeId);
  }
  return answered.every(({ nodeId, answer }) => followed.has(followedBy(nodeId, answer) ?? '')) ? new Set() : followed;
}

function followedBy(nodeId: string, answer: NodeAnswer): string | null {
  const own = answer.view.find((line) => line.nodeId === nodeId);
  return own?.role === 'replica' ? own.primaryId : null;
}
