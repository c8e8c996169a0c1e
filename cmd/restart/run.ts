/** `restart` with a person or without: show which pods go in which order, ask once, run it with live progress. */
import { refusal, usageError } from '../../pkg/errors.ts';
import type { ClusterRef } from '../../pkg/cluster/model/observation.ts';
import type { SlotRanges } from '../../pkg/cluster/model/slots.ts';
import type { RestartTarget } from '../../pkg/cluster/plan/restart-goal.ts';
import type { ObservePorts } from '../../pkg/engine/observe.ts';
import { prepareRestart, runRestart, type PreparedRestart } from '../../pkg/engine/restart.ts';
import { checkDirective, parseConfigArguments } from '../../pkg/pod/config-directives.ts';
import { chooseCluster, exists, notFound } from '../clusters.ts';
import { checkImage } from '../create/request.ts';
import type { Deps, Session } from '../deps.ts';
import type { Globals } from '../global-flags.ts';
import { inSession, portsOf, untilAborted } from '../look-at.ts';
import { refuseUnagreed, typedLoss, type LossFlagValues } from '../loss-flag.ts';
import { agreeOn, endLapsed, operate, planLook, refuseBareOutput, writePlan, type Question } from '../operate.ts';
import type { Output } from '../output.ts';
import { counted } from '../view/format.ts';
import { asAskedFor, restartPlanLines } from '../view/restart-plan.ts';
import { withWayBack } from './way-back.ts';

export interface RestartRequest {
  readonly args: { readonly NAME: string | undefined };
  readonly flags: LossFlagValues & {
    readonly image: string | undefined;
    readonly config: readonly string[];
    readonly pod: readonly string[];
    readonly 'dry-run': boolean;
    readonly timeout: number;
    readonly yes: boolean;
    readonly output: Output<'json' | 'yaml'>;
  };
  readonly globals: Globals;
}

type Wanted = Pick<Parameters<typeof prepareRestart>[1], 'image' | 'config' | 'pods'>;

export async function runRestartVerb(request: RestartRequest, deps: Deps): Promise<void> {
  refuseBareOutput(request.flags);
  const wanted = wantedBy(request.flags);
  await inSession(deps, request.globals, async (session) => {
    session.prepare();
    const cluster = await chooseCluster(session, request.args.NAME);
    await restartOne(request, deps, session, cluster, wanted);
  });
}

/** @throws usage error */
function wantedBy({ image, config, pod }: RestartRequest['flags']): Wanted {
  const directives = parseConfigArguments(config);
  for (const [name, value] of Object.entries(directives)) checkDirective(name, value);
  const changes = image !== undefined || config.length > 0;
  // The record is one for all nodes: another image for some of them could not be told from an unfinished change.
  if (changes && pod.length > 0) throw usageError('--pod goes without --image and --config', 'they are for all nodes');
  return { image: image === undefined ? null : checkImage(image), config: directives, pods: pod };
}

async function restartOne(
  request: RestartRequest,
  deps: Deps,
  session: Session,
  cluster: ClusterRef,
  wanted: Wanted,
): Promise<void> {
  const { flags } = request;
  const ports = portsOf(deps, session);
  if (!exists(cluster, await session.kube.readFacts(cluster, deps.signal))) throw await notFound(session, cluster);
  const tell = (sentence: string): void => deps.terminal.say(`${sentence}\n`);
  const input = { cluster, ...wanted, tell, signal: deps.signal };
  const prepare = async (): Promise<PreparedRestart> => {
    const prepared = await untilAborted(prepareRestart(ports, input), deps.signal);
    const { plan } = prepared;
    if (plan.kind === 'refused') throw refusal(plan.code, plan.sentence, plan.hint);
    return prepared;
  };
  const first = await prepare();
  if (flags['dry-run']) return writeDryRun(first, deps, flags.output);
  const look = planLook(deps, request.globals);
  const resume = resumeOf(request, cluster);
  const asks = deps.interactive && !flags.yes;
  const prepared = await agreeOn(first, deps, {
    show: (one) => {
      if (one.target !== null) deps.terminal.say(`${restartPlanLines(one, look).join('\n')}\n\n`);
    },
    question: asks && first.target !== null ? questionOf : null,
    again: prepare,
  });
  const target = prepared?.target ?? null;
  if (prepared === null || target === null) {
    await endLapsed(ports, (prepared ?? first).seen.state, deps);
    deps.terminal.write(`${asAskedFor(prepared ?? first)}. Nothing was changed.\n`);
    return;
  }
  const agreedLoss = asks ? (prepared.loss?.slots ?? []) : flags['accept-data-loss'];
  refuseUnagreed('A restart', prepared.loss, agreedLoss, `${resume} --yes`);
  if (!asks) refuseOutage(prepared, flags.yes, resume);
  await runAgreed(ports, deps, { prepared, target, agreedLoss, flags, resume, colour: look.colour });
}

