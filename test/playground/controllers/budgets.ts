/** How many pods of a budget may be disrupted now. */
import type { Budget, Pod, StatefulSet } from '../api/objects.ts';
import { selects } from '../api/selectors.ts';
import type { Store } from '../api/store.ts';
import { isReady } from './stateful-sets.ts';
import type { ControllerDeps } from './stateful-sets.ts';

export function syncBudgets({ store }: ControllerDeps): void {
  for (const budget of store.list<Budget>('poddisruptionbudgets.policy')) {
    const { pods, healthy, desired } = healthOf(store, budget);
    store.update<Budget>('poddisruptionbudgets.policy', budget, (now) => ({
      ...now,
      status: {
        observedGeneration: budget.metadata.generation,
        expectedPods: pods,
        currentHealthy: healthy,
        desiredHealthy: Math.max(0, desired),
        disruptionsAllowed: Math.max(0, healthy - desired),
      },
    }));
  }
}

/** As things are at this moment, which the budget's status says a little later. */
export function healthOf(store: Store, budget: Budget): { pods: number; healthy: number; desired: number } {
  const { maxUnavailable, minAvailable, selector } = budget.spec;
  const pods = store
    .list<Pod>('pods', budget.metadata.namespace)
    .filter((pod) => selects(selector, pod.metadata.labels));
  const healthy = pods.filter((pod) => isReady(pod) && pod.metadata.deletionTimestamp === undefined).length;
  // A StatefulSet's pod that is away counts: it is wanted.
  const expected = Math.max(pods.length, wantedPods(store, budget));
  const desired =
    minAvailable === undefined ? expected - count(maxUnavailable ?? 1, expected) : count(minAvailable, expected);
  return { pods: expected, healthy, desired };
}

function wantedPods(store: Store, { metadata, spec }: Budget): number {
  return store
    .list<StatefulSet>('statefulsets.apps', metadata.namespace)
    .filter((set) => selects(spec.selector, set.spec.template.metadata?.labels))
    .reduce((sum, set) => sum + (set.spec.replicas ?? 1), 0);
}

/** `2` or `50%`, which is rounded up. */
function count(given: number | string, of: number): number {
  return typeof given === 'number' ? given : Math.ceil((Number.parseFloat(given) / 100) * of);
}
