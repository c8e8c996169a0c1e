/**
 * Settles claims after their admissions. A claim counts until its pod is seen, and a pod is seen when somebody looks: were
 * that only the next admission, the successor of a pod that lived for seconds would wait until the claim lapses.
 *
 * A claim in the name of a pod holds up nobody of that name, so its successor in a StatefulSet waits for nothing. Such claims are
 * settled when the cluster's admissions have been over for a while: many come at once, and each would be another write meanwhile.
 */
import type { ClusterRef } from '../pkg/cluster/model/observation.ts';
import type { Clock } from '../pkg/engine/ports.ts';

/** After an admission: the API server has stored its pod by the first look, mostly. */
const LOOKS_AFTER_MS: readonly number[] = [1_000, 3_000, 10_000, 30_000];
/** A claim lapses after a minute. */
const NAMED_LOOKS_AFTER_MS: readonly number[] = [20_000, 30_000];

export interface SettlerDeps {
  /** Looks once; returns how many claims are still open. */
  readonly settle: (cluster: ClusterRef) => Promise<number>;
  readonly clock: Pick<Clock, 'sleep'>;
  readonly signal: AbortSignal;
  readonly onFailure: (error: unknown) => void;
}

export interface Settler {
  /** Somebody was admitted. One series of looks a cluster, and one for pods with names: a new admission begins it anew. */
  readonly admitted: (cluster: ClusterRef, named: boolean) => void;
}

export function createSettler({ settle, clock, signal, onFailure }: SettlerDeps): Settler {
  const running = new Map<string, { again: boolean }>();
  let last: Promise<unknown> = Promise.resolve();
  // One cluster after the other, because nobody waits for it and admissions would.
  const inTurn = (cluster: ClusterRef): Promise<number> => {
    const look = last.catch(() => undefined).then(() => settle(cluster));
    last = look;
    return look;
  };
  const series = async (
    cluster: ClusterRef,
    looksAfterMs: readonly number[],
    state: { again: boolean },
  ): Promise<void> => {
    for (let look = 0; look < looksAfterMs.length; look++) {
      state.again = false;
      await clock.sleep(looksAfterMs[look] ?? 0, signal);
      const open = await inTurn(cluster);
      if (state.again) look = -1;
      else if (open === 0) return;
    }
  };
  return {
    admitted: (cluster, named) => {
      const key = `${cluster.namespace}/${cluster.name}${named ? '/named' : ''}`;
      const known = running.get(key);
      if (known !== undefined) {
        known.again = true;
        return;
      }
      const state = { again: false };
      running.set(key, state);
      void series(cluster, named ? NAMED_LOOKS_AFTER_MS : LOOKS_AFTER_MS, state)
        .catch((error: unknown) => {
          if (!signal.aborted) onFailure(error);
        })
        .finally(() => running.delete(key));
    },
  };
}