interface AgreedRestart {
  readonly prepared: PreparedRestart;
  readonly target: RestartTarget;
  readonly agreedLoss: SlotRanges;
  readonly flags: RestartRequest['flags'];
  readonly resume: string;
  readonly colour: boolean;
}

async function runAgreed(ports: ObservePorts, deps: Deps, agreed: AgreedRestart): Promise<void> {
  const { prepared, flags, resume, colour, ...rest } = agreed;
  const { signal } = deps;
  const podsTimeoutMs = flags.timeout;
  const { seconds } = await operate(deps, { colour, resume: `${resume}${typedLoss(flags)}` }, async (report) => {
    try {
      const input = { ...rest, prepared, agreedAway: prepared.away, report, podsTimeoutMs, resume, signal };
      return await runRestart(ports, input);
    } catch (error) {
      throw withWayBack(error, prepared);
    }
  });
  deps.terminal.write(`${prepared.cluster.name}: ${doneInWords(prepared)} (${seconds} s)\n`);
}

function doneInWords({ target, shards }: PreparedRestart): string {
  const pods = shards.reduce((sum, { order }) => sum + order.length, 0);
  const live = Object.keys(target?.live ?? {}).length;
  if (pods === 0 && live > 0) return `${counted(live, 'directive')} set on every node, no pod restarted`;
  return `${counted(pods, 'pod')} restarted`;
}

function resumeOf({ flags }: RestartRequest, cluster: ClusterRef): string {
  const image = flags.image === undefined ? '' : ` --image ${flags.image}`;
  const config = flags.config.map((directive) => ` --config ${quoted(directive)}`).join('');
  const pods = flags.pod.map((pod) => ` --pod ${pod}`).join('');
  return `kubectl redis restart ${cluster.name}${image}${config}${pods} -n ${cluster.namespace}`;
}

/** As a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Slots without a replica are away while their only pod restarts: that needs consent, also where nobody can be asked. */
function outageInWords(slotsAway: number): string {
  return `${counted(slotsAway, 'slot')} that no replica has would be away while ${slotsAway === 1 ? 'its' : 'their'} pod restarts`;
}

function questionOf({ slotsAway, loss }: PreparedRestart): Question {
  if (loss !== null) return { text: `Go ahead, and lose ${loss.sentence}?`, fallback: false };
  if (slotsAway > 0) return { text: `Go ahead, though ${outageInWords(slotsAway)}?`, fallback: false };
  return { text: 'Go ahead?', fallback: true };
}

function refuseOutage({ slotsAway }: PreparedRestart, yes: boolean, resume: string): void {
  if (yes || slotsAway === 0) return;
  const away = outageInWords(slotsAway);
  throw refusal('needs-consent', away.charAt(0).toUpperCase() + away.slice(1), `To agree: ${resume} --yes`);
}

function writeDryRun(prepared: PreparedRestart, deps: Deps, output: Output<'json' | 'yaml'>): Promise<void> {
  return writePlan(
    deps,
    output,
    (look) => restartPlanLines(prepared, look),
    async () => (await import('../document/restart-plan.ts')).restartPlanOf(prepared),
  );
}
