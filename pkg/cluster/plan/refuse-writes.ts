/**
 * Slots do not move from or to a node that refuses writes: MIGRATE is a write on both ends, so that a move would only leave slots open
 * there. A node whose memory is full may still give slots away; that is the way out of it. Nor do they move to a volume that somebody deletes.
 */
import { whyWritesRefused } from '../check/refused-writes.ts';
import type { Plan } from '../model/plan.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { refuse } from './form-members.ts';

/** Who takes part in moves, by node id. */
export interface Movers {
  readonly gives: ReadonlySet<string>;
  readonly takes: ReadonlySet<string>;
}

/**
 * The first node that can take part in no move, or null. For whatever is about to move slots.
 * @param movers those that are to; left out: all owners of slots, as far as is known they only give
 */
export function refuseUnwritable({ nodes, cluster }: ClusterState, movers?: Movers): Plan | null {
  for (const node of nodes) {
    if (node.reply?.kind !== 'answered') continue;
    const { gives, takes } = partOf(node, movers);
    const going = takes ? node.pod?.goingClaim : undefined;
    if (going !== undefined)
      return refuse(
        'no-volume',
        `${node.pod?.name ?? '?'} keeps its data on claim ${going}, which is being deleted, so no slot may move to it`,
        `kubectl redis check ${cluster.name} says how it gets a new volume; run the same command then`,
      );
    const refused = gives || takes ? whyWritesRefused(node.reply.answer) : null;
    if (refused === null || (refused.kind === 'memory' && !takes)) continue;
    const sentence = `${node.pod?.name ?? node.nodeId} refuses writes (${refused.error}: ${refused.why}), so no slot can move from or to it`;
    return refuse(
      'writes-refused',
      sentence,
      `kubectl redis check ${cluster.name} says how it gets room; run the same command then`,
    );
  }
  return null;
}

function partOf({ nodeId, slots }: ClusterNode, movers: Movers | undefined): Record<'gives' | 'takes', boolean> {
  if (movers === undefined || nodeId === null) return { gives: slots.length > 0, takes: false };
  return { gives: movers.gives.has(nodeId), takes: movers.takes.has(nodeId) };
}
