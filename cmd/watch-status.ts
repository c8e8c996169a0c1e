/**
 * `status --watch`: one page that is drawn again in place. On a terminal it uses the alternate screen, so that what was
 * there before comes back at the end; elsewhere each look is a block of lines.
 */
import { EXIT, reasonOf } from '../pkg/errors.ts';
import type { ExitCode } from '../pkg/errors.ts';
import type { Deps, Session } from './deps.ts';
import type { Globals } from './global-flags.ts';
import { judge } from './judge.ts';
import { lookAt, untilAborted } from './look-at.ts';
import { printStatus } from './print-status.ts';
import type { StatusInput } from './document/status.ts';
import { oneLine } from './view/format.ts';
import { createPaint } from './view/paint.ts';
import { cut } from './view/table.ts';

export interface WatchOptions {
  readonly name: string | undefined;
  readonly globals: Globals;
  readonly output: string;
  readonly intervalMs: number;
}

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';
const HOME = '\u001b[H';
const END_OF_LINE = '\u001b[K';
const END_OF_SCREEN = '\u001b[J';

/**
 * Runs until nobody reads it any more, or until the signal aborts; then it rejects, as everything does that was
 * interrupted.
 */
export async function watchStatus(deps: Deps, session: Session, options: WatchOptions): Promise<ExitCode> {
  const { unread } = deps.terminal;
  const signal = AbortSignal.any([deps.signal, unread]);
  try {
    return await watch({ ...deps, signal }, session, options);
  } catch (error) {
    if (unread.aborted && !deps.signal.aborted) return EXIT.done;
    throw error;
  }
}

async function watch(deps: Deps, session: Session, options: WatchOptions): Promise<ExitCode> {
  const inPlace = deps.terminal.size() !== null && options.output === 'table';
  // The first look may fail: then there is nothing to watch, and the terminal is still as it was.
  let page: Page = { input: judge(await look(deps, session, options)), fault: null };
  if (!inPlace) return watchInBlocks(deps, session, options, page);
  const draw = (): Promise<void> => drawPage(deps, options, page);
  const stopListening = deps.terminal.onResize(() => void draw());
  deps.terminal.write(ENTER);
  try {
    for (;;) {
      await draw();
      await deps.clock.sleep(options.intervalMs, deps.signal);
      page = await nextPage(deps, session, options, page);
    }
  } finally {
    stopListening();
    deps.terminal.write(LEAVE);
  }
}

/** What was seen last, and why it could not be seen anew. */
interface Page {
  readonly input: StatusInput;
  readonly fault: string | null;
}

function look(deps: Deps, session: Session, { name, globals }: WatchOptions): ReturnType<typeof lookAt> {
  return untilAborted(lookAt(deps, session, { name, globals }, { thorough: true }), deps.signal);
}

/** A failed look keeps the last page: a watch is often started because something is about to break. */
async function nextPage(deps: Deps, session: Session, options: WatchOptions, page: Page): Promise<Page> {
  try {
    return { input: judge(await look(deps, session, options)), fault: null };
  } catch (error) {
    deps.signal.throwIfAborted();
    return { ...page, fault: oneLine(reasonOf(error)) };
  }
}

async function watchInBlocks(deps: Deps, session: Session, options: WatchOptions, first: Page): Promise<ExitCode> {
  const { terminal } = deps;
  const shown = terminal.look(options.globals.color);
  let page = first;
  for (let count = 0; ; count++) {
    if (page.fault === null) {
      const separator = count === 0 || options.output === 'json' ? '' : options.output === 'yaml' ? '---\n' : '\n';
      const time = options.output === 'table' ? `${page.input.state.observedAt}\n` : '';
      terminal.write(separator + time + (await printStatus(page.input, options.output, shown)));
    } else {
      terminal.say(`error: ${page.fault}\n`);
    }
    await deps.clock.sleep(options.intervalMs, deps.signal);
    page = await nextPage(deps, session, options, page);
  }
}

async function drawPage({ terminal }: Deps, options: WatchOptions, page: Page): Promise<void> {
  const shown = terminal.look(options.globals.color);
  const { columns, rows } = terminal.size() ?? { columns: 80, rows: 24 };
  const paint = createPaint(shown.colour);
  const lines = (await printStatus(page.input, 'table', shown)).trimEnd().split('\n');
  const time = page.input.state.observedAt.slice(11, 19);
  const footer =
    page.fault === null
      ? paint.tone('dim', cut(`${time} UTC, every ${options.intervalMs / 1000} s; Ctrl-C ends`, columns))
      : paint.tone('bad', cut(`${time} UTC was the last look that worked: ${page.fault}`, columns));
  const room = Math.max(1, rows - 2);
  const fitting =
    lines.length <= room
      ? lines
      : [...lines.slice(0, room - 1), paint.tone('dim', `… ${lines.length - room + 1} more lines`)];
  // No line break after the last line: it would scroll a page that fills the screen.
  const drawn = [...fitting, '', footer].slice(-rows).map((line) => line + END_OF_LINE);
  terminal.write(HOME + drawn.join('\r\n') + END_OF_SCREEN);
}
