/**
 * stdout and stderr may be closed at any time: `kubectl redis nodes | head -1`, a terminal that is gone, a disk that is
 * full. What is written then goes nowhere, and nothing else happens: a running operation goes on as if nobody looked,
 * gives its Lease back, and its exit code tells how it went.
 */
import type { WriteStream } from 'node:tty';
import { EXIT, reasonOf, type ExitCode } from '../pkg/errors.ts';

type Out = Pick<WriteStream, 'on' | 'write'>;

export interface Outputs {
  /** Aborts when nobody reads stdout any more, as far as writing to it has shown. */
  readonly unread: AbortSignal;
  /**
   * What was to be read and could not be written: a reader who had enough is no failure. @returns the exit code to end
   * with
   */
  judge(exitCode: ExitCode): ExitCode;
  /** Resolves when all that was written is out, or can't get out. */
  flush(): Promise<void>;
}

export function watchOutputs(out: Out, err: Out): Outputs {
  const unread = new AbortController();
  let failure: NodeJS.ErrnoException | null = null;
  let mute = false;
  out.on('error', (error: NodeJS.ErrnoException) => {
    failure ??= error;
    unread.abort(error);
  });
  // There is nowhere left to tell it.
  err.on('error', () => (mute = true));
  return {
    unread: unread.signal,
    judge: (exitCode) => {
      if (failure === null || failure.code === 'EPIPE') return exitCode;
      err.write(`error: The output could not be written: ${reasonOf(failure)}\n`);
      return exitCode === EXIT.done ? EXIT.failed : exitCode;
    },
    flush: async () => {
      if (!unread.signal.aborted) await written(out);
      if (!mute) await written(err);
    },
  };
}

function written(stream: Out): Promise<void> {
  return new Promise((resolve) => {
    stream.on('error', () => resolve());
    stream.write('', () => resolve());
  });
}
