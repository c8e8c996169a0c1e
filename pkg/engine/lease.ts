/**
 * One operation on a cluster at a time (law L15): a Lease named NAME-operation
 * (https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/lease-v1/).
 *
 * A second operation is refused with the holder's name. A lapsed lease is taken over by compare-and-swap; its loser sees
 * at its next step that it holds it no more and stops. The lease of a process that died on this very machine is taken over
 * at once: nobody should have to wait for their own Ctrl-C.
 */
import { hostname, userInfo } from 'node:os';
import { readFileSync, readlinkSync } from 'node:fs';
import { AppError, EXIT } from '../errors.ts';
import { PROGRESS_ANNOTATION, VERB_ANNOTATION } from '../cluster/model/labels.ts';
import type { ClusterRef } from '../cluster/model/observation.ts';
import type { Clock, KubeObject, KubePort } from './ports.ts';
import { isLostRace } from './races.ts';

const LEASE = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const;
const PROCESS = 'kubectl-redis.io/process';
/** Seconds without renewal after which anybody may take it. */
const DURATION_SECONDS = 15;
const RENEW_EVERY_MS = 5_000;
const LOOK_EVERY_MS = 1_000;

export interface HeldLease {
  /** Throws AppError `lease-lost` when somebody else took it or it could not be renewed in time. */
  assertHeld(): void;
  /** Aborts as soon as it is known that it was lost; its reason is what `assertHeld` throws. */
  readonly lost: AbortSignal;
  /** What `status` shows of the operation, from any terminal; written at the next renewal, and at most once a second. */
  tell(progress: string): void;
  release(): Promise<void>;
}

export interface Identity {
  /** For people: who holds it. */
  readonly holder: string;
  /** For machines: `PID_NAMESPACE PID`. */
  readonly process: string;
}

/** Who we are: `user@host (pid 12)`. */
export function ownIdentity(): Identity {
  return { holder: `${userName()}@${hostname()} (pid ${process.pid})`, process: `${pidNamespace()} ${process.pid}` };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`; // no entry in /etc/passwd, as in many containers
  }
}

function pidNamespace(): string {
  try {
    return `${hostname()}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname();
  }
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly renewTime?: string;
  readonly leaseDurationSeconds?: number;
}

/** @throws AppError `operation-in-progress`, exit code 3, naming the holder. */
export async function acquireLease(
  kube: KubePort,
  clock: Clock,
  cluster: ClusterRef,
  verb: string,
  identity: Identity,
): Promise<HeldLease> {
  const name = `${cluster.name}-operation`;
  const wanted = leaseObject(cluster, name, verb, identity, clock.now());
  const existing = await kube.get(LEASE.apiVersion, LEASE.kind, name);
  if (existing === null) {
    const made = await orHeld(() => kube.create(wanted), kube, clock, cluster);
    return keepLease(kube, clock, made, identity);
  }
  if (!isFree(existing, clock.now(), identity)) throw heldBy(existing, cluster, clock.now());
  const taken = { ...wanted, metadata: { ...wanted.metadata, ...version(existing) } };
  const stored = await orHeld(() => kube.replace(taken), kube, clock, cluster);
  return keepLease(kube, clock, stored, identity);
}

function leaseObject(cluster: ClusterRef, name: string, verb: string, identity: Identity, now: number): KubeObject {
  const at = microTime(now);
  return {
    ...LEASE,
    metadata: {
      name,
      namespace: cluster.namespace,
      labels: { 'kubectl-redis.io/cluster': cluster.name, 'app.kubernetes.io/managed-by': 'kubectl-redis' },
      annotations: { [VERB_ANNOTATION]: verb, [PROCESS]: identity.process },
    },
    spec: { holderIdentity: identity.holder, leaseDurationSeconds: DURATION_SECONDS, acquireTime: at, renewTime: at },
  };
}

/** metav1.MicroTime wants exactly six decimals. */
function microTime(now: number): string {
  return new Date(now).toISOString().replace('Z', '000Z');
}

function version(object: KubeObject): { resourceVersion?: string } {
  return object.metadata.resourceVersion === undefined ? {} : { resourceVersion: object.metadata.resourceVersion };
}

function specOf(lease: KubeObject): LeaseSpec {
  const spec: LeaseSpec | undefined = lease['spec'] ?? undefined;
  return spec ?? {};
}

/** Milliseconds until it lapses; 0 or less when it has. */
function remainingMs(lease: KubeObject, now: number): number {
  const { holderIdentity, renewTime, leaseDurationSeconds } = specOf(lease);
  if (holderIdentity === undefined || holderIdentity === '' || renewTime === undefined) return 0;
  return Date.parse(renewTime) + (leaseDurationSeconds ?? DURATION_SECONDS) * 1000 - now;
}

