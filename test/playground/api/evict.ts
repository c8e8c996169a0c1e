/** pods/eviction: a deletion that budgets may refuse (https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/). */
import { healthOf } from '../controllers/budgets.ts';
import { isReady } from '../controllers/stateful-sets.ts';
import { ApiFailure } from './failure.ts';
import { isMap } from './json-shape.ts';
import type { Json } from './json-shape.ts';
import type { Budget, Pod } from './objects.ts';
import type { DeleteOptions, Registry, Write } from './registry.ts';
import type { Target } from './resources.ts';
import { selects } from './selectors.ts';
import type { Store } from './store.ts';

/** @throws {ApiFailure} 429 while a budget would be broken, and what a deletion throws */
export function evict(store: Store, registry: Registry, target: Target, body: Json, write: Write): object {
  const pod = registry.get({ ...target, subresource: null }) as Pod;
  const options = isMap(body['deleteOptions']) ? (body['deleteOptions'] as DeleteOptions) : {};
  if (pod.status.phase !== 'Pending' && pod.metadata.deletionTimestamp === undefined) mustHaveBudget(store, pod);
  registry.remove({ ...target, subresource: null }, options, write);
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}

function mustHaveBudget(store: Store, pod: Pod): void {
  const budgets = store
    .list<Budget>('poddisruptionbudgets.policy', pod.metadata.namespace)
    .filter(({ spec }) => selects(spec.selector, pod.metadata.labels));
  if (budgets.length > 1) {
    const why = 'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.';
    throw new ApiFailure(500, 'InternalError', why);
  }
  const [budget] = budgets;
  if (budget === undefined) return;
  const { healthy, desired } = healthOf(store, budget);
  // One that is not ready is not counted as healthy: taking it breaks nothing.
  if (isReady(pod) ? healthy > desired : healthy >= desired) return;
  throw new ApiFailure(429, 'TooManyRequests', `Cannot evict pod as it would violate the pod's disruption budget.`);
}
