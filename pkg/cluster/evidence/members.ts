/** Nodes that answered, as checks and planners look at them. */
import type { NodeAnswer } from '../model/observation.ts';
import type { StepNode } from '../model/plan.ts';
import type { ClusterNode } from '../model/state.ts';

/** Where a node stands. */
export interface Place {
  readonly pod: string;
  readonly host: string | null;
  readonly zone: string | null;
}

/** A node that answered. */
export interface Member {
  readonly node: ClusterNode;
  readonly nodeId: string;
  readonly pod: string;
  /** The two above, as steps name it. */
  readonly step: StepNode;
  readonly uid: string;
  readonly answer: NodeAnswer;
  readonly place: Place;
  /** Ids that it knows for good: itself included, handshakes left out. */
  readonly knows: ReadonlySet<string>;
}

/** The node where it answered; empty where it did not. */
export function memberOf(node: ClusterNode): Member[] {
  if (node.pod === null || node.nodeId === null || node.reply?.kind !== 'answered') return [];
  const { answer } = node.reply;
  const known = answer.view.filter((other) => !other.flags.includes('handshake')).map((other) => other.nodeId);
  const step = { nodeId: node.nodeId, pod: node.pod.name };
  const place = { pod: node.pod.name, host: node.host, zone: node.zone };
  return [{ node, ...step, step, uid: node.pod.uid, answer, place, knows: new Set(known) }];
}
