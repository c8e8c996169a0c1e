/** From a review's request to a verdict: examine, take an identity, complete, diff. Knows Kubernetes only as a port. */
import type { ClusterRef } from '../pkg/cluster/model/observation.ts';
import { nodeName } from '../pkg/cluster/model/spec.ts';
import type { Clock } from '../pkg/engine/ports.ts';
import { AppError, EXIT, reasonOf } from '../pkg/errors.ts';
import { examine, type Candidate, type Declined } from '../pkg/pod/inject/examine.ts';
import { inject } from '../pkg/pod/inject/inject.ts';
import { patchBetween } from '../pkg/pod/inject/json-patch.ts';
import type { Json } from '../pkg/pod/inject/pod-json.ts';
import { takeIdentity, type IdentityKube } from './identity.ts';
import { keepRecord, readRecord, type SeenRecord } from './record.ts';
import type { Recent } from './recent.ts';
import type { ReviewRequest, Verdict } from './review.ts';
import type { Turns } from './turns.ts';

export interface MutateDeps {
  /** Of one namespace. */
  readonly kubeIn: (namespace: string) => IdentityKube;
  readonly clock: Pick<Clock, 'now'>;
  /** Lets admissions of one cluster through one by one; left out, they race. */
  readonly inTurn?: Turns['inTurn'];
  /** What was read of clusters a moment ago; left out, all is read for each pod. */
  readonly recent?: Recent<SeenRecord>;
  /** Told of every pod that took a number. `named`: it has a name, by which its successor is known, too. */
  readonly onAdmitted?: (cluster: ClusterRef, named: boolean) => void;
}

/** What there is to say of an admission besides the verdict; no content of the pod. */
export interface Admission {
  readonly verdict: Verdict;
  readonly cluster: string | null;
  readonly node: string | null;
}

/** Never throws. */
export async function mutate(request: ReviewRequest, deps: MutateDeps): Promise<Admission> {
  if (!request.isNewPod) return plain({ kind: 'unchanged', code: 'no-new-pod' });
  let cluster: string | null = null;
  try {
    const examined = examine(request.object);
    if (examined.kind !== 'candidate') return plain(declined(examined));
    cluster = examined.cluster;
    return await admit(examined, request, deps);
  } catch (error) {
    return { verdict: verdictOf(error), cluster, node: null };
  }
}

async function admit(candidate: Candidate, request: ReviewRequest, deps: MutateDeps): Promise<Admission> {
  // What is refused whatever its number is must not take one.
  const trial = inject(candidate, { ...UNKNOWN, namespace: request.namespace });
  if (trial.kind !== 'injected') return { ...plain(declined(trial)), cluster: candidate.cluster };
  const cluster = { namespace: request.namespace, name: candidate.cluster };
  const take = (): Promise<Admission> => admitTo(cluster, candidate, request, deps);
  // A dry run takes nothing that another could want.
  if (request.dryRun || deps.inTurn === undefined) return take();
  const { number } = candidate;
  // Whoever says which node it is waits only for others who say the same.
  return deps.inTurn(number.kind === 'any' ? turnOf(cluster) : `${turnOf(cluster)}/${number.ordinal}`, take);
}

