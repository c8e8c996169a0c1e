/** Asks why a pod is not ready from a test's evidence, and the usual pod to ask about. */
import type { PodTrouble } from '../../pkg/engine/ports.ts';
import type { RawPod } from '../../pkg/kube/api-json.ts';
import type { Evidence } from '../../pkg/kube/evidence.ts';
import { podFacts } from '../../pkg/kube/facts.ts';
import { decideTrouble } from '../../pkg/kube/why-not-ready.ts';
import { rawPod } from './kube-json.ts';

export const NO_EVIDENCE: Omit<Evidence, 'pod'> = {
  events: [],
  claims: [],
  storageClasses: null,
  log: [],
  previousLog: [],
};

export function decide(pod: RawPod, more: Partial<Evidence> = {}): PodTrouble | null {
  return decideTrouble(podFacts(pod), { ...NO_EVIDENCE, pod, ...more });
}

/** A pod on a host whose containers are as given: Redis runs, unless said otherwise. */
export function notReady(
  containerStatuses: NonNullable<NonNullable<RawPod['status']>['containerStatuses']> = [
    { name: 'redis', state: { running: {} } },
  ],
): RawPod {
  return rawPod({
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }], containerStatuses },
  });
}
