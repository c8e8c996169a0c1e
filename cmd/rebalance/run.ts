/** `rebalance` with a person or without: show what moves and what it costs, ask once, run it with live progress. */
import { refusal, usageError } from '../../pkg/errors.ts';
import type { BalanceBy } from '../../pkg/cluster/plan/rebalance.ts';
import { prepareRebalance, runRebalance, type PreparedRebalance } from '../../pkg/engine/rebalance.ts';
import { chooseCluster, mustExist } from '../clusters.ts';
import type { Deps, Session } from '../deps.ts';
import type { Globals } from '../global-flags.ts';
import { inSession, portsOf, untilAborted } from '../look-at.ts';
import { ALL_PAIRS, limitsOf, typedLimits, type MoveFlagValues } from '../move-limits.ts';
import { agreeOn, endLapsed, operate, planLook, refuseBareOutput, writePlan } from '../operate.ts';
import type { Output } from '../output.ts';
import { rebalancePlanLines } from '../view/rebalance-plan.ts';

export interface RebalanceRequest {
  readonly args: { readonly NAME: string | undefined };
  readonly flags: MoveFlagValues & {
    readonly by: BalanceBy;
    readonly weight: readonly string[];
    readonly threshold: string | undefined;
    readonly 'dry-run': boolean;
    readonly yes: boolean;
    readonly output: Output<'json' | 'yaml'>;
  };
  readonly globals: Globals;
}

const DEFAULT_THRESHOLD = 2;

export async function runRebalanceVerb(request: RebalanceRequest, deps: Deps): Promise<void> {
  const { flags, globals } = request;
  refuseBareOutput(flags);
  limitsOf(flags);
  const thresholdPercent = thresholdOf(flags.threshold);
  await inSession(deps, globals, async (session) => {
    await rebalanceOne(request, deps, session, thresholdPercent);
  });
}

function thresholdOf(typed: string | undefined): number {
  if (typed === undefined) return DEFAULT_THRESHOLD;
  const percent = /^\d+(\.\d+)?%?$/.test(typed) ? Number(typed.replace('%', '')) : NaN;
  if (percent <= 100) return percent;
  throw usageError(`--threshold ${JSON.stringify(typed)} is not a percentage from 0 to 100`);
}

async function rebalanceOne(
  request: RebalanceRequest,
  deps: Deps,
  session: Session,
  thresholdPercent: number,
): Promise<void> {
  const { flags } = request;
  const ports = portsOf(deps, session);
  session.prepare();
  const cluster = await chooseCluster(session, request.args.NAME);
  const isThere = mustExist(session, cluster);
  const input = { cluster, by: flags.by, weights: flags.weight, thresholdPercent, signal: deps.signal, isThere };
  const prepare = async (): Promise<PreparedRebalance> => {
    const prepared = await untilAborted(prepareRebalance(ports, input), deps.signal);
    const { plan } = prepared;
    if (plan.kind === 'refused') throw refusal(plan.code, plan.sentence, plan.hint);
    return prepared;
  };
  const first = await prepare();
  if (flags['dry-run']) return writeDryRun(first, deps, flags);
  const look = planLook(deps, request.globals);
  const isLeft = ({ plan }: PreparedRebalance): boolean => plan.kind === 'batches';
  const prepared = await agreeOn(first, deps, {
    show: (one) => {
      if (isLeft(one)) deps.terminal.say(`${rebalancePlanLines(one, limitsOf(flags), look).join('\n')}\n\n`);
    },
    question: deps.interactive && !flags.yes && isLeft(first) ? () => ({ text: 'Go ahead?', fallback: true }) : null,
    again: prepare,
  });
  if (prepared === null || !isLeft(prepared)) {
    await endLapsed(ports, (prepared ?? first).state, deps);
    const off = `the farthest is ${(prepared ?? first).balance.worstPercent.toFixed(1)} % off`;
    deps.terminal.write(`${cluster.name} is balanced by ${flags.by}: ${off}. Nothing was changed.\n`);
    return;
  }
  const weights = flags.weight.map((weight) => ` --weight ${weight}`).join('');
  const typed = `--by ${flags.by}${weights}${typedLimits(flags)}`;
  const resume = `kubectl redis rebalance ${cluster.name} ${typed} -n ${cluster.namespace}`;
  const { seconds } = await operate(deps, { colour: look.colour, resume }, (report) =>
    runRebalance(ports, {
      prepared,
      mover: session.redis.mover,
      limits: limitsOf(flags),
      parallel: flags.parallel ?? ALL_PAIRS,
      report,
      signal: deps.signal,
    }),
  );
  deps.terminal.write(`${cluster.name} is balanced by ${flags.by} (${seconds} s)\n`);
}

function writeDryRun(prepared: PreparedRebalance, deps: Deps, flags: RebalanceRequest['flags']): Promise<void> {
  return writePlan(
    deps,
    flags.output,
    (look) => rebalancePlanLines(prepared, limitsOf(flags), look),
    async () => (await import('../document/rebalance-plan.ts')).rebalancePlanOf(prepared),
  );
}
