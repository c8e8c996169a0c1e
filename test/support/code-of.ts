import { AppError } from '../../pkg/errors.ts';

/** The code of the AppError with which it ended; `null` where it ended well, else what was thrown as text. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof AppError ? error.code : String(error);
}
