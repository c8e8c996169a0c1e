/** `create` with a person or without: ask what is missing, show the plan, ask once, run it with live progress. */
import { refusal, usageError } from '../../pkg/errors.ts';
import { SLOT_COUNT } from '../../pkg/cluster/model/slots.ts';
import { nodeCount, type ClusterSpec } from '../../pkg/cluster/model/spec.ts';
import type { ClusterState } from '../../pkg/cluster/model/state.ts';
import { interpret } from '../../pkg/cluster/interpret.ts';
import type { GivenSpec } from '../../pkg/cluster/plan/create-spec.ts';
import { awaitBrought } from '../../pkg/engine/await-brought.ts';
import { awaitReady } from '../../pkg/engine/await-ready.ts';
import { prepareCreate, runCreate, type Prepared } from '../../pkg/engine/create.ts';
import type { ObservePorts } from '../../pkg/engine/observe.ts';
import { checkClusterName } from '../../pkg/pod/names.ts';
import type { Deps, Session } from '../deps.ts';
import type { Globals } from '../global-flags.ts';
import { inSession, portsOf } from '../look-at.ts';
import type { Output } from '../output.ts';
import { agreeOn, endLapsed, operate, planLook, refuseBareOutput, sayUnready } from '../operate.ts';
import { createPlanLines, type CreateView } from '../view/create-plan.ts';
import { askFor } from './interview.ts';
import { givenSpecOf, type CreateFlags } from './request.ts';

/** Tried when neither --image nor $KUBECTL_REDIS_IMAGE says another. */
export const DEFAULT_IMAGE = 'docker.io/library/redis:8.4';
const POLICY = { fastForming: true } as const;

export interface CreateRequest {
  readonly args: { readonly NAME: string | undefined };
  readonly flags: CreateFlags & {
    readonly 'dry-run': boolean;
    readonly timeout: number;
    readonly yes: boolean;
    readonly output: Output<'json' | 'yaml'>;
  };
  readonly globals: Globals;
}

export async function runCreateVerb(request: CreateRequest, deps: Deps): Promise<void> {
  const { flags, globals } = request;
  refuseBareOutput(flags);
  const typed = await givenSpecOf(flags);
  if (request.args.NAME !== undefined) checkClusterName(request.args.NAME);
  const interactive = deps.interactive && !flags.yes && !flags['dry-run'];
  if (request.args.NAME === undefined && !interactive)
    throw usageError('create needs a name', 'for example: kubectl redis create redis');
  await inSession(deps, globals, async (session) => {
    const { name, given } = interactive
      ? await askFor(session, request.args.NAME, typed)
      : { name: request.args.NAME ?? '', given: typed };
    await createOne(request, deps, session, name, given, interactive);
  });
}

async function createOne(
  request: CreateRequest,
  deps: Deps,
  session: Session,
  name: string,
  given: GivenSpec,
  interactive: boolean,
): Promise<void> {
  const { flags } = request;
  const ports = portsOf(deps, session);
  const cluster = { namespace: session.namespace, name };
  await awaitBrought(cluster, {
    ...ports,
    signal: deps.signal,
    timeoutMs: flags.timeout,
    say: (sentence) => deps.terminal.say(`${sentence}\n`),
  });
  const prepare = async (): Promise<Prepared> => {
    const prepared = await prepareCreate(ports, {
      cluster,
      given,
      policy: POLICY,
      defaultImage: deps.env['KUBECTL_REDIS_IMAGE'] ?? DEFAULT_IMAGE,
      tryOut: !flags['dry-run'],
      signal: deps.signal,
    });
    const { plan, spec } = prepared;
    checkClusterName(name, nodeCount(spec));
    if (plan.kind === 'refused') throw refusal(plan.code, plan.sentence, plan.hint);
    return prepared;
  };
  const first = await prepare();
  if (flags['dry-run']) return writeDryRun(first, deps, flags.output);
  const look = planLook(deps, request.globals);
  const isLeft = ({ plan }: Prepared): boolean => plan.kind === 'batches';
  const prepared = await agreeOn(first, deps, {
    show: (one) => {
      if (isLeft(one)) deps.terminal.say(`${createPlanLines(viewOf(one), look).join('\n')}\n\n`);
    },
    question: interactive && isLeft(first) ? () => ({ text: 'Go ahead?', fallback: true }) : null,
    again: prepare,
  });
  if (prepared === null || !isLeft(prepared)) {
    const { remarks, spec, state } = prepared ?? first;
    for (const remark of remarks) deps.terminal.say(`note: ${remark.sentence}\n`);
    await endLapsed(ports, state, deps);
    return sayFinished(spec, state, deps);
  }
  await runPlan(prepared, ports, deps, { name, timeoutMs: flags.timeout, colour: look.colour });
}

async function runPlan(
  prepared: Prepared,
  ports: ObservePorts,
  deps: Deps,
  options: { name: string; timeoutMs: number; colour: boolean },
): Promise<void> {
  const resume = `kubectl redis create ${options.name} -n ${prepared.spec.cluster.namespace}`;
  const { colour, timeoutMs: podsTimeoutMs } = options;
  const { result, seconds } = await operate(deps, { colour, resume }, async (report) => {
    const input = { prepared, policy: POLICY, report, podsTimeoutMs, resume, signal: deps.signal };
    const done = await runCreate(ports, input);
    return { ...done, unready: done.changes === 0 ? [] : await awaitReady({ ...ports, ...deps }, done.last) };
  });
  const state = interpret(result.last);
  if (result.changes === 0) return sayFinished(prepared.spec, state, deps);
  const is = result.unready.length === 0 ? 'ready' : 'formed';
  deps.terminal.write(`${options.name} is ${is}: ${sizeOf(state)} (${seconds} s)\n`);
  sayUnready(result.unready, prepared.spec.cluster, deps);
  deps.terminal.say(`Look at it with: kubectl redis slots ${options.name} -n ${prepared.spec.cluster.namespace}\n`);
}

function viewOf(prepared: Prepared): CreateView {
  const { spec, plan, remarks, observation } = prepared;
  const brought = prepared.brought ? observation.kube.pods.map((pod) => pod.name) : null;
  const { desired, formed } = prepared.state;
  const restarts = formed && observation.kube.pods.length === 0;
  return { spec, plan, remarks, brought, restarts, resumes: desired !== null };
}

function sayFinished(spec: ClusterSpec, state: ClusterState, deps: Deps): void {
  deps.terminal.write(`${spec.cluster.name} is there already: ${sizeOf(state)}. Nothing was changed.\n`);
}

function sizeOf(state: ClusterState): string {
  return `${state.shards.length} shards, ${state.nodes.length} nodes, ${SLOT_COUNT} slots`;
}

async function writeDryRun(prepared: Prepared, deps: Deps, output: Output<'json' | 'yaml'>): Promise<void> {
  const { dryRunDocument, dryRunManifests } = await import('./dry-run.ts');
  if (output !== 'table') {
    const { printDocument } = await import('../document/document.ts');
    deps.terminal.write(await printDocument(dryRunDocument(prepared), output));
    return;
  }
  const lines = createPlanLines(viewOf(prepared), { width: 100, colour: false });
  deps.terminal.write(await dryRunManifests(prepared, lines));
}
