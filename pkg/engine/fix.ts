/**
 * `fix`, without a terminal: look thoroughly, plan, then run one batch at a time under the lease. Before each batch everything is
 * looked at again, so that what heals by itself, or what a start guard mends meanwhile, is not mended twice.
 */
import { AppError, EXIT } from '../errors.ts';
import { interpret } from '../cluster/interpret.ts';
import type { ClusterRef, Observation } from '../cluster/model/observation.ts';
import type { Plan, Step } from '../cluster/model/plan.ts';
import { recordOf } from '../cluster/model/record.ts';
import type { ClusterSpec } from '../cluster/model/spec.ts';
import type { ClusterState } from '../cluster/model/state.ts';
import { agreeTo, covers, isNamedIn, NOTHING_AGREED } from '../cluster/plan/fix/agreement.ts';
import { planFix } from '../cluster/plan/fix/fix.ts';
import type { FixPlan, FixPolicy, Repair, SlotKeys } from '../cluster/plan/fix/fix-plan.ts';
import { converge, type Converged } from './converge.ts';
import { findNoRoom } from './find-no-room.ts';
import { fixPatience, forgiving } from './fix-patience.ts';
import { observeToChange, type ObservePorts } from './observe.ts';
import { underLease } from './operation.ts';
import type { MoveLimits, SlotMover, StraySettler } from './ports.ts';
import type { Report } from './report.ts';
import { queueUntilFailure } from './side-by-side.ts';
import { patientWithNodes } from './slow-nodes.ts';
import { countReplicaKeys, countSlotKeys } from './slot-keys.ts';
import { applyStep } from './steps/apply.ts';

/** Counting the keys of every slot of a node takes its time on a busy machine. A frozen node delays the first look by as much. */
const ASK_DEADLINE_MS = 5_000;
const PODS_TIMEOUT_MS = 300_000;
const ALL_PAIRS = 100;

export interface FixSight {
  readonly observation: Observation;
  readonly state: ClusterState;
  readonly slotKeys: SlotKeys;
  /** null where the cluster is not one that `create` made. */
  readonly recorded: ClusterSpec | null;
  readonly plan: FixPlan;
}

export interface PrepareFixInput {
  readonly cluster: ClusterRef;
  readonly policy: FixPolicy;
  readonly signal: AbortSignal;
  /** Asked for room where slots are open. */
  readonly mover: Pick<SlotMover, 'lacks'>;
}

/** Reads everything and changes nothing. @throws AppError when Kubernetes can't be read; never because of a Redis node */
export async function prepareFix(ports: ObservePorts, input: PrepareFixInput): Promise<FixSight> {
  return lookToFix({ ...ports, redis: patientWithNodes(ports.redis) }, input);
}

async function lookToFix(ports: ObservePorts, { cluster, policy, signal, mover }: PrepareFixInput): Promise<FixSight> {
  const options = { deadlineMs: ASK_DEADLINE_MS, withConfig: true, countKeys: true, signal };
  const observation = await observeToChange(ports, cluster, options);
  const state = interpret(observation);
  const [slotKeys, replicaKeys, noRoom] = await Promise.all([
    countSlotKeys(ports.redis, observation, state),
    countReplicaKeys(ports.redis, state),
    findNoRoom(mover, observation, state, signal),
  ]);
  const recorded = recordOf(observation.kube, cluster).spec;
  const plan = planFix(state, policy, { observation, slotKeys, replicaKeys, noRoom });
  return { observation, state, slotKeys, recorded, plan };
}

export interface RunFixInput extends PrepareFixInput {
  readonly mover: SlotMover;
  readonly strays: StraySettler;
  readonly limits: MoveLimits;
  readonly report: Report;
  /** Codes of problems that are to stay as they are. */
  readonly skip: ReadonlySet<string>;
  /**
   * Asked when the turn of a repair comes, and again when it is not what was agreed to any more; left out: yes to all. Whoever says no
   * skips all problems of that code.
   */
  readonly consent?: (repair: Repair, plan: FixPlan) => Promise<boolean>;
  /**
   * Where nobody can be asked, the plan that was shown: what it did not name, and no typed slots either, nobody has agreed to, and is skipped.
   * Left out: whatever the policy allows is done.
   */
  readonly named?: FixPlan;
  /** Pairs of nodes that move slots at a time. */
  readonly parallel?: number;
  readonly podsTimeoutMs?: number;
  /** The command that goes on after a failure. */
  readonly resume?: string;
}

