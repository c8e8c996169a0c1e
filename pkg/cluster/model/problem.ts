/** Something that is not as it must be (invariants I1-I15). `check` makes them; pure data. */
import type { SlotRanges } from './slots.ts';

export type Severity = 'critical' | 'warning' | 'info';

export interface Problem {
  /** Stable, kebab-case; the table of all codes is pkg/cluster/check/codes.ts. */
  readonly code: string;
  /**
   * What it is about, besides nodes and slots: a directive, a library of functions, an object (`Service/redis-1`). Null where nodes and
   * slots say it all. Planners tell problems apart by code, nodes and subject; sentences are for people.
   */
  readonly subject: string | null;
  readonly severity: Severity;
  /** One sentence, complete with names and numbers. */
  readonly sentence: string;
  /** Pod names, or short ids for nodes without a pod. */
  readonly nodes: readonly string[];
  readonly slots: SlotRanges;
  /** What would repair it, as a sentence or a command. */
  readonly repair: string;
}
