/** The step that hands slots with their keys from one primary to another. How they go is the mover's business. */
import { AppError } from '../../errors.ts';
import type { GossipNode, Observation } from '../../cluster/model/observation.ts';
import type { Step, StepNode } from '../../cluster/model/plan.ts';
import type { MoveEnd, MoveLimits, MoveProgress, SlotMover } from '../ports.ts';
import type { Report } from '../report.ts';

type MoveStep = Extract<Step, { kind: 'move-slots' }>;

export interface MoveSlotsDeps {
  readonly mover: SlotMover;
  readonly limits: MoveLimits;
  readonly observation: Observation;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** @throws AppError of the mover, or `node-changed` when an end of the move was not observed. */
export async function moveSlots(deps: MoveSlotsDeps, step: MoveStep): Promise<void> {
  const { observation, report } = deps;
  const tell = (progress: MoveProgress): void => report({ kind: 'moving', step, progress });
  const source = endOf(observation, step.source);
  const target = endOf(observation, step.target);
  const others = otherPrimaries(observation, [step.source.nodeId, step.target.nodeId]);
  await deps.mover.move({ source, target, ranges: step.ranges, others }, deps.limits, tell, deps.signal);
}

function endOf(observation: Observation, node: StepNode): MoveEnd {
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
function otherPrimaries(observation: Observation, without: readonly string[]): MoveEnd[] {
  return observation.replies.flatMap(({ pod, reply }) => {
    if (reply.kind !== 'answered' || reply.answer.info.role !== 'primary') return [];
    const { myId } = reply.answer;
    return without.includes(myId) ? [] : [endOf(observation, { nodeId: myId, pod })];
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
