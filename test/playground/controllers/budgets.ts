/** How many pods of a budget may be disrupted now. */
import type { Budget, Pod } from '../api/objects.ts';
import { selects } from '../api/selectors.ts';
import { isReady } from './stateful-sets.ts';
import type { ControllerDeps } from './stateful-sets.ts';

export function syncBudgets({ store }: ControllerDeps): void {
  for (const budget of store.list<Budget>('poddisruptionbudgets.policy')) {
    const { maxUnavailable, minAvailable, selector } = budget.spec;
    const pods = store
      .list<Pod>('pods', budget.metadata.namespace)
      .filter((pod) => selects(selector, pod.metadata.labels));
    const healthy = pods.filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined).length;
    const desired =
      minAvailable === undefined
        ? pods.length - count(maxUnavailable ?? 1, pods.length)
        : count(minAvailable, pods.length);
    store.update<Budget>('poddisruptionbudgets.policy', budget, (now) => ({
      ...now,
      status: {
        observedGeneration: budget.metadata.generation,
        expectedPods: pods.length,
        currentHealthy: healthy,
        desiredHealthy: Math.max(0, desired),
        disruptionsAllowed: Math.max(0, healthy - desired),
      },
    }));
  }
}

/** `2` or `50%`, which is rounded up. */
function count(given: number | string, of: number): number {
  return typeof given === 'number' ? given : Math.ceil((Number.parseFloat(given) / 100) * of);
}