async function admitTo(
  cluster: ClusterRef,
  candidate: Candidate,
  request: ReviewRequest,
  deps: MutateDeps,
): Promise<Admission> {
  const { pod, number } = candidate;
  const kube = deps.kubeIn(request.namespace);
  const reading = known(kube, cluster, candidate, deps);
  const podName = request.name ?? pod.metadata.name ?? null;
  const identity = await takeIdentity(kube, deps.clock, {
    cluster,
    number,
    claimant: podName ?? request.uid,
    podName,
    labels: pod.metadata.labels ?? {},
    formedNodes: heardLater(reading.then(formedNodes)),
    dryRun: request.dryRun,
  });
  const seen = await reading;
  const { record } = seen;
  const { ordinal, address, secondBus } = identity;
  const line = record.nodes.find((each) => each.ordinal === ordinal);
  const result = inject(candidate, {
    ...UNKNOWN,
    namespace: request.namespace,
    ordinal,
    announceIp: address,
    secondBus,
    shard: line?.shard ?? null,
    masters: record.spec?.masters ?? null,
    nodes: record.nodes.length,
    claim: identity.claim,
  });
  const node = nodeName(cluster.name, ordinal);
  if (result.kind !== 'injected') return { verdict: declined(result), cluster: cluster.name, node };
  if (!request.dryRun) {
    const kept = { ordinal, node, address, shard: result.shard };
    if (line === undefined && number.kind !== 'any' && deps.inTurn !== undefined) {
      // Lines of several new nodes go into one table: side by side they would lose it to each other again and again.
      await deps.inTurn(turnOf(cluster), async () => {
        await keepRecord(kube, cluster, kept, await readRecord(kube, cluster));
      });
    } else {
      await keepRecord(kube, cluster, kept, seen);
    }
    deps.onAdmitted?.(cluster, podName !== null);
  }
  const patch = patchBetween(request.object as Json, result.pod);
  const warnings = [...identity.warnings, ...result.warnings];
  return { verdict: { kind: 'injected', patch, warnings }, cluster: cluster.name, node };
}

/**
 * When all pods of a cluster are made at once, as after a restart of everything, each of them wants to know the same. What is a
 * second old decides nothing here: these pods say which node they are, their nodes are in the table, and who lives where is read anew.
 */
async function known(
  kube: IdentityKube,
  cluster: ClusterRef,
  { number }: Candidate,
  { recent }: MutateDeps,
): Promise<SeenRecord> {
  const recalled = number.kind === 'any' ? null : (recent?.recall(turnOf(cluster)) ?? null);
  if (number.kind !== 'any' && recalled?.record.nodes.some(({ ordinal }) => ordinal === number.ordinal) === true) {
    return recalled;
  }
  const seen = await readRecord(kube, cluster);
  recent?.keep(turnOf(cluster), seen);
  return seen;
}

function turnOf({ namespace, name }: ClusterRef): string {
  return `${namespace}/${name}`;
}

function formedNodes({ record: { formed, nodes } }: SeenRecord): readonly number[] | null {
  return formed === true && nodes.length > 0 ? nodes.map(({ ordinal }) => ordinal) : null;
}

/** Its failure is that of whoever awaits it, also when something else fails before. */
function heardLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

/** Before anything was looked up. */
const UNKNOWN = {
  mode: 'webhook',
  ordinal: null,
  announceIp: null,
  secondBus: false,
  shard: null,
  masters: null,
  nodes: 0,
  claim: null,
  claimTemplates: [],
} as const;

function declined({ kind, code, sentence }: Declined): Verdict {
  return kind === 'skipped' ? { kind: 'unchanged', code } : denied(code, sentence);
}

function plain(verdict: Verdict): Admission {
  return { verdict, cluster: null, node: null };
}

function denied(code: string, sentence: string, status = 403): Verdict {
  return { kind: 'denied', code, sentence, status };
}

/** A refusal of ours is a sentence for people; anything else says that it may be better next time. */
function verdictOf(error: unknown): Verdict {
  if (error instanceof AppError && error.exitCode === EXIT.refused) {
    return denied(error.code, error.hint === undefined ? error.message : `${error.message}; ${error.hint}`, 409);
  }
  if (error instanceof AppError) {
    return denied(error.code, `the pod can't be made a node now: ${error.message}; its controller tries again`, 500);
  }
  // What is nested too deeply for a comparison is no pod.
  if (error instanceof RangeError) return denied('malformed', 'this is no pod: it is nested too deeply');
  return denied('internal', `the webhook failed: ${reasonOf(error)}`, 500);
}
