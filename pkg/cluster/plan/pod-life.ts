/** What a pod's own facts tell of the server in it. */
import type { PodFacts } from '../model/observation.ts';

/** Whether no server can be running in it. */
export function isDead({ phase, container }: PodFacts): boolean {
  return phase !== 'Running' || container.state === 'waiting' || container.state === 'terminated';
}
