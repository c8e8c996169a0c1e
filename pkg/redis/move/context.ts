/** What all parts of one move share. */
import { AppError, EXIT } from '../../errors.ts';
import type { MoveLimits, MoveProgress } from '../../engine/ports.ts';
import type { Credentials } from '../connection.ts';
import type { KeyConflict } from './conflicts.ts';
import type { Weights } from './weigh.ts';
import type { NodeLine } from './node-line.ts';
import type { Patience } from './patience.ts';
import type { Turns } from './turns.ts';

/** Nothing but MIGRATE takes longer than this. */
export const COMMAND_DEADLINE_MS = 15_000;

export interface MoveContext {
  readonly source: NodeLine;
  readonly target: NodeLine;
  readonly others: readonly NodeLine[];
  /** What the source logs in to the target with. */
  readonly targetLogin: Credentials | null;
  /** Where the source sends keys to; asked before the first. */
  targetPort: number;
  readonly limits: MoveLimits;
  readonly signal: AbortSignal;
  /** One MIGRATE at a time for each source, also over several moves. */
  readonly turns: Turns;
  /** Of all moves of this process. */
  readonly patience: Patience;
  /** Moves to this target that are under way, this one included. */
  readonly movesToTarget: () => number;
  /** Of the keys of the source, as soon as they were asked. */
  weights: Weights;
  /** Keeps a copy of a key that another replaces. */
  readonly saveConflict?: (conflict: KeyConflict) => Promise<void>;
  readonly count: (done: Partial<Moved>) => void;
  /** What of the part that is moving now has arrived. The next count takes its place. */
  readonly expect: (arrived: Moved) => void;
}

/** What is done for good. */
export type Moved = Omit<MoveProgress, 'arriving'>;

/**
 * How long one thing that this move does may keep a node from answering, in milliseconds. A target has to do with all its moves at the
 * same time, and a client that a source sends on to it waits at both; so they share what one may take.
 */
export function pauseMs({ limits, movesToTarget }: Pick<MoveContext, 'limits' | 'movesToTarget'>): number {
  return limits.maxPauseMs / Math.max(1, movesToTarget());
}

/** Called only where stopping leaves every slot owned by one node or properly open. @throws AppError `interrupted` */
export function stopIfAborted({ signal }: Pick<MoveContext, 'signal'>): void {
  if (!signal.aborted) return;
  throw new AppError('Interrupted while slots were moving', {
    code: 'interrupted',
    exitCode: EXIT.interrupted,
    hint: 'Nothing is lost; run the same command again: it goes on from here',
  });
}
