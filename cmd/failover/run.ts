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
import { confirmOrStop, operate, planLook, refuseBareOutput, writePlan } from '../operate.ts';
import type { Output } from '../output.ts';
import { failoverPlanLines } from '../view/failover-plan.ts';

export interface FailoverRequest {
  readonly args: { readonly POD: string };
  readonly flags: {
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
  const prepared = await untilAborted(prepareFailover(ports, { cluster, wish, signal: deps.signal }), deps.signal);
  const { goal, plan } = prepared;
  if (plan.kind === 'refused') throw refusal(plan.code, plan.sentence, plan.hint);
  if (flags['dry-run']) return writeDryRun(prepared, deps, flags.output);
  if (goal === null) {
    deps.terminal.write(`${prepared.leads?.pod ?? args.POD} leads already. Nothing was changed.\n`);
    return;
  }
  const look = planLook(deps, request.globals);
  deps.terminal.say(`${failoverPlanLines(prepared, look).join('\n')}\n\n`);
  const resume = resumeOf(goal, cluster);
  await askConsent(prepared, deps, flags.yes, resume);
  const { seconds } = await operate(deps, { colour: look.colour, resume }, (report) =>
    runFailover(ports, { cluster, goal, consented: prepared.loss !== null, report, signal: deps.signal }),
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

async function askConsent({ loss }: PreparedFailover, deps: Deps, yes: boolean, resume: string): Promise<void> {
  if (yes) return;
  if (deps.interactive)
    return confirmOrStop(loss === null ? 'Go ahead?' : `Go ahead, and lose ${loss}?`, loss === null);
  if (loss === null) return;
  throw refusal('needs-consent', `failover could lose ${loss}`, `To agree: ${resume} --yes`);
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
