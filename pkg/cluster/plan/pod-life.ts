/** What a pod's own facts tell of the server in it. */
import type { PodFacts } from '../model/observation.ts';
import type { ClusterState } from '../model/state.ts';

/** Whether no server can be running in it. */
export function isDead({ phase, container }: PodFacts): boolean {
  return phase !== 'Running' || container.state === 'waiting' || container.state === 'terminated';
}

/** Whether its guard waits, and so has not started the server. */
export function isGuarded({ nodes }: ClusterState, podName: string): boolean {
  return nodes.some(({ pod, unreachable }) => pod?.name === podName && unreachable?.why === 'guard-waiting');
}
