/** Where output goes and what it looks like there: width, colour, and whether somebody watches. */
import type { WriteStream } from 'node:tty';

/** How views draw. */
export interface Look {
  /** Characters in a line; null when it is not a terminal: then nothing is cut and nothing is left out. */
  readonly width: number | null;
  readonly colour: boolean;
}

export type ColourChoice = 'auto' | 'always' | 'never';

export interface Terminal {
  /** stdout: data. */
  readonly write: (text: string) => void;
  /** stderr: progress and errors. */
  readonly say: (text: string) => void;
  look(colour: ColourChoice): Look;
  /** null when stdout is not a terminal. */
  size(): { readonly columns: number; readonly rows: number } | null;
  /** Aborts when nobody reads stdout any more (`| head -1`): what has no end of its own ends then. */
  readonly unread: AbortSignal;
  /** Whether stderr is a terminal, where progress may be live. */
  readonly live: boolean;
  /** Calls back when the window changes, until the returned function is called. */
  onResize(callback: () => void): () => void;
}

type Out = Pick<WriteStream, 'isTTY' | 'columns' | 'rows' | 'on' | 'off'> & { write(text: string): unknown };

/** The terminal of this process. */
export function createTerminal(
  out: Out,
  err: Out,
  env: Readonly<Record<string, string | undefined>>,
  unread: AbortSignal,
): Terminal {
  const size = (): { columns: number; rows: number } | null =>
    // Some terminals say 0 columns (serial lines, `script` without a window).
    out.isTTY ? { columns: out.columns > 0 ? out.columns : 80, rows: out.rows > 0 ? out.rows : 24 } : null;
  return {
    write: (text) => void out.write(text),
    say: (text) => void err.write(text),
    size,
    unread,
    look: (colour) => ({ width: size()?.columns ?? null, colour: wantsColour(colour, out.isTTY, env) }),
    live: err.isTTY,
    onResize: (callback) => {
      out.on('resize', callback);
      return () => void out.off('resize', callback);
    },
  };
}

/** https://no-color.org: any value of NO_COLOR that is not empty; an explicit --color wins over it. */
export function wantsColour(
  choice: ColourChoice,
  isTerminal: boolean,
  env: Readonly<Record<string, string | undefined>>,
): boolean {
  if (choice !== 'auto') return choice === 'always';
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
}
