/** What every verb that changes a cluster does around its loop: take the lease, tell how far it is, give the lease back. */
import type { ClusterRef } from '../cluster/model/observation.ts';
import type { ConvergeDeps } from './converge.ts';
import { acquireLease, ownIdentity } from './lease.ts';
import type { ObservePorts } from './observe.ts';
import type { Report } from './report.ts';
import { progressTeller } from './progress-line.ts';

export type Held = Pick<ConvergeDeps, 'lease' | 'report' | 'clock' | 'signal'>;

/**
 * @param work is given a signal that also aborts when the lease is lost (law L15): a step that runs for minutes stops, too
 * @throws AppError `operation-in-progress`, `lease-lost`, and what `work` throws
 */
export async function underLease<T>(
  { kube, clock }: Pick<ObservePorts, 'kube' | 'clock'>,
  cluster: ClusterRef,
  verb: string,
  { report, signal }: { readonly report: Report; readonly signal: AbortSignal },
  work: (held: Held) => Promise<T>,
): Promise<T> {
  const lease = await acquireLease(kube, clock, cluster, verb, ownIdentity());
  const line = progressTeller();
  const tellBoth: Report = (progress) => {
    report(progress);
    const sentence = line(progress);
    if (sentence !== null) lease.tell(sentence);
  };
  try {
    return await work({ lease, report: tellBoth, clock, signal: AbortSignal.any([signal, lease.lost]) });
  } catch (error) {
    // What stopped for the loss of the lease says only that it was stopped.
    if (lease.lost.aborted) throw lease.lost.reason;
    throw error;
  } finally {
    await lease.release();
  }
}
