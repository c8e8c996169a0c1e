/** `restart` with a person or without: show which pods go in which order, ask once, run it with live progress. */
import { refusal, usageError } from '../../pkg/errors.ts';
import type { ClusterRef } from '../../pkg/cluster/model/observation.ts';
import { prepareRestart, runRestart, type PreparedRestart } from '../../pkg/engine/restart.ts';
import { checkDirective, parseConfigArguments } from '../../pkg/pod/config-directives.ts';
import { chooseCluster, exists, notFound } from '../clusters.ts';
import { checkImage } from '../create/request.ts';
import type { Deps, Session } from '../deps.ts';
import type { Globals } from '../global-flags.ts';
import { inSession, portsOf, untilAborted } from '../look-at.ts';
import { confirmOrStop, operate, planLook, refuseBareOutput, writePlan } from '../operate.ts';
import type { Output } from '../output.ts';
import { counted } from '../view/format.ts';
import { restartPlanLines } from '../view/restart-plan.ts';
import { withWayBack } from './way-back.ts';

export interface RestartRequest {
  readonly args: { readonly NAME: string | undefined };
  readonly flags: {
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
  const prepared = await untilAborted(prepareRestart(ports, input), deps.signal);
  const { plan, target } = prepared;
  if (plan.kind === 'refused') throw refusal(plan.code, plan.sentence, plan.hint);
  if (flags['dry-run']) return writeDryRun(prepared, deps, flags.output);
  if (target === null) {
    deps.terminal.write(`${cluster.name} has that image and these settings already. Nothing was changed.\n`);
    return;
  }
  const look = planLook(deps, request.globals);
  deps.terminal.say(`${restartPlanLines(prepared, look).join('\n')}\n\n`);
  const resume = resumeOf(request, cluster);
  await askConsent(prepared, deps, flags.yes, resume);
  const { seconds } = await operate(deps, { colour: look.colour, resume }, async (report) => {
    try {
      return await runRestart(ports, {
        prepared,
        target,
        acceptOutage: prepared.slotsAway > 0,
        report,
        podsTimeoutMs: flags.timeout,
        resume,
        signal: deps.signal,
      });
    } catch (error) {
      throw withWayBack(error, prepared);
    }
  });
  deps.terminal.write(`${cluster.name}: ${doneInWords(prepared)} (${seconds} s)\n`);
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
async function askConsent({ slotsAway }: PreparedRestart, deps: Deps, yes: boolean, resume: string): Promise<void> {
  if (yes) return;
  const loss = `${counted(slotsAway, 'slot')} that no replica has would be away while ${slotsAway === 1 ? 'its' : 'their'} pod restarts`;
  if (deps.interactive)
    return confirmOrStop(slotsAway === 0 ? 'Go ahead?' : `Go ahead, though ${loss}?`, slotsAway === 0);
  if (slotsAway === 0) return;
  throw refusal('needs-consent', loss.charAt(0).toUpperCase() + loss.slice(1), `To agree: ${resume} --yes`);
}

function writeDryRun(prepared: PreparedRestart, deps: Deps, output: Output<'json' | 'yaml'>): Promise<void> {
  return writePlan(
    deps,
    output,
    (look) => restartPlanLines(prepared, look),
    async () => (await import('../document/restart-plan.ts')).restartPlanOf(prepared),
  );
}
