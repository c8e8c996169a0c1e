/** A way in which a cluster can be broken, how to break one that way, and what must come of it. */
import type { Scene, SceneOptions } from './scene.ts';

/** What `fix` must make of it: everything right again, or nothing touched and a person told why. */
export type Outcome = 'repaired' | 'refused' | 'by-itself';

export interface BrokenState {
  /** Of the list of failure modes that the design started from. */
  readonly row: string;
  readonly name: string;
  readonly scene?: Partial<SceneOptions>;
  /** Breaks a cluster that was just formed and filled; resolves when it is broken for certain. */
  readonly build: (scene: Scene) => Promise<void>;
  /** Codes that `check` must name; where servers mend it themselves, none. */
  readonly codes: readonly string[];
  /** Servers that heal it by themselves, or that never show it. */
  readonly healedBy?: RegExp;
  readonly outcome: Outcome;
  /** Consent that the repair needs, by the names of fix's policy. */
  readonly consent?: Readonly<Record<string, unknown>>;
  /** Keys that are gone for certain, and whose loss consent covers. */
  readonly lost?: (slot: number) => boolean;
  /** The longest that `fix` may take. */
  readonly withinMs?: number;
  /** What else must hold in the end. @returns what does not */
  readonly holds?: (scene: Scene) => Promise<readonly string[]>;
}
