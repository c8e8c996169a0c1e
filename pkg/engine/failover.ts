/** `failover`, without a terminal: choose who takes over, then run the loop under the lease. */
import { evidenceOf } from '../cluster/evidence/evidence.ts';
import { interpret } from '../cluster/interpret.ts';
import { isAgreed, lossFlag, type Loss, isNoMore } from '../cluster/model/loss.ts';
import type { ClusterRef, Observation } from '../cluster/model/observation.ts';
import type { FailoverGoal, Plan, StepNode } from '../cluster/model/plan.ts';
import type { SlotRanges } from '../cluster/model/slots.ts';
import type { ClusterState } from '../cluster/model/state.ts';
import { chooseFailover, planFailover, type FailoverWish } from '../cluster/plan/failover.ts';
import { failoverFingerprint, failoverLoss, type FailoverSeen } from '../cluster/plan/failover-preflight.ts';
import { refusal } from '../errors.ts';
import { converge, type Converged } from './converge.ts';
import { observe, type ObservePorts } from './observe.ts';
import { underLease } from './operation.ts';
import type { Report } from './report.ts';
import { countReplicaKeys } from './slot-keys.ts';
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
  /** It needs consent by its slots. */
  readonly loss: Loss | null;
  /** Of all that was shown: equal where a person who agreed to the one has agreed to the other. */
  readonly fingerprint: string;
}

interface Sight extends FailoverSeen {
  readonly observation: Observation;
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
  const first = await look(ports, cluster, signal);
  const choice = chooseFailover(first, wish);
  const { state } = first;
  switch (choice.kind) {
    case 'refused':
      throw refusal(choice.code, choice.sentence, choice.hint);
    case 'leads': {
      const plan: Plan = { kind: 'nothing', remarks: [] };
      return { cluster, state, goal: null, leads: choice.node, plan, loss: null, fingerprint: '' };
    }
    case 'goal': {
      const { goal } = choice;
      const seen = await withKeys(ports, first, goal);
      const loss = failoverLoss(seen, goal);
      const fingerprint = failoverFingerprint(seen, goal);
      return { cluster, state, goal, leads: null, plan: planFailover(seen, goal), loss, fingerprint };
    }
    default:
      return choice satisfies never;
  }
}

async function look(ports: ObservePorts, cluster: ClusterRef, signal: AbortSignal): Promise<Sight> {
  const observation = await observe(ports, cluster, { deadlineMs: ASK_DEADLINE_MS, signal });
  const state = interpret(observation);
  return { observation, state, evidence: evidenceOf(state, observation.kube) };
}

/** Without the primary's word it matters what its replicas have of its slots. */
async function withKeys(ports: ObservePorts, seen: Sight, { how, primary }: FailoverGoal): Promise<Sight> {
  if (how === 'coordinated') return seen;
  const keys = await countReplicaKeys(ports.redis, seen.state, [primary.nodeId]);
  return { ...seen, evidence: evidenceOf(seen.state, seen.observation.kube, keys) };
}

export interface RunFailoverInput {
  readonly cluster: ClusterRef;
  readonly goal: FailoverGoal;
  /** Slots whose keys may be lost: what was shown and agreed to. */
  readonly agreed: SlotRanges;
  /** What a person was asked about; null = the slots were typed, whatever is lost of them. */
  readonly shown: Loss | null;
  readonly report: Report;
  readonly signal: AbortSignal;
}

/** @throws AppError; the same command then goes on from there */
export async function runFailover(given: ObservePorts, input: RunFailoverInput): Promise<Converged<FailoverSeen>> {
  const { cluster, goal } = input;
  return underLease(given, cluster, 'failover', input, (held, ports) =>
    converge<Sight>({
      observe: async () => withKeys(ports, await look(ports, cluster, held.signal), goal),
      plan: (seen) => planAgain(seen, input),
      apply: (step, { observation }) => {
        const deps = { redis: ports.redis, clock: held.clock, observation, signal: held.signal };
        if (step.kind === 'failover') return failover(deps, step);
        if (step.kind === 'take-over') return takeOver(deps, step);
        throw new Error(`failover has no step ${step.kind}`);
      },
      ...held,
    }),
  );
}

/** Pure. A loss that was not there when the plan was shown was not agreed to. */
export function planAgain(
  seen: FailoverSeen,
  { goal, agreed, shown }: Pick<RunFailoverInput, 'goal' | 'agreed' | 'shown'>,
): Plan {
  const plan = planFailover(seen, goal);
  const loss = plan.kind === 'batches' ? failoverLoss(seen, goal) : null;
  // A primary that has come back since has more to lose than was shown.
  if (loss === null || (isAgreed(loss, agreed) && (shown === null || isNoMore(loss, shown)))) return plan;
  return {
    kind: 'refused',
    code: 'needs-consent',
    sentence: `It would lose ${loss.sentence}`,
    hint: `Nothing was changed. To agree: ${lossFlag(loss.slots)}`,
  };
}
