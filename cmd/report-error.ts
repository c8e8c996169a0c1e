/** The one place that turns whatever was thrown into what a person reads, and into the exit code. Pure. */
import { AppError, EXIT, reasonOf } from '../pkg/errors.ts';
import type { ExitCode } from '../pkg/errors.ts';
import { oneLine } from './view/format.ts';

export interface Report {
  /** For stderr; empty when there is nothing to say. */
  readonly text: string;
  readonly exitCode: ExitCode;
}

export interface ReportOptions {
  /** Also print stacks. */
  readonly debug: boolean;
  /** Ctrl-C was pressed: what fell over because of that is no news. */
  readonly interrupted: boolean;
}

/** At most three lines: what failed, why, what to try. */
export function reportOf(error: unknown, options: ReportOptions): Report {
  if (options.interrupted) return { text: '', exitCode: EXIT.interrupted };
  const stack = options.debug ? stackOf(error) : '';
  if (!(error instanceof AppError)) {
    const more = options.debug ? '' : ' (a bug; run it again with --debug to see where)';
    return { text: `error: ${oneLine(reasonOf(error))}${more}\n${stack}`, exitCode: EXIT.failed };
  }
  const why = whyOf(error);
  const lines = [
    `error: ${oneLine(error.message)}`,
    ...(why === null ? [] : [`  why: ${why}`]),
    ...(error.hint === undefined ? [] : [`  try: ${oneLine(error.hint)}`]),
  ];
  return { text: `${lines.join('\n')}\n${stack}`, exitCode: error.exitCode };
}

/** The chain of causes in one line, without what the message says already. */
function whyOf(error: AppError): string | null {
  const reasons: string[] = [];
  for (let cause: unknown = error.cause, depth = 0; cause !== undefined && depth < 5; depth++) {
    const reason = oneLine(reasonOf(cause));
    if (reason !== '' && !error.message.includes(reason) && !reasons.some((said) => said.includes(reason)))
      reasons.push(reason);
    cause = cause instanceof Error ? cause.cause : undefined;
  }
  return reasons.length === 0 ? null : reasons.join(': ');
}

function stackOf(error: unknown): string {
  return error instanceof Error && error.stack !== undefined ? `${error.stack}\n` : '';
}
