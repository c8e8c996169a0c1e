/** Looks after the certificates once a minute, and sooner after a failure. What was good stays in use meanwhile. */
import type { Clock } from '../pkg/engine/ports.ts';
import { reasonOf } from '../pkg/errors.ts';
import type { Shown } from './certificate/keeper.ts';

const ROUND_MS = 60_000;
const AFTER_FAILURE_MS = 5_000;

export interface RoundsDeps {
  readonly keep: () => Promise<Shown>;
  readonly clock: Clock;
  /** Called with every certificate that differs from the last, and so with the first. */
  readonly show: (shown: Shown) => Promise<void>;
  /** Called after every round; null = it went well. */
  readonly onRound: (failure: string | null) => void;
  readonly signal: AbortSignal;
}

/** Resolves when the signal aborts. Never throws. */
export async function keepRounds({ keep, clock, show, onRound, signal }: RoundsDeps): Promise<void> {
  let last = '';
  while (!signal.aborted) {
    let wait = ROUND_MS;
    try {
      const shown = await keep();
      if (shown.leaf.cert !== last) await show(shown);
      last = shown.leaf.cert;
      onRound(null);
    } catch (error) {
      wait = AFTER_FAILURE_MS;
      onRound(reasonOf(error));
    }
    await clock.sleep(wait, signal).catch(() => undefined);
  }
}
