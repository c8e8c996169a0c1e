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
  permission: true,
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

/** A user who was let in, and may not ask what must be asked. */
export class Denied extends AppError {
  readonly user: string;
  /** As ACL rules name them: `info`, `cluster|nodes`. */
  readonly commands: readonly string[];

  constructor(user: string, commands: readonly string[]) {
    const list = commands.map((command) => command.replace('|', ' ').toUpperCase()).join(', ');
    super(`user ${user} may not run ${list}`, { code: 'permission' });
    this.user = user;
    this.commands = commands;
  }
}

/** `NOPERM User app has no permissions to run the 'cluster|nodes' command` (7.2 on); before, it names no user. */
export function deniedTo(message: string, user: string): string {
  return /^NOPERM User (\S+) has no permissions/.exec(message)?.[1] ?? user;
}

/**
 * What an error reply to one of our own questions means. `NOAUTH`, `WRONGPASS` and `NOPERM` came with Redis 6; Redis 5 says
 * `ERR invalid password`; `DENIED` is protected mode, which lets nobody in from outside who has no password. `NOPERM` is no matter
 * of passwords: the user was let in.
 */
export function classifyReply(message: string): UnreachableReason {
  if (message.startsWith('LOADING')) return 'loading';
  if (/^NOPERM\b/.test(message)) return 'permission';
  if (/^(NOAUTH|WRONGPASS|DENIED)\b/.test(message) || message === 'ERR invalid password') return 'auth';
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
