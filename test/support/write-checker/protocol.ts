/** What the checker's pod is told and what it answers, as JSON over HTTP. */
import type { Verdict } from './ledger.ts';

export interface CheckerSettings {
  /** Addresses that the client asks for the cluster first: `10.96.0.7:6379`. */
  readonly startNodes: readonly string[];
  /** Each has connections of its own and writes one key after the other, all in its part of the slots. */
  readonly writers: number;
  /** Between two writes of one writer. */
  readonly pauseMs: number;
  /** Replicas that must have a write before it counts as replicated. */
  readonly copies: number;
  /** How long WAIT may take; a write that too few confirmed by then counts as acknowledged only. */
  readonly waitMs: number;
  /** As ioredis calls them; what is left out has its default (16 redirections, 100 ms between tries). */
  readonly client: ClientSettings;
  readonly httpPort: number;
}

export interface ClientSettings {
  readonly connectTimeout: number;
  /** Closes a connection whose command got no answer for so many milliseconds; the client then tries again elsewhere. */
  readonly socketTimeout: number;
  readonly slotsRefreshTimeout: number;
}

/** From the last `/mark` until now. */
export interface Phase {
  readonly seconds: number;
  readonly writes: number;
  readonly acked: number;
  readonly replicated: number;
  /** Writes that the client gave up, after all its own tries. */
  readonly clientErrors: number;
  /** The longest that a writer was without an acknowledgement, from when it first tried; in milliseconds. */
  readonly longestGapMs: number;
  /** What the client said, and how often. */
  readonly errors: Readonly<Record<string, number>>;
}

/** `GET /phase` and `GET /mark` answer with a phase, which `/mark` ends; `GET /verify` with a verdict on all keys so far. */
export type Answer = Phase | Verdict | { readonly failed: string };
