/** `scale` with a person or without: show what changes and what it costs, ask once, run it with live progress. */
import { refusal, usageError } from '../../pkg/errors.ts';
import { awaitReady } from '../../pkg/engine/await-ready.ts';
import { interpret } from '../../pkg/cluster/interpret.ts';
import type { ClusterRef } from '../../pkg/cluster/model/observation.ts';
import type { ClusterState } from '../../pkg/cluster/model/state.ts';
import {
  goingNodes,
  lookBeforeScale,
  prepareScale,
  runScale,
  type AskedShape,
  type PreparedScale,
  type ScaleSight,
} from '../../pkg/engine/scale.ts';
import { checkClusterName } from '../../pkg/pod/names.ts';
import { checkName, mustExist } from '../clusters.ts';
import { mastersWrong } from '../create/request.ts';
import type { Deps, Session } from '../deps.ts';
import type { Globals } from '../global-flags.ts';
import { inSession, portsOf, untilAborted } from '../look-at.ts';
import { ALL_PAIRS, limitsOf, typedLimits, type MoveFlagValues } from '../move-limits.ts';
import {
  agreeOn,
  endLapsed,
  operate,
  planLook,
  refuseBareOutput,
  sayUnready,
  writePlan,
  type Question,
} from '../operate.ts';
import type { Output } from '../output.ts';
import { removalInWords, scalePlanLines } from '../view/scale-plan.ts';
import { isTyped, shapeFrom } from './interview.ts';

export interface ScaleRequest {
  readonly args: { readonly NAME: string };
  readonly flags: MoveFlagValues & {
    readonly masters: number | undefined;
    readonly replicas: number | undefined;
    readonly 'dry-run': boolean;
    readonly timeout: number;
    readonly yes: boolean;
    readonly output: Output<'json' | 'yaml'>;
  };
  readonly globals: Globals;
}

export async function runScaleVerb(request: ScaleRequest, deps: Deps): Promise<void> {
  const { flags, globals } = request;
  refuseBareOutput(flags);
  const wrong = mastersWrong(flags.masters);
  if (wrong !== null) throw usageError(`--masters ${flags.masters}: ${wrong}`);
  limitsOf(flags);
  const name = checkName(request.args.NAME);
  const typed = { masters: flags.masters ?? null, replicas: flags.replicas ?? null };
  const interactive = deps.interactive && !flags.yes && !flags['dry-run'];
  if (!isTyped(typed) && !interactive) {
    const hint = `for example: kubectl redis scale ${name} --masters 5`;
    throw usageError('scale needs --masters or --replicas, or both', hint);
  }
  await inSession(deps, globals, async (session) => {
    await scaleOne(request, deps, session, { namespace: session.namespace, name }, typed);
  });
}

async function scaleOne(
  request: ScaleRequest,
  deps: Deps,
  session: Session,
  cluster: ClusterRef,
  typed: AskedShape,
): Promise<void> {
  const { flags } = request;
  const ports = portsOf(deps, session);
  session.prepare();
  const isThere = mustExist(session, cluster);
  const see = (): Promise<ScaleSight> =>
    untilAborted(lookBeforeScale(ports, cluster, deps.signal, isThere), deps.signal);
  const seen = await see();
  const shape = await shapeFrom(typed, seen.recorded);
  const prepare = (sight: ScaleSight): PreparedScale => {
    const prepared = prepareScale(sight, shape);
    const { plan, wanted } = prepared;
    checkClusterName(cluster.name, wanted.masters * (1 + wanted.replicas));
    if (plan.kind === 'refused') throw refusal(plan.code, plan.sentence, plan.hint);
    return prepared;
  };
  const first = prepare(seen);
  if (flags['dry-run']) return writeDryRun(first, deps, flags);
  const look = planLook(deps, request.globals);
  const isLeft = ({ plan }: PreparedScale): boolean => plan.kind === 'batches';
  const prepared = await agreeOn(first, deps, {
    show: (one) => {
      if (isLeft(one)) deps.terminal.say(`${scalePlanLines(one, limitsOf(flags), look).join('\n')}\n\n`);
    },
    question: deps.interactive && !flags.yes && isLeft(first) ? questionOf : null,
    again: async () => prepare(await see()),
  });
  if (prepared === null || !isLeft(prepared)) {
    const { state } = (prepared ?? first).seen;
    await endLapsed(ports, state, deps);
    deps.terminal.write(`${cluster.name} has that shape already: ${sizeOf(state)}. Nothing was changed.\n`);
    return;
  }
  if (!deps.interactive && !flags.yes) refuseRemoval(prepared);
  const { wanted } = prepared;
  const typedAgain = `--masters ${wanted.masters} --replicas ${wanted.replicas}${typedLimits(flags)}`;
  const resume = `kubectl redis scale ${cluster.name} ${typedAgain} -n ${cluster.namespace}`;
  const { result, seconds } = await operate(deps, { colour: look.colour, resume }, async (report) => {
    const done = await runScale(ports, {
      cluster,
      wanted,
      agreedToGo: goingNodes(prepared.outline),
      mover: session.redis.mover,
      limits: limitsOf(flags),
      parallel: flags.parallel ?? ALL_PAIRS,
      report,
      podsTimeoutMs: flags.timeout,
      resume: `${resume}${flags.yes ? ' --yes' : ''}`,
      signal: deps.signal,
    });
    return { ...done, unready: await awaitReady({ ...ports, ...deps }, done.last.observation) };
  });
  deps.terminal.write(
    `${cluster.name} has its new shape: ${sizeOf(interpret(result.last.observation))} (${seconds} s)\n`,
  );
  sayUnready(result.unready, cluster, deps);
}

function questionOf({ outline }: PreparedScale): Question {
  const removed = removalInWords(outline);
  return { text: removed === null ? 'Go ahead?' : `Go ahead, and remove ${removed}?`, fallback: removed === null };
}

/** Volumes go with the nodes that go: that needs consent, also where nobody can be asked. @throws AppError `needs-consent` */
function refuseRemoval({ wanted, seen, outline }: PreparedScale): void {
  const { name, namespace } = seen.recorded.cluster;
  const removed = removalInWords(outline);
  if (removed === null) return;
  throw refusal(
    'needs-consent',
    `scale would remove ${removed}, once they own nothing any more`,
    `To agree: kubectl redis scale ${name} --masters ${wanted.masters} --replicas ${wanted.replicas} --yes -n ${namespace}`,
  );
}

function sizeOf(state: ClusterState): string {
  const owners = state.nodes.filter((node) => node.slots.length > 0).length;
  const replicas = state.nodes.filter((node) => node.role === 'replica').length;
  return `${owners} primaries, ${replicas} replicas`;
}

function writeDryRun(prepared: PreparedScale, deps: Deps, flags: ScaleRequest['flags']): Promise<void> {
  return writePlan(
    deps,
    flags.output,
    (look) => scalePlanLines(prepared, limitsOf(flags), look),
    async () => (await import('../document/scale-plan.ts')).scalePlanOf(prepared),
  );
}
