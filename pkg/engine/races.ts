/** Compare-and-swap against the API server: who was quicker makes a write fail, and it is tried again on what is there then. */
import { AppError } from '../errors.ts';

const LOST: ReadonlySet<string> = new Set(['conflict', 'already-exists']);

/** Whether somebody else wrote first. */
export function isLostRace(error: unknown, lost = LOST): error is AppError {
  return error instanceof AppError && lost.has(error.code);
}

/**
 * @param attempt reads and writes; called again from the start while its write loses
 * @param lost codes of AppErrors that mean so
 * @throws AppError the last one, when others keep writing; and at once whatever is no lost race
 */
export async function untilWon<T>(maxTries: number, attempt: () => Promise<T>, lost = LOST): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isLostRace(error, lost) || tries === maxTries) throw error;
    }
  }
}
