/** Steps that take objects away, and wait until they are gone. */
import { AppError, EXIT } from '../../errors.ts';
import { CLUSTER_LABEL } from '../../cluster/model/labels.ts';
import type { ClusterRef } from '../../cluster/model/observation.ts';
import type { ObjectRef, Step } from '../../cluster/model/plan.ts';
import type { Clock, KubePort } from '../ports.ts';
import type { Report } from '../report.ts';

const POLL_EVERY_MS = 250;

export interface RemovalDeps {
  readonly kube: KubePort;
  readonly clock: Clock;
  readonly report: Report;
  readonly signal: AbortSignal;
  readonly cluster: ClusterRef;
  readonly timeoutMs: number;
  /** The command that goes on from here, for the error's hint. */
  readonly resume: string;
}

export type RemovalStep = Extract<Step, { kind: 'remove-object' | 'wait-gone' }>;

/** @throws AppError `not-gone` with what is in the way, `interrupted` */
export async function applyRemoval(deps: RemovalDeps, step: RemovalStep): Promise<void> {
  if (step.kind === 'wait-gone') return waitGone(deps, step.objects);
  const { apiVersion, kind, name, uid } = step.object;
  // Only that very object; whoever took it away before us did our work.
  await deps.kube.remove(apiVersion, kind, name, { uid });
}

async function waitGone(deps: RemovalDeps, objects: readonly ObjectRef[]): Promise<void> {
  const { clock, report, timeoutMs } = deps;
  const deadline = clock.monotonic() + timeoutMs;
  let told = -1;
  for (;;) {
    const left = await stillThere(deps, objects);
    const gone = objects.length - left.length;
    if (gone !== told) report({ kind: 'going', gone, total: objects.length, what: nounOf(objects) });
    told = gone;
    if (left.length === 0) return;
    if (clock.monotonic() >= deadline) throw await notGone(deps, objects, left);
    await pause(deps);
  }
}

async function stillThere({ kube, cluster }: RemovalDeps, objects: readonly ObjectRef[]): Promise<ObjectRef[]> {
  const kinds = new Map(objects.map((object) => [object.kind, object.apiVersion]));
  const selector = `${CLUSTER_LABEL}=${cluster.name}`;
  const lists = await Promise.all([...kinds].map(([kind, apiVersion]) => kube.list(apiVersion, kind, { selector })));
  const uids = new Set(lists.flat().map((object) => object.metadata.uid));
  return objects.filter((object) => uids.has(object.uid));
}

async function pause({ clock, signal, resume }: RemovalDeps): Promise<void> {
  try {
    await clock.sleep(POLL_EVERY_MS, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    const hint = `${resume} goes on from here`;
    throw new AppError('Interrupted', { code: 'interrupted', exitCode: EXIT.interrupted, hint });
  }
}

async function notGone(
  { kube, cluster, timeoutMs, resume }: RemovalDeps,
  objects: readonly ObjectRef[],
  left: readonly ObjectRef[],
): Promise<AppError> {
  const names = left.slice(0, 3).map((object) => object.name);
  const more = left.length > names.length ? ` and ${left.length - names.length} more` : '';
  const pods = (await kube.readFacts(cluster)).pods.filter((pod) => left.some((object) => object.uid === pod.uid));
  const troubles = await Promise.all(pods.slice(0, 3).map((pod) => kube.whyNotReady(pod)));
  const why = troubles.find((trouble) => trouble !== null)?.sentence;
  return new AppError(
    `${left.length} of ${objects.length} ${nounOf(objects)} are still there after ${Math.round(timeoutMs / 1000)} s: ${names.join(', ')}${more}`,
    {
      code: 'not-gone',
      cause: why === undefined ? undefined : new Error(why),
      hint: `${resume} goes on from here; a pod on a host that is off for certain needs kubectl delete pod --force`,
    },
  );
}

function nounOf(objects: readonly ObjectRef[]): string {
  return objects.every((object) => object.kind === 'Pod') ? 'pods' : 'volumes';
}