export interface Fixed extends Converged<FixSight> {
  /** Codes that were worked on, in order. */
  readonly repaired: readonly string[];
  /** Codes that were left on purpose. */
  readonly skipped: readonly string[];
}

/** Repairs what can be repaired, and waits a while for what ends by itself. @throws AppError; the same command then goes on from there */
export async function runFix(given: ObservePorts, input: RunFixInput): Promise<Fixed> {
  const unfenced = { ...given, redis: patientWithNodes(given.redis), mover: input.mover, strays: input.strays };
  const { cluster, policy, limits } = input;
  return underLease(unfenced, cluster, 'fix', input, async (held, ports) => {
    const { mover, strays } = ports;
    const skipped = new Set(input.skip);
    let agreement = NOTHING_AGREED;
    const repaired = new Set<string>();
    const queue = queueUntilFailure(input.parallel ?? ALL_PAIRS);
    const tell = (sentence: string): void => held.report({ kind: 'trouble', sentence });
    const look = (): Promise<FixSight> => lookToFix(ports, { cluster, policy, mover, signal: held.signal });
    const nextOf = ({ plan }: FixSight): Repair | undefined => plan.repairs.find(({ code }) => !skipped.has(code));
    const settled = fixPatience<FixSight>({ ...held, tell });
    const forgive = forgiving({ ...held, tell });
    const converged = await converge<FixSight>({
      ...held,
      observe: async () => {
        for (;;) {
          const seen = await settled(look, nextOf);
          const next = nextOf(seen);
          if (next === undefined) return seen;
          const isUnnamed = input.named !== undefined && !isNamedIn(input.named, next, policy.acceptDataLoss);
          if (!isUnnamed && (input.consent === undefined || covers(agreement, next))) {
            repaired.add(next.code);
            return seen;
          }
          if (input.consent === undefined) {
            tell(unnamedSentence(next));
            skipped.add(next.code);
            continue;
          }
          // Whoever is asked may read for minutes: what is done afterwards is what is seen then, if that is what was agreed to.
          if (await input.consent(next, seen.plan)) agreement = agreeTo(agreement, next);
          else skipped.add(next.code);
        }
      },
      plan: (seen) => asPlan(nextOf(seen)),
      apply: (step, seen) => {
        const run = (): Promise<void> => applyStep(depsOf(step, seen), step, seen.observation);
        const forgiven = (): Promise<void> => forgive(step, run);
        return step.kind === 'move-slots' ? queue(forgiven) : forgiven();
      },
    });
    return { ...converged, repaired: [...repaired], skipped: [...skipped] };

    function depsOf(step: Step, { recorded }: FixSight): Parameters<typeof applyStep>[0] {
      if (recorded === null && RENDERING.has(step.kind)) throw nothingRecorded(cluster);
      const timing = { podsTimeoutMs: input.podsTimeoutMs ?? PODS_TIMEOUT_MS, resume: input.resume ?? 'fix' };
      const spec = recorded ?? unrecorded(cluster);
      return { ...ports, ...held, ...timing, spec, ownsObjects: recorded !== null, moving: { mover, limits, strays } };
    }
  });
}

function unnamedSentence({ code, title, loses }: Repair): string {
  return `${code} is left: to ${title} would lose ${loses?.sentence ?? ''}, which the plan did not name when it was shown. The same command names it first`;
}

/** Only the first batch of the first repair: the rest is planned from what it leaves. */
function asPlan(repair: Repair | undefined): Plan {
  return repair === undefined
    ? { kind: 'nothing', remarks: [] }
    : { kind: 'batches', batches: repair.batches.slice(0, 1), remarks: [] };
}

/** Steps whose objects are made from the recorded shape. */
const RENDERING: ReadonlySet<Step['kind']> = new Set(['apply-services', 'apply-workloads', 'apply-budgets']);

function nothingRecorded({ name }: ClusterRef): AppError {
  return new AppError(`The shape of ${name} is not recorded`, {
    code: 'foreign-cluster',
    exitCode: EXIT.refused,
    hint: 'Its objects were not made by kubectl redis create: mend them with what made them',
  });
}

/** For steps on Redis nodes, which need no more of it than the name. */
function unrecorded(cluster: ClusterRef): ClusterSpec {
  const none = {
    storageClass: null,
    memory: null,
    cpu: null,
    imagePullPolicy: null,
    nodes: null,
    scaling: null,
    restarted: null,
  };
  return {
    ...none,
    cluster,
    masters: 0,
    replicas: 0,
    image: '',
    storage: '',
    config: {},
    auth: false,
    antiAffinity: 'off',
    networkPolicy: false,
  };
}
