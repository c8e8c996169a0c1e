/** The step that brings keys home which a node holds of slots that it does not own. How they go is the settler's business. */
import type { Observation } from '../../cluster/model/observation.ts';
import type { Step } from '../../cluster/model/plan.ts';
import type { MoveLimits, MoveProgress, StraySettler } from '../ports.ts';
import type { Report } from '../report.ts';
import { endOf, otherPrimaries } from './move-ends.ts';

export interface SettleStraysDeps {
  readonly strays: StraySettler;
  readonly limits: MoveLimits;
  readonly observation: Observation;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** @throws AppError of the settler, or `node-changed` when the holder was not observed. */
export async function settleStrays(
  { strays, limits, observation, report, signal }: SettleStraysDeps,
  step: Extract<Step, { kind: 'settle-strays' }>,
): Promise<void> {
  const holder = endOf(observation, step.holder);
  const others = otherPrimaries(observation, [step.holder.nodeId]);
  const tell = ({ slots: done, keys }: MoveProgress): void => {
    const sentence = `${keys} keys of ${done} slots of others have left ${step.holder.pod}`;
    report({ kind: 'agreeing', sentence });
  };
  const { slots, ownerGives, staleMark, older } = step;
  await strays.settle(
    { holder, others, slots, ownerGives: ownerGives === true, staleMark, older },
    limits,
    tell,
    signal,
  );
}
