/** What `fix` plans, as data: repairs in the order in which they must be done, and what is left with the reason why. */
import type { Observation } from '../../model/observation.ts';
import type { NoRooms } from '../../model/no-room.ts';
import type { Loss } from '../../model/loss.ts';
import type { Batch } from '../../model/plan.ts';
import type { Problem, Severity } from '../../model/problem.ts';
import type { SlotRanges } from '../../model/slots.ts';

/** What may lose data, or can't be taken back, by name. All of it is off unless a person says so. */
export interface FixPolicy {
  /**
   * Slots whose keys may be given up: because the only node that had them is gone with its volume, or because a replica that is to lead
   * them lacks some.
   */
  readonly acceptDataLoss: SlotRanges;
  /** Without a majority a replica may take over unasked, where the process of its primary is dead for certain. */
  readonly takeover: boolean;
  /** Living nodes that are none of the pods and own no slot may be forgotten. */
  readonly forgetStrangers: boolean;
  /** Every volume is lost: nodes may start empty, as on the first day. */
  readonly startEmpty: boolean;
}

export const NO_POLICY: FixPolicy = {
  acceptDataLoss: [],
  takeover: false,
  forgetStrangers: false,
  startEmpty: false,
};

/** Keys that each node (by id) counts in slots that are in doubt. A node or a slot that is not there was not counted. */
export type SlotKeys = ReadonlyMap<string, ReadonlyMap<number, number>>;

/** What a plan is made from, besides the state. */
export interface FixFacts {
  readonly observation: Observation;
  /** null = nobody was asked; what depends on it is then left. */
  readonly slotKeys: SlotKeys | null;
  /** Keys that replicas of silent primaries count in those primaries' slots, by node id; left out where nobody counted. */
  readonly replicaKeys?: ReadonlyMap<string, number>;
  /** Left out where nobody asked. */
  readonly noRoom?: NoRooms;
}

/** The answer to all problems of one code that can be repaired now. Each is lawful as things stand, also without those before it. */
export interface Repair {
  /** Of the problems that it repairs. */
  readonly code: string;
  readonly severity: Severity;
  readonly title: string;
  /** What it does, each once: the title is made of them. */
  readonly titles: readonly string[];
  /** Why it comes where it comes. */
  readonly why: string;
  readonly nodes: readonly string[];
  readonly slots: SlotRanges;
  /** Only the first is run before everything is looked at again. */
  readonly batches: readonly Batch[];
  readonly loses: Loss | null;
}

export type LeftReason =
  /** It ends without anybody's help. */
  | 'by-itself'
  /** A policy flag would allow it. */
  | 'needs-consent'
  /** A person has to do or to decide something that no flag says. */
  | 'by-hand'
  /** It must not be done. */
  | 'refused'
  /** Something else has to be repaired first. */
  | 'after-others';

export interface LeftOver {
  readonly problem: Problem;
  readonly why: LeftReason;
  /** The flag that would allow it, as it is typed. */
  readonly flag: string | null;
  readonly hint: string;
}

export interface FixPlan {
  /** In the order of a full repair. */
  readonly repairs: readonly Repair[];
  readonly left: readonly LeftOver[];
}
