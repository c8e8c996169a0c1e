/**
 * Notices that an operation goes round in circles: the same plans come again and again, one after the other or in
 * turns, and none is new.
 *
 * A plan is what an observation means for the goal, so a plan that was there before says that nothing that matters has
 * changed since; offsets, times and numbers of keys change all the time and say nothing. What a plan says of itself,
 * and which instance of a pod or object it is about, does not count either: a pod that is replaced for ever has another
 * uid each time. Each plan that was never there before is progress, and all counting begins anew.
 */
import { createHash } from 'node:crypto';
import type { Batch } from '../cluster/model/plan.ts';

/** A plan is begun so often without anything new in between. */
export const MOST_ROUNDS = 3;

const WORDS_AND_INSTANCES: ReadonlySet<string> = new Set(['title', 'reason', 'uid', 'podUid', 'otherUid']);

/** @returns takes the next plan; null, or the titles of the batches that only come again */
export function circleWatch(): (batches: readonly Batch[]) => readonly string[] | null {
  const known = new Set<string>();
  const sinceNew = new Map<string, { readonly title: string; readonly times: number }>();
  return (batches) => {
    const print = fingerprint(batches);
    if (!known.has(print)) sinceNew.clear();
    known.add(print);
    const times = sinceNew.get(print)?.times ?? 0;
    if (times >= MOST_ROUNDS) return [...new Set([...sinceNew.values()].map(({ title }) => title))];
    sinceNew.set(print, { title: batches[0]?.title ?? '', times: times + 1 });
    return null;
  };
}

function fingerprint(batches: readonly Batch[]): string {
  const text = JSON.stringify(batches, (key, value: unknown) => {
    if (WORDS_AND_INSTANCES.has(key)) return undefined;
    return isNode(value) && value.pod !== '' ? value.pod : value;
  });
  return createHash('sha256').update(text).digest('base64');
}

/** A StepNode: a node that was reset has another id, and its pod's name. */
function isNode(value: unknown): value is { readonly nodeId: string; readonly pod: string } {
  return typeof value === 'object' && value !== null && 'nodeId' in value && 'pod' in value;
}
