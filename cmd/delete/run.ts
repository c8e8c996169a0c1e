/** `delete` with a person or without: show what goes and what stays, ask once, run it with live progress. */
import { refusal, type AppError } from '../../pkg/errors.ts';
import { keptObjects } from '../../pkg/cluster/plan/delete.ts';
import { prepareDelete, runDelete, type PreparedDelete } from '../../pkg/engine/delete.ts';
import type { ObservePorts } from '../../pkg/engine/observe.ts';
import { checkName, exists, notFound } from '../clusters.ts';
import type { Deps, Session } from '../deps.ts';
import type { Globals } from '../global-flags.ts';
import { inSession, portsOf, untilAborted } from '../look-at.ts';
import type { Output } from '../output.ts';
import { confirmOrStop, operate, planLook, refuseBareOutput, writePlan } from '../operate.ts';
import { deletePlanLines, keptLines, lossInWords } from '../view/delete-plan.ts';

export interface DeleteRequest {
  readonly args: { readonly NAME: string };
  readonly flags: {
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
  // Only reading ends at once on Ctrl-C: what changes something gives its lease back first.
  const prepared = await untilAborted(prepareDelete(ports, input), deps.signal);
  if (prepared.inventory.owned.length === 0) throw await nothingOfOurs(session, prepared);
  for (const gap of prepared.inventory.gaps)
    deps.terminal.say(`note: ${gap.what} could not be read and is left as it is: ${gap.why}\n`);
  const look = planLook(deps, request.globals);
  if (flags['dry-run']) return writeDryRun(prepared, deps, flags.output);
  if (prepared.plan.kind !== 'batches') {
    deps.terminal.write(`${cluster.name} is deleted already. Nothing was changed.\n`);
    return sayKept(prepared, deps);
  }
  deps.terminal.say(`${deletePlanLines(prepared, look).join('\n')}\n\n`);
  await askConsent(prepared, deps, flags.yes);
  await runPlan(ports, deps, { ...input, timeoutMs: flags.timeout, colour: look.colour });
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
async function askConsent(prepared: PreparedDelete, deps: Deps, yes: boolean): Promise<void> {
  if (yes) return;
  const { cluster, purge } = prepared;
  if (!deps.interactive) {
    if (!purge) return;
    throw refusal(
      'needs-consent',
      `delete --purge-data would delete ${lossInWords(prepared)} for ever`,
      `To agree: kubectl redis delete ${cluster.name} --purge-data --yes -n ${cluster.namespace}`,
    );
  }
  const question = purge ? `Delete ${lossInWords(prepared)} for ever?` : `Stop ${cluster.name} and keep its data?`;
  await confirmOrStop(question, false);
}

interface RunOptions {
  readonly cluster: PreparedDelete['cluster'];
  readonly purge: boolean;
  readonly tryOut: boolean;
  readonly timeoutMs: number;
  readonly colour: boolean;
}

async function runPlan(ports: ObservePorts, deps: Deps, options: RunOptions): Promise<void> {
  const { cluster, purge, tryOut, timeoutMs, colour } = options;
  const { terminal, signal } = deps;
  const resume = `kubectl redis delete ${cluster.name}${purge ? ' --purge-data' : ''} -n ${cluster.namespace}`;
  const { result, seconds } = await operate(deps, { colour, resume }, (report) =>
    runDelete(ports, { cluster, purge, tryOut, timeoutMs, resume, signal, report }),
  );
  terminal.write(`${cluster.name} is deleted${purge ? ', with all its data' : ''} (${seconds} s)\n`);
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
