/**
 * The one kind of error that people see. Everything else that is thrown is a bug of ours.
 *
 * It is printed as at most three lines: what failed (`message`), why (`cause`), what to try (`hint`).
 */

/** Exit codes of the command line: done, failed, wrong usage, refused or problems found, interrupted. */
export const EXIT = { done: 0, failed: 1, usage: 2, refused: 3, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export interface AppErrorOptions {
  /** Stable, kebab-case, greppable: `cluster-not-found`. */
  readonly code: string;
  /** The next thing to do, as a sentence or a command. */
  readonly hint?: string;
  /** Why, when another error or a server's reply is the reason. */
  readonly cause?: unknown;
  /** Default: 1, failed. */
  readonly exitCode?: ExitCode;
}

export class AppError extends Error {
  readonly code: string;
  readonly hint: string | undefined;
  readonly exitCode: ExitCode;

  constructor(message: string, options: AppErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = options.code;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? EXIT.failed;
  }
}

/** A mistake in what was typed. Exit code 2. */
export function usageError(message: string, hint?: string): AppError {
  return new AppError(message, { code: 'usage', exitCode: EXIT.usage, ...(hint === undefined ? {} : { hint }) });
}

/** Something that we will not do as things stand. Exit code 3. */
export function refusal(code: string, message: string, hint?: string): AppError {
  return new AppError(message, { code, exitCode: EXIT.refused, ...(hint === undefined ? {} : { hint }) });
}

/** The message of whatever was thrown, for a `why` line. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(reasonOf).join('; ');
  // Not `instanceof Error`: errors of sockets and files come from another realm under a test runner.
  const hasMessage =
    typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string';
  return hasMessage ? String(error.message) : String(error);
}
