/** `delete` with a person or without: show what goes and what stays, ask once, run it with live progress. */
import { refusal, type AppError } from '../../pkg/errors.ts';
import { keptObjects } from '../../pkg/cluster/plan/delete.ts';
import { prepareDelete, runDelete, type PreparedDelete, type RunDeleteInput } from '../../pkg/engine/delete.ts';
import type { ObservePorts } from '../../pkg/engine/observe.ts';
import { checkName, exists, notFound } from '../clusters.ts';
import type { Deps, Session } from '../deps.ts';
import type { Globals } from '../global-flags.ts';
import { inSession, portsOf, untilAborted } from '../look-at.ts';
import type { Output } from '../output.ts';
import { refuseUnagreed, typedLoss, type LossFlagValues } from '../loss-flag.ts';
import { agreeOn, endLapsed, operate, planLook, refuseBareOutput, writePlan, type Question } from '../operate.ts';
import { deletePlanLines, keptLines, lossInWords } from '../view/delete-plan.ts';

export interface DeleteRequest {
  readonly args: { readonly NAME: string };
  readonly flags: LossFlagValues & {
    readonly 'purge-data': boolean;
    readonly 'dry-run': boolean;
    readonly timeout: number;
    readonly yes: boolean;
    readonly output: Output<'json' | 'yaml'>;
  };
  readonly globals: Globals;
}

export async function runDeleteVerb(request: DeleteRequest, deps: Deps): Promise<void> {
  const { flags, globals } = request;
  refuseBareOutput(flags);
  checkName(request.args.NAME);
  await inSession(deps, globals, async (session) => {
    await deleteOne(request, deps, session);
  });
}

async function deleteOne(request: DeleteRequest, deps: Deps, session: Session): Promise<void> {
  const { flags } = request;
  const ports = portsOf(deps, session);
  const cluster = { namespace: session.namespace, name: request.args.NAME };
  const purge = flags['purge-data'];
  const input = { cluster, purge, tryOut: !flags['dry-run'], signal: deps.signal };
  const prepare = async (): Promise<PreparedDelete> => {
    // Only reading ends at once on Ctrl-C: what changes something gives its lease back first.
    const prepared = await untilAborted(prepareDelete(ports, input), deps.signal);
    const { plan, inventory } = prepared;
    if (inventory.owned.length === 0) throw await nothingOfOurs(session, prepared);
    if (plan.kind === 'refused') throw refusal(plan.code, plan.sentence, plan.hint);
    return prepared;
  };
  const first = await prepare();
  for (const gap of first.inventory.gaps)
    deps.terminal.say(`note: ${gap.what} could not be read and is left as it is: ${gap.why}\n`);
  const look = planLook(deps, request.globals);
  if (flags['dry-run']) return writeDryRun(first, deps, flags.output);
  const asks = deps.interactive && !flags.yes;
  const isLeft = ({ plan }: PreparedDelete): boolean => plan.kind === 'batches';
  const prepared = await agreeOn(first, deps, {
    show: (one) => {
      if (isLeft(one)) deps.terminal.say(`${deletePlanLines(one, look).join('\n')}\n\n`);
    },
    question: asks && isLeft(first) ? questionOf : null,
    again: prepare,
  });
  if (prepared === null || !isLeft(prepared)) {
    const { operation } = (prepared ?? first).observation.kube;
    await endLapsed(ports, { cluster, operation }, deps);
    deps.terminal.write(`${cluster.name} is deleted already. Nothing was changed.\n`);
    return sayKept(prepared ?? first, deps);
  }
  const resume = resumeOf(prepared);
  if (!asks && purge && !flags.yes)
    throw refusal(
      'needs-consent',
      `delete --purge-data would delete ${lossInWords(prepared)} for ever`,
      `To agree: kubectl redis delete ${cluster.name} --purge-data --yes -n ${cluster.namespace}`,
    );
  const agreedLoss = asks ? (prepared.loss?.slots ?? []) : flags['accept-data-loss'];
  refuseUnagreed('delete', prepared.loss, agreedLoss, resume);
  const options = { ...input, timeoutMs: flags.timeout, agreedLoss };
  await runPlan(ports, deps, { ...options, resume: `${resume}${typedLoss(flags)}`, colour: look.colour });
}

/** A cluster that somebody else made is not ours to delete; where there is none, those that are there are named. */
async function nothingOfOurs(session: Session, { cluster, observation }: PreparedDelete): Promise<AppError> {
  if (!exists(cluster, observation.kube)) return notFound(session, cluster);
  const owner = observation.kube.pods.find((pod) => pod.owner !== null)?.owner ?? null;
  return refusal(
    'foreign-cluster',
    `${cluster.name} was not made by kubectl redis create, so delete does not touch it`,
    owner === null
      ? 'Delete it with what made it'
      : `Delete it with what made it; its pods belong to ${owner} and the like`,
  );
}

/** What only stops needs no consent where nobody can be asked; what loses data always does. */
function questionOf(prepared: PreparedDelete): Question {
  const { cluster, purge, loss } = prepared;
  if (purge) return { text: `Delete ${lossInWords(prepared)} for ever?`, fallback: false };
  const text =
    loss === null ? `Stop ${cluster.name} and keep its data?` : `Stop ${cluster.name}, and lose ${loss.sentence}?`;
  return { text, fallback: false };
}

function resumeOf({ cluster, purge }: PreparedDelete): string {
  return `kubectl redis delete ${cluster.name}${purge ? ' --purge-data' : ''} -n ${cluster.namespace}`;
}

interface RunOptions extends Omit<RunDeleteInput, 'report'> {
  readonly colour: boolean;
}

async function runPlan(ports: ObservePorts, deps: Deps, { colour, ...options }: RunOptions): Promise<void> {
  const { cluster, purge, resume } = options;
  const { result, seconds } = await operate(deps, { colour, resume }, (report) =>
    runDelete(ports, { ...options, report }),
  );
  deps.terminal.write(`${cluster.name} is deleted${purge ? ', with all its data' : ''} (${seconds} s)\n`);
  sayKept({ cluster, purge, inventory: result.last.inventory }, deps);
}

function sayKept(prepared: Pick<PreparedDelete, 'cluster' | 'purge' | 'inventory'>, deps: Deps): void {
  if (keptObjects(prepared.inventory.owned, prepared.purge).length === 0) return;
  deps.terminal.write(`${keptLines(prepared).join('\n')}\n`);
}

function writeDryRun(prepared: PreparedDelete, deps: Deps, output: Output<'json' | 'yaml'>): Promise<void> {
  return writePlan(
    deps,
    output,
    (look) => deletePlanLines(prepared, look),
    async () => (await import('../document/delete-plan.ts')).deletePlanOf(prepared),
  );
}
