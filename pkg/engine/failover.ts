/** `failover`, without a terminal: choose who takes over, then run the loop under the lease. */
import { interpret } from '../cluster/interpret.ts';
import type { ClusterRef, Observation } from '../cluster/model/observation.ts';
import type { FailoverGoal, Plan, StepNode } from '../cluster/model/plan.ts';
import type { ClusterState } from '../cluster/model/state.ts';
import { chooseFailover, planFailover, type FailoverWish } from '../cluster/plan/failover.ts';
import { lossOf } from '../cluster/plan/failover-preflight.ts';
import { refusal } from '../errors.ts';
import { converge, type Converged } from './converge.ts';
import { observe, type ObservePorts } from './observe.ts';
import { underLease } from './operation.ts';
import type { Report } from './report.ts';
import { takeOver } from './steps/lead.ts';
import { failover } from './steps/failover.ts';

const ASK_DEADLINE_MS = 2_000;

export interface PreparedFailover {
  readonly cluster: ClusterRef;
  readonly state: ClusterState;
  /** null: `leads` has the role already. */
  readonly goal: FailoverGoal | null;
  readonly leads: StepNode | null;
  readonly plan: Plan;
  /** What may be lost, in words: it needs consent. */
  readonly loss: string | null;
}

/** Reads, and changes nothing. @throws AppError for whatever failover would refuse */
export async function prepareFailover(
  ports: ObservePorts,
  {
    cluster,
    wish,
    signal,
  }: { readonly cluster: ClusterRef; readonly wish: FailoverWish; readonly signal: AbortSignal },
): Promise<PreparedFailover> {
  const state = interpret(await look(ports, cluster, signal));
  const choice = chooseFailover(state, wish);
  switch (choice.kind) {
    case 'refused':
      throw refusal(choice.code, choice.sentence, choice.hint);
    case 'leads':
      return { cluster, state, goal: null, leads: choice.node, plan: { kind: 'nothing', remarks: [] }, loss: null };
    case 'goal': {
      const { goal } = choice;
      return { cluster, state, goal, leads: null, plan: planFailover(state, goal), loss: lossOf(state, goal) };
    }
    default:
      return choice satisfies never;
  }
}

function look(ports: ObservePorts, cluster: ClusterRef, signal: AbortSignal): Promise<Observation> {
  return observe(ports, cluster, { deadlineMs: ASK_DEADLINE_MS, signal });
}

export interface RunFailoverInput {
  readonly cluster: ClusterRef;
  readonly goal: FailoverGoal;
  /** Whether a loss was shown and agreed to. */
  readonly consented: boolean;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** @throws AppError; the same command then goes on from there */
export async function runFailover(given: ObservePorts, input: RunFailoverInput): Promise<Converged> {
  const { cluster } = input;
  return underLease(given, cluster, 'failover', input, (held, ports) =>
    converge({
      observe: () => look(ports, cluster, held.signal),
      plan: (observation) => planAgain(interpret(observation), input),
      apply: (step, observation) => {
        const deps = { redis: ports.redis, clock: held.clock, observation, signal: held.signal };
        if (step.kind === 'failover') return failover(deps, step);
        if (step.kind === 'take-over') return takeOver(deps, step);
        throw new Error(`failover has no step ${step.kind}`);
      },
      ...held,
    }),
  );
}

/** A loss that was not there when the plan was shown was not agreed to. */
function planAgain(state: ClusterState, { goal, consented }: RunFailoverInput): Plan {
  const plan = planFailover(state, goal);
  const loss = plan.kind === 'batches' && !consented ? lossOf(state, goal) : null;
  if (loss === null) return plan;
  return {
    kind: 'refused',
    code: 'needs-consent',
    sentence: `It would now lose ${loss}`,
    hint: 'Run the same command again',
  };
}
