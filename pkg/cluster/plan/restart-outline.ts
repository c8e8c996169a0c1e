/** A whole restart before its first step: which pods of each shard go in which order, who takes over, what is away meanwhile. */
import { countSlots } from '../model/slots.ts';
import type { KubeFacts } from '../model/observation.ts';
import type { ClusterState } from '../model/state.ts';
import { compareNatural } from '../natural-order.ts';
import { isToRestart, type RestartTarget } from './restart-goal.ts';

export interface OutlineShard {
  readonly name: string;
  /** Pods in the order in which they go. */
  readonly order: readonly string[];
  /** The primary among them; null when it stays, or is not known. */
  readonly primary: string | null;
  /** Whether a replica takes over before the primary goes. */
  readonly handsOver: boolean;
  /** Slots that are away while its only node restarts. */
  readonly slotsAway: number;
}

export function outlineRestart(state: ClusterState, kube: KubeFacts, target: RestartTarget): OutlineShard[] {
  const goes = new Set(target.goal.pods.map(({ pod }) => pod));
  return state.shards
    .toSorted((a, b) => compareNatural(a.name, b.name))
    .map(({ name, primary, replicas, slots }) => {
      const podOf = (node: (typeof replicas)[number]): string[] =>
        node.pod !== null && goes.has(node.pod.name) && isToRestart(target, node.pod, kube) ? [node.pod.name] : [];
      const before = replicas.flatMap(podOf).toSorted(compareNatural);
      const [last = null] = primary === null ? [] : podOf(primary);
      const alone = last !== null && replicas.length === 0;
      return {
        name,
        order: last === null ? before : [...before, last],
        primary: last,
        handsOver: last !== null && !alone,
        slotsAway: alone ? countSlots(slots) : 0,
      };
    })
    .filter(({ order }) => order.length > 0);
}
