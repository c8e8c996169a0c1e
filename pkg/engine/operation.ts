/**
 * What every verb that changes a cluster does around its loop: take the lease, tell how far it is, give the lease back.
 */
import type { ClusterRef } from '../cluster/model/observation.ts';
import type { ClusterState } from '../cluster/model/state.ts';
import { AppError } from '../errors.ts';
import type { ConvergeDeps } from './converge.ts';
import { acquireLease } from './lease/acquire.ts';
import { endOpenWork } from './lease/end-open-work.ts';
import { fencedKube, fencedMover, fencedRedis, fencedStrays } from './lease/fenced-ports.ts';
import { ownIdentity, type Identity } from './lease/identity.ts';
import type { ObservePorts } from './observe.ts';
import type { Fence, SlotMover, StraySettler } from './ports.ts';
import type { Report } from './report.ts';
import { progressTeller } from './progress-line.ts';

export type Held = Pick<ConvergeDeps, 'lease' | 'report' | 'clock' | 'signal'>;

/**
 * What an operation works with. The mover and the settler have connections of their own, and so need a fence of their
 * own.
 */
export interface OperationPorts extends ObservePorts {
  readonly mover?: SlotMover;
  readonly strays?: StraySettler;
  /** Who takes the lease; left out: this process. */
  readonly identity?: Identity;
}

/**
 * @param given is for this function alone
 * @param work is given the same ports with a fence before all that changes something, and a signal that also aborts
 *   when the lease is lost (law L15): a step that runs for minutes stops, too
 * @throws AppError `operation-in-progress`, `lease-lost`, and what `work` throws
 */
export async function underLease<T, P extends OperationPorts>(
  given: P,
  cluster: ClusterRef,
  verb: string,
  { report, signal }: { readonly report: Report; readonly signal: AbortSignal },
  work: (held: Held, ports: P) => Promise<T>,
): Promise<T> {
  const { kube, clock, identity = ownIdentity() } = given;
  const tell = (sentence: string): void => report({ kind: 'trouble', sentence });
  const { lease, predecessor } = await acquireLease({ kube, clock, cluster, verb, identity, tell, signal });
  const line = progressTeller();
  const tellBoth: Report = (progress) => {
    report(progress);
    const sentence = line(progress);
    if (sentence !== null) lease.tell(sentence);
  };
  try {
    const ports = fencedBy(given, lease);
    if (predecessor !== null) await endOpenWork(ports, cluster, predecessor);
    return await work({ lease, report: tellBoth, clock, signal: AbortSignal.any([signal, lease.lost]) }, ports);
  } catch (error) {
    // What stopped for the loss of the lease says only that it was stopped.
    if (lease.lost.aborted) throw lease.lost.reason;
    throw error;
  } finally {
    await lease.release();
  }
}

/**
 * Gives back the lease of a run that was killed after its last step. Whoever finds nothing left to do begins nothing, and `check` would name
 * that run for ever. Whoever holds it and may still be there keeps it, and so does everybody where we may not change it.
 */
export async function giveBackLapsed(
  ports: ObservePorts,
  { cluster, operation }: Pick<ClusterState, 'cluster' | 'operation'>,
  given: { readonly report: Report; readonly signal: AbortSignal },
): Promise<void> {
  if (operation === null) return;
  try {
    await underLease(ports, cluster, operation.verb, given, () => Promise.resolve());
  } catch (error) {
    if (!(error instanceof AppError) || given.signal.aborted) throw error;
  }
}

function fencedBy<P extends OperationPorts>(given: P, fence: Fence): P {
  const { kube, redis, mover, strays } = given;
  return {
    ...given,
    kube: fencedKube(kube, fence),
    redis: fencedRedis(redis, fence),
    ...(mover === undefined ? {} : { mover: fencedMover(mover, fence) }),
    ...(strays === undefined ? {} : { strays: fencedStrays(strays, fence) }),
  };
}
