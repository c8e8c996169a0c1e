/**
 * One operation on a cluster at a time (law L15), as client-go's leader election does it (ADR 25).
 *
 * A lease is taken from somebody only by who saw it unchanged for its whole duration, by a clock of its own: the clocks
 * of two machines are never compared to decide that. A lease that looks fresh is refused at once, which is always safe.
 */
import { randomUUID } from 'node:crypto';
import type { ClusterRef } from '../../cluster/model/observation.ts';
import type { Clock, KubeObject, KubePort } from '../ports.ts';
import { isLostRace } from '../races.ts';
import { keepLease, type HeldLease } from './hold.ts';
import { isGone, type Identity } from './identity.ts';
import { inTime } from './in-time.ts';
import {
  LEASE,
  durationMs,
  heldBy,
  holderId,
  inPlaceOf,
  isHeldBy,
  isUnheld,
  leaseName,
  leaseObject,
  looksFresh,
  processOf,
  wasRenewed,
  watchingSentence,
} from './lease-object.ts';

const LOOK_EVERY_MS = 1_000;
/** Others who take and give it back at the same moment. */
const MAX_RACES = 5;
const LOOK_MS = 30_000;
/** What was taken in that time is still believed in when it is over. */
const TAKE_MS = 5_000;
const NEVER = new AbortController().signal;

export interface Acquiring {
  readonly kube: Pick<KubePort, 'get' | 'create' | 'replace' | 'remove'>;
  readonly clock: Clock;
  readonly cluster: ClusterRef;
  readonly verb: string;
  readonly identity: Identity;
  /** What is waited for. */
  readonly tell: (sentence: string) => void;
  readonly signal: AbortSignal;
}

export interface Acquired {
  readonly lease: HeldLease;
  /** Whose hold it was that was never given back; null = nobody's. */
  readonly predecessor: string | null;
}

/** @throws AppError `operation-in-progress`, exit code 3, naming the holder; the signal's reason */
export async function acquireLease(acquiring: Acquiring): Promise<Acquired> {
  for (let race = 1; ; race++) {
    acquiring.signal.throwIfAborted();
    const there = await look(acquiring);
    const free = there === null ? null : await untilFree(acquiring, there);
    try {
      return await take(acquiring, free);
    } catch (error) {
      // Somebody else was faster: they hold it now, or did.
      if (!isLostRace(error) || race === MAX_RACES) throw error;
    }
  }
}

function look({ kube, clock, cluster, signal: end }: Acquiring): Promise<KubeObject | null> {
  const { apiVersion, kind } = LEASE;
  return inTime(clock, LOOK_MS, end, (signal) => kube.get(apiVersion, kind, leaseName(cluster), { signal }));
}

/** @returns the lease as it is then; null = it is gone. @throws AppError `operation-in-progress` */
async function untilFree(acquiring: Acquiring, there: KubeObject): Promise<KubeObject | null> {
  const { clock, cluster, identity, signal, tell } = acquiring;
  // From when the answer was here, not from when it was asked for: it may have been written in between.
  const seenAt = clock.monotonic();
  if (isUnheld(there) || isGone(processOf(there), identity)) return there;
  if (looksFresh(there, clock.now())) throw heldBy(there, cluster);
  tell(watchingSentence(there));
  for (let latest = there; ;) {
    if (clock.monotonic() - seenAt >= durationMs(there)) return latest;
    await clock.sleep(LOOK_EVERY_MS, signal);
    const now = await look(acquiring);
    if (now === null) return null;
    if (wasRenewed(there, now)) throw heldBy(now, cluster);
    latest = now;
  }
}

/** Compare-and-swap: who wants it at the same time, or renews it after all, makes it fail. */
async function take(acquiring: Acquiring, there: KubeObject | null): Promise<Acquired> {
  const { kube, clock, cluster, verb, identity } = acquiring;
  const id = randomUUID();
  const begun = { monotonic: clock.monotonic(), wall: clock.now() };
  const wanted = leaseObject(cluster, verb, { ...identity, id }, begun.wall);
  // A Ctrl-C does not cut it short: a lease that was taken, and is not known to be, would be given back by nobody.
  const write = (signal: AbortSignal): Promise<KubeObject> =>
    there === null ? kube.create(wanted, { signal }) : kube.replace(inPlaceOf(wanted, there), { signal });
  const stored = await inTime(clock, TAKE_MS, NEVER, write).catch(async (error: unknown) => {
    // It may have been its answer that was lost.
    const found = isLostRace(error) ? null : await look(acquiring).catch(() => null);
    if (found === null || !isHeldBy(found, id)) throw error;
    return found;
  });
  const predecessor = there === null || isUnheld(there) ? null : (holderId(there) ?? null);
  return { lease: keepLease({ kube, clock, id }, stored, begun), predecessor };
}
