/** `failover` with a person or without: show who takes over from whom, ask once, run it. */
import { refusal, usageError } from '../../pkg/errors.ts';
import type { ClusterRef } from '../../pkg/cluster/model/observation.ts';
import type { FailoverGoal } from '../../pkg/cluster/model/plan.ts';
import type { How } from '../../pkg/cluster/plan/failover.ts';
import { prepareFailover, runFailover, type PreparedFailover } from '../../pkg/engine/failover.ts';
import { clusterOfPod, exists, notFound } from '../clusters.ts';
import type { Deps, Session } from '../deps.ts';
import type { Globals } from '../global-flags.ts';
import { inSession, portsOf, untilAborted } from '../look-at.ts';
import { refuseUnagreed, typedLoss, type LossFlagValues } from '../loss-flag.ts';
import { agreeOn, endLapsed, operate, planLook, refuseBareOutput, writePlan, type Question } from '../operate.ts';
import type { Output } from '../output.ts';
import { failoverPlanLines } from '../view/failover-plan.ts';

export interface FailoverRequest {
  readonly args: { readonly POD: string };
  readonly flags: LossFlagValues & {
    readonly to: string | undefined;
    readonly cluster: string | undefined;
    readonly force: boolean;
    readonly takeover: boolean;
    readonly 'dry-run': boolean;
    readonly yes: boolean;
    readonly output: Output<'json' | 'yaml'>;
  };
  readonly globals: Globals;
}

export async function runFailoverVerb(request: FailoverRequest, deps: Deps): Promise<void> {
  const { flags, globals } = request;
  refuseBareOutput(flags);
  if (flags.force && flags.takeover)
    throw usageError('--force and --takeover are two ways', 'first --force; --takeover where nobody can be elected');
  await inSession(deps, globals, async (session) => {
    session.prepare();
    const cluster = await clusterOfPod(session, request.args.POD, flags.cluster);
    await failoverOne(request, deps, session, cluster);
  });
}

async function failoverOne(request: FailoverRequest, deps: Deps, session: Session, cluster: ClusterRef): Promise<void> {
  const { args, flags } = request;
  const ports = portsOf(deps, session);
  if (!exists(cluster, await session.kube.readFacts(cluster, deps.signal))) throw await notFound(session, cluster);
  const wish = { who: args.POD, to: flags.to ?? null, how: howOf(flags) };
  const prepare = async (): Promise<PreparedFailover> => {
    const prepared = await untilAborted(prepareFailover(ports, { cluster, wish, signal: deps.signal }), deps.signal);
    const { plan } = prepared;
    if (plan.kind === 'refused') throw refusal(plan.code, plan.sentence, plan.hint);
    return prepared;
  };
  const first = await prepare();
  if (flags['dry-run']) return writeDryRun(first, deps, flags.output);
  const look = planLook(deps, request.globals);
  const asks = deps.interactive && !flags.yes;
  const prepared = await agreeOn(first, deps, {
    show: (one) => {
      if (one.goal !== null) deps.terminal.say(`${failoverPlanLines(one, look).join('\n')}\n\n`);
    },
    question: asks && first.goal !== null ? questionOf : null,
    again: prepare,
  });
  const goal = prepared?.goal ?? null;
  if (prepared === null || goal === null) {
    await endLapsed(ports, (prepared ?? first).state, deps);
    deps.terminal.write(`${prepared?.leads?.pod ?? args.POD} leads already. Nothing was changed.\n`);
    return;
  }
  const resume = resumeOf(goal, cluster);
  const agreed = asks ? (prepared.loss?.slots ?? []) : flags['accept-data-loss'];
  refuseUnagreed('failover', prepared.loss, agreed, resume);
  const { seconds } = await operate(deps, { colour: look.colour, resume: `${resume}${typedLoss(flags)}` }, (report) =>
    runFailover(ports, { cluster, goal, agreed, shown: asks ? prepared.loss : null, report, signal: deps.signal }),
  );
  deps.terminal.write(`${goal.node.pod} leads in place of ${nameOf(goal.primary)} (${seconds} s)\n`);
}

function howOf({ force, takeover }: FailoverRequest['flags']): How {
  if (takeover) return 'takeover';
  return force ? 'force' : 'coordinated';
}

/** With `--to`: the bare command would hand the role back once it had changed. */
function resumeOf({ node, primary, how }: FailoverGoal, cluster: ClusterRef): string {
  const flag = how === 'coordinated' ? '' : ` --${how}`;
  const from = primary.pod === '' ? node.pod : primary.pod;
  return `kubectl redis failover ${from} --to ${node.pod}${flag} --cluster ${cluster.name} -n ${cluster.namespace}`;
}

function questionOf({ loss }: PreparedFailover): Question {
  return { text: loss === null ? 'Go ahead?' : `Go ahead, and lose ${loss.sentence}?`, fallback: loss === null };
}

function nameOf({ pod, nodeId }: FailoverGoal['node']): string {
  return pod === '' ? nodeId.slice(0, 8) : pod;
}

function writeDryRun(prepared: PreparedFailover, deps: Deps, output: Output<'json' | 'yaml'>): Promise<void> {
  return writePlan(
    deps,
    output,
    (look) => failoverPlanLines(prepared, look),
    async () => (await import('../document/failover-plan.ts')).failoverPlanOf(prepared),
  );
}
