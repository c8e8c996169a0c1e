/**
 * The Lease NAME-operation as an object
 * (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/). Pure.
 */
import { AppError, EXIT } from '../../errors.ts';
import { PROGRESS_ANNOTATION, VERB_ANNOTATION } from '../../cluster/model/labels.ts';
import type { ClusterRef } from '../../cluster/model/observation.ts';
import type { KubeObject } from '../ports.ts';
import type { Identity } from './identity.ts';

export const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const;
/** Of one hold on a lease: two processes may well have the same user, host name and number. */
const HOLDER_ID = 'kubectl-redis.io/holder-id';
const PROCESS = 'kubectl-redis.io/process';

/**
 * As client-go's leader election. Who holds a lease believes in it for `RENEW_DEADLINE_MS`; others watch it for
 * `DURATION_MS`.
 */
export const DURATION_MS = 15_000;
export const RENEW_DEADLINE_MS = 10_000;
export const RETRY_PERIOD_MS = 2_000;

export interface Holder extends Identity {
  readonly id: string;
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly renewTime?: string;
  readonly leaseDurationSeconds?: number;
}

export function leaseName(cluster: ClusterRef): string {
  return `${cluster.name}-operation`;
}

/** @param now milliseconds since 1970; only people compare it with their own time */
export function leaseObject(
  cluster: ClusterRef,
  verb: string,
  { id, holder, process }: Holder,
  now: number,
): KubeObject {
  const at = microTime(now);
  const mark = process === null ? {} : { [PROCESS]: process };
  return {
    ...LEASE,
    metadata: {
      name: leaseName(cluster),
      namespace: cluster.namespace,
      labels: { 'kubectl-redis.io/cluster': cluster.name, 'app.kubernetes.io/managed-by': 'kubectl-redis' },
      annotations: { [VERB_ANNOTATION]: verb, [HOLDER_ID]: id, ...mark },
    },
    spec: { holderIdentity: holder, leaseDurationSeconds: DURATION_MS / 1000, acquireTime: at, renewTime: at },
  };
}

/** In place of another one: refused by the server when that was changed, or is another object by now. */
export function inPlaceOf(lease: KubeObject, there: KubeObject): KubeObject {
  const { uid, resourceVersion } = there.metadata;
  const version = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  return { ...lease, metadata: { ...lease.metadata, ...version } };
}

/** @param told how far the operation is; '' = nothing new */
export function renewed(lease: KubeObject, told: string, now: number): KubeObject {
  const { metadata } = lease;
  const annotations = { ...metadata.annotations, ...(told === '' ? {} : { [PROGRESS_ANNOTATION]: told }) };
  return { ...lease, metadata: { ...metadata, annotations }, spec: { ...specOf(lease), renewTime: microTime(now) } };
}

/** metav1.MicroTime wants exactly six decimals. */
function microTime(now: number): string {
  return new Date(now).toISOString().replace('Z', '000Z');
}

function specOf(lease: KubeObject): LeaseSpec {
  const spec: LeaseSpec | undefined = lease['spec'] ?? undefined;
  return spec ?? {};
}

/** What the servers call the connections of an operation. @param id of its hold on the lease */
export function connectionName(id: string): string {
  return `kubectl-redis:${id}`;
}

export function isHeldBy(lease: KubeObject, id: string): boolean {
  return holderId(lease) === id;
}

export function holderId(lease: KubeObject): string | undefined {
  return lease.metadata.annotations?.[HOLDER_ID];
}

/** The mark of the process that holds it. */
export function processOf(lease: KubeObject): string | undefined {
  return lease.metadata.annotations?.[PROCESS];
}

/** Nobody: it was given back and left where it was. */
export function isUnheld(lease: KubeObject): boolean {
  return (specOf(lease).holderIdentity ?? '') === '';
}

/** For how long it must be seen unchanged before it may be taken, in milliseconds. */
export function durationMs(lease: KubeObject): number {
  const seconds = specOf(lease).leaseDurationSeconds ?? 0;
  return seconds > 0 ? seconds * 1000 : DURATION_MS;
}

/**
 * Whether its time of renewal looks like one of just now. The clocks of two machines differ, so that yes is good enough
 * to leave it alone, and no says nothing.
 */
export function looksFresh(lease: KubeObject, now: number): boolean {
  const age = now - Date.parse(specOf(lease).renewTime ?? '');
  return age >= 0 && age < durationMs(lease);
}

/** Whether somebody renewed or took it between the two looks. Other fields may be changed by anybody. */
export function wasRenewed(before: KubeObject, after: KubeObject): boolean {
  const [one, other] = [specOf(before), specOf(after)];
  return (
    before.metadata.uid !== after.metadata.uid ||
    holderId(before) !== holderId(after) ||
    one.holderIdentity !== other.holderIdentity ||
    one.renewTime !== other.renewTime
  );
}

export function heldBy(lease: KubeObject, cluster: ClusterRef): AppError {
  return new AppError(`${nameOf(lease)} is running ${verbOf(lease)} on ${cluster.name}`, {
    code: 'operation-in-progress',
    exitCode: EXIT.refused,
    hint: `Wait until it is done; if that process is gone, the same command takes over when it was silent for ${durationMs(lease) / 1000} s`,
  });
}

/** What a person is told who has to wait for the end of another operation that seems to be gone. */
export function watchingSentence(lease: KubeObject): string {
  const { renewTime } = specOf(lease);
  const heard = renewTime === undefined ? '' : `, was last heard of at ${renewTime.slice(0, 19)}Z`;
  return `${verbOf(lease)} by ${nameOf(lease)} looks abandoned${heard}: watching its lease for ${durationMs(lease) / 1000} s before it is taken over`;
}

function nameOf(lease: KubeObject): string {
  return specOf(lease).holderIdentity ?? 'somebody';
}

function verbOf(lease: KubeObject): string {
  return lease.metadata.annotations?.[VERB_ANNOTATION] ?? 'an operation';
}

/**
 * @param lease of somebody else; null = it is gone
 * @param silentMs since the last renewal: after a whole duration a later run may have had it, and have given it back
 * @param pause why it was not renewed, where that is known
 */
export function whoHasIt(lease: KubeObject | null, silentMs: number, pause: string | null): string {
  const before = pause === null ? '' : `${pause}, and `;
  if (lease !== null && !isUnheld(lease)) return `${before}${nameOf(lease)} is running ${verbOf(lease)} now`;
  if (silentMs < DURATION_MS) return `${before}somebody deleted it`;
  return `${before}it was not renewed for ${Math.floor(silentMs / 1000)} s: a later run took it over and has ended, or somebody deleted it`;
}

/** @param trouble what the last renewal failed for; @param pause before that */
export function notRenewed(trouble: unknown, pause: string | null): Error {
  const before = pause === null ? '' : `${pause}, and then `;
  return new Error(`${before}it could not be renewed for ${RENEW_DEADLINE_MS / 1000} s`, { cause: trouble });
}

/** @param cause what shows it */
export function lostLease(lease: KubeObject, cause: unknown): AppError {
  const { name } = lease.metadata;
  return new AppError(`The lease ${name} was lost: another operation may be running`, {
    code: 'lease-lost',
    cause,
    hint: 'Nothing more was changed. Run the same command again: it goes on from where this one stopped',
  });
}
