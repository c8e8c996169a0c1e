/** From what went wrong to why a node could not be asked. */
import type { UnreachableReason } from '../cluster/model/observation.ts';
import { AppError, reasonOf } from '../errors.ts';

const REASONS: Readonly<Record<UnreachableReason, true>> = {
  'no-pod': true,
  'not-running': true,
  'guard-waiting': true,
  tunnel: true,
  refused: true,
  timeout: true,
  auth: true,
  loading: true,
  'not-cluster': true,
  error: true,
};

export function isUnreachableReason(code: string): code is UnreachableReason {
  return Object.hasOwn(REASONS, code);
}

/** An AppError whose code is the reason. */
export function unreachable(why: UnreachableReason, detail: string, cause?: unknown): AppError {
  return new AppError(detail, { code: why, ...(cause === undefined ? {} : { cause }) });
}

/** Anything that was thrown, as an AppError whose code is a reason; its message is fit to be shown. */
export function asUnreachable(error: unknown): AppError {
  if (error instanceof AppError)
    return isUnreachableReason(error.code) ? error : unreachable('error', sentenceOf(error), error);
  return unreachable('error', reasonOf(error), error);
}

/**
 * What an error reply to one of our own questions means. `NOAUTH`, `WRONGPASS` and `NOPERM` came with Redis 6; Redis 5 says
 * `ERR invalid password`; `DENIED` is protected mode, which lets nobody in from outside who has no password.
 */
export function classifyReply(message: string): UnreachableReason {
  if (message.startsWith('LOADING')) return 'loading';
  if (/^(NOAUTH|WRONGPASS|NOPERM|DENIED)\b/.test(message) || message === 'ERR invalid password') return 'auth';
  if (message.includes('cluster support disabled')) return 'not-cluster';
  return 'error';
}

/** Why a socket could not be opened, from its `code`. No answer and no route look the same from outside: a dead machine. */
export function classifySocketError(error: unknown): UnreachableReason {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : '';
  if (code === 'ECONNREFUSED') return 'refused';
  if (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') return 'timeout';
  return 'error';
}

function sentenceOf(error: AppError): string {
  return error.cause === undefined ? error.message : `${error.message}: ${reasonOf(error.cause)}`;
}