function isFree(lease: KubeObject, now: number, identity: Identity): boolean {
  if (remainingMs(lease, now) <= 0) return true;
  return isDead(lease.metadata.annotations?.[PROCESS], identity);
}

/** Whether the holder was a process of this machine that is gone. */
function isDead(holder: string | undefined, identity: Identity): boolean {
  const [place, pid] = split(holder ?? '');
  if (place === '' || place !== split(identity.process)[0]) return false;
  if (pid === process.pid) return false; // we would be taking it from ourselves
  try {
    process.kill(pid, 0);
    return isZombie(pid);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** One that was killed and that nobody has buried still has its number. */
function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

function split(text: string): [place: string, pid: number] {
  const space = text.lastIndexOf(' ');
  return space < 0 ? ['', 0] : [text.slice(0, space), Number(text.slice(space + 1))];
}

function heldBy(lease: KubeObject, cluster: ClusterRef, now: number): AppError {
  const holder = specOf(lease).holderIdentity ?? 'somebody';
  const verb = lease.metadata.annotations?.[VERB_ANNOTATION] ?? 'an operation';
  const seconds = Math.max(1, Math.ceil(remainingMs(lease, now) / 1000));
  return new AppError(`${holder} is running ${verb} on ${cluster.name}`, {
    code: 'operation-in-progress',
    exitCode: EXIT.refused,
    hint: `Wait until it is done; if that process is gone, its lease lapses in ${seconds} s`,
  });
}

/** A lost race means that somebody holds it now. */
async function orHeld(
  take: () => Promise<KubeObject>,
  kube: KubePort,
  clock: Clock,
  cluster: ClusterRef,
): Promise<KubeObject> {
  try {
    return await take();
  } catch (error) {
    if (!isLostRace(error)) throw error;
    const winner = await kube.get(LEASE.apiVersion, LEASE.kind, `${cluster.name}-operation`);
    throw winner === null ? error : heldBy(winner, cluster, clock.now());
  }
}

function keepLease(kube: KubePort, clock: Clock, first: KubeObject, identity: Identity): HeldLease {
  let lease = first;
  let renewedAt = clock.now();
  let lost: AppError | null = null;
  let told = '';
  let renewing: Promise<void> | null = null;
  const losing = new AbortController();

  const renew = async (): Promise<void> => {
    const { metadata } = lease;
    const annotations = { ...metadata.annotations, ...(told === '' ? {} : { [PROGRESS_ANNOTATION]: told }) };
    const spec = { ...specOf(lease), renewTime: microTime(clock.now()) };
    try {
      lease = await kube.replace({ ...lease, metadata: { ...metadata, annotations }, spec });
      renewedAt = clock.now();
    } catch (error) {
      // An unreachable API server is not a loss yet: assertHeld counts the time.
      if (!(error instanceof AppError) || (error.code !== 'conflict' && error.code !== 'not-found')) return;
      lost = lostLease(lease, error);
      losing.abort(lost);
    }
  };
  const timer = setInterval(() => {
    const news = told !== '' && told !== lease.metadata.annotations?.[PROGRESS_ANNOTATION];
    if (renewing !== null || (!news && clock.now() - renewedAt < RENEW_EVERY_MS)) return;
    renewing = renew().finally(() => (renewing = null));
  }, LOOK_EVERY_MS);
  timer.unref();

  return {
    lost: losing.signal,
    tell: (progress) => void (told = progress),
    assertHeld() {
      if (lost !== null) throw lost;
      if (clock.now() - renewedAt > DURATION_SECONDS * 1000) throw lostLease(lease, undefined);
    },
    async release() {
      clearInterval(timer);
      if (renewing !== null) await renewing;
      const uid = lease.metadata.uid;
      try {
        // Only our own: a lease that somebody took over since has another holder.
        const now = await kube.get(LEASE.apiVersion, LEASE.kind, lease.metadata.name);
        if (now === null || specOf(now).holderIdentity !== identity.holder) return;
        await kube.remove(LEASE.apiVersion, LEASE.kind, lease.metadata.name, uid === undefined ? {} : { uid });
      } catch {
        // It lapses by itself, and whatever made this fail must not hide why the operation ended.
      }
    },
  };
}

function lostLease(lease: KubeObject, cause: unknown): AppError {
  return new AppError(`The lease ${lease.metadata.name} was lost: another operation may be running`, {
    code: 'lease-lost',
    cause,
    hint: 'Nothing more was changed. Run the same command again: it goes on from where this one stopped',
  });
}
