/** The step that hands slots with their keys from one primary to another. How they go is the mover's business. */
import type { Observation } from '../../cluster/model/observation.ts';
import type { Step } from '../../cluster/model/plan.ts';
import type { MoveLimits, MoveProgress, SlotMover } from '../ports.ts';
import type { Report } from '../report.ts';
import { copyLibraries } from './load-functions.ts';
import { endOf, otherPrimaries } from './move-ends.ts';
import type { RedisStepDeps } from './redis-steps.ts';

type MoveStep = Extract<Step, { kind: 'move-slots' }>;

export interface MoveSlotsDeps extends RedisStepDeps {
  readonly mover: SlotMover;
  readonly limits: MoveLimits;
  readonly report: Report;
}

/** @throws AppError of the mover, `function-refused`, or `node-changed` when an end of the move was not observed. */
export async function moveSlots(deps: MoveSlotsDeps, step: MoveStep): Promise<void> {
  const { observation, report } = deps;
  const tell = (progress: MoveProgress): void => report({ kind: 'moving', step, progress });
  const source = endOf(observation, step.source);
  const target = endOf(observation, step.target);
  const others = otherPrimaries(observation, [step.source.nodeId, step.target.nodeId]);
  // Before the first slot: from then on clients call functions there, and no way of moving slots takes them along.
  await copyLibraries(deps, step.source, step.target);
  const marks = givenElsewhere(observation, step);
  await deps.mover.move({ source, target, ranges: step.ranges, others, marks }, deps.limits, tell, deps.signal);
}

/** What the plan was made from: a move may wait for its turn, and whoever opens a slot meanwhile moves it. */
function givenElsewhere({ replies }: Observation, { source, target }: MoveStep): number[] {
  const line = replies
    .flatMap(({ reply }) => (reply.kind === 'answered' && reply.answer.myId === source.nodeId ? reply.answer.view : []))
    .find(({ nodeId }) => nodeId === source.nodeId);
  return (line?.migrating ?? []).filter(({ toNodeId }) => toNodeId !== target.nodeId).map(({ slot }) => slot);
}
