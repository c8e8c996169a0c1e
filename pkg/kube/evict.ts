/**
 * Eviction (https://kubernetes.io/docs/concepts/scheduling-eviction/api-eviction/): a deletion that the server refuses while a
 * PodDisruptionBudget would be broken. It weighs all evictions of a budget against each other, a drain's among them; a look at the
 * budget before a deletion could not.
 */
import { AppError, reasonOf } from '../errors.ts';
import type { Eviction, RequestOptions } from '../engine/ports.ts';
import type { RestClient } from './client.ts';
import { resourcePath } from './resources.ts';

/** Needs the right to create `pods/eviction`. @throws {AppError} see http-errors.ts */
export async function evictPod(
  client: RestClient,
  namespace: string,
  { pod: name, uid }: { readonly pod: string; readonly uid: string },
  { signal, fence }: RequestOptions = {},
): Promise<Eviction> {
  const { path } = resourcePath({ apiVersion: 'v1', kind: 'Pod', namespace, name });
  const body = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    deleteOptions: { preconditions: { uid } },
  };
  try {
    // Not repeatable: a 429 is the budget's answer, and somebody else's turn may come first.
    await client.json({
      method: 'POST',
      path: `${path}/eviction`,
      body,
      asked: { verb: 'create', resource: 'pods/eviction', namespace, name },
      signal,
      fence,
      repeatable: false,
    });
    return { kind: 'evicted' };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    // A pod of another uid is another pod.
    if (error.code === 'not-found' || error.code === 'conflict') return { kind: 'gone' };
    if (error.code === 'server-busy') return { kind: 'not-now', why: reasonOf(error.cause) };
    throw error;
  }
}
