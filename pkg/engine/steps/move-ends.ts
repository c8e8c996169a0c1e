/** Nodes of the observation as ends of a move of keys: the pod to talk to, and where the other nodes reach it. */
import { AppError } from '../../errors.ts';
import type { GossipNode, Observation } from '../../cluster/model/observation.ts';
import type { StepNode } from '../../cluster/model/plan.ts';
import type { MoveEnd } from '../ports.ts';

/** @throws AppError `node-changed` when the node was not observed in that pod */
export function endOf(observation: Observation, node: StepNode): MoveEnd {
  const pod = observation.kube.pods.find((candidate) => candidate.name === node.pod);
  const line = seenBest(observation, node.nodeId);
  if (pod === undefined || line === null) {
    throw new AppError(`${node.pod} is not node ${node.nodeId.slice(0, 8)} any more`, {
      code: 'node-changed',
      hint: 'The pod was replaced meanwhile. Run the same command again',
    });
  }
  return { pod, nodeId: node.nodeId, ip: line.ip, port: line.port };
}

/** Primaries that answered, without those of the move. One that did not answer hears of it by gossip. */
export function otherPrimaries(observation: Observation, without: readonly string[]): MoveEnd[] {
  return primariesBut(observation, without).map((node) => endOf(observation, node));
}

/** Primaries that answered, but for those with these ids. */
export function primariesBut({ replies }: Observation, without: readonly string[]): StepNode[] {
  return replies.flatMap(({ pod, reply }) => {
    if (reply.kind !== 'answered' || reply.answer.info.role !== 'primary') return [];
    const { myId } = reply.answer;
    return without.includes(myId) ? [] : [{ nodeId: myId, pod }];
  });
}

/**
 * How others see the node, for that is where they reach it: its own line may still name an address that it had before. Its
 * own, where nobody else knows one.
 */
function seenBest(observation: Observation, nodeId: string): GossipNode | null {
  let own: GossipNode | null = null;
  for (const { reply } of observation.replies) {
    if (reply.kind !== 'answered') continue;
    const line = reply.answer.view.find((candidate) => candidate.nodeId === nodeId && candidate.ip !== '');
    if (line === undefined) continue;
    if (reply.answer.myId !== nodeId) return line;
    own = line;
  }
  return own;
}
