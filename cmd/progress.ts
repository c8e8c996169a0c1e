/**
 * Progress of a long operation, on stderr. On a terminal one line is redrawn until its batch is over; elsewhere there are
 * plain lines, only when something changed, or when nothing did for so long that it would look like a hang.
 */
import type { MoveProgress, PodTrouble } from '../pkg/engine/ports.ts';
import type { Batch, Step } from '../pkg/cluster/model/plan.ts';
import type { Progress, Report } from '../pkg/engine/report.ts';
import { createPaint } from './view/paint.ts';
import { movesOf, movingLines, movingSentence, slotsReached, slotsOf, type Moving } from './view/move-progress.ts';
import { progressBar } from './view/progress-bar.ts';
import { cut } from './view/table.ts';

export interface ProgressOut {
  say(text: string): void;
  readonly live: boolean;
  /** Characters in a line of stderr's terminal. */
  readonly width: number;
  readonly colour: boolean;
  /** Milliseconds; the time of this machine where it is left out. */
  readonly now?: () => number;
}

/** Without a terminal a line for each tenth of a move, and no more than one a second. */
const PLAIN_EVERY_MS = 1_000;

/** Without a terminal: how long a batch may say nothing; then twice as long each time, up to the other. */
const QUIET_MS = 20_000;
const MOST_QUIET_MS = 240_000;

export interface ProgressLine {
  readonly report: Report;
  /** Clears the live line; to be called before anything else is printed. */
  end(): void;
}

export function createProgress(out: ProgressOut): ProgressLine {
  const paint = createPaint(out.colour);
  let title = '';
  let live: readonly string[] = [];
  let lastPlain = '';
  const pulse = createPulse(out);
  const erase = (): void => {
    if (live.length > 0) out.say(toStart(live));
    live = [];
  };
  const draw = (...texts: string[]): void => {
    if (!out.live) return;
    const lines = texts.map((text) => cut(text, out.width - 1));
    if (lines.join('\n') === live.join('\n')) return;
    out.say(`${live.length > 1 ? toStart(live) : '\r\u001B[K'}${lines.join('\n')}`);
    live = lines;
  };
  const plain = (text: string): void => {
    if (text === lastPlain) return;
    lastPlain = text;
    pulse.heard(text);
    erase();
    out.say(`${text}\n`);
  };
  const onPods = (progress: Extract<Progress, { kind: 'pods' }>): void => {
    const counted = `${progress.ready} of ${progress.total} pods ready`;
    // A pod that is only starting is no news; it is counted.
    for (const trouble of progress.troubles.filter((one) => one.code !== 'starting').slice(0, 3)) told(trouble);
    if (out.live) draw(`  ${title}  ${progressBar(progress.ready, progress.total, 20)} ${counted}`);
    else plain(`  ${counted}`);
  };
  const moves = createMoves(out.now ?? Date.now);
  const said = new Set<string>();
  // Once for each pod and kind: a sentence with a count in it would come again and again.
  const told = ({ pod, code, sentence }: PodTrouble): void => {
    if (said.has(`${pod} ${code}`)) return;
    said.add(`${pod} ${code}`);
    erase();
    out.say(`  ${paint.tone('warn', '!')} ${pod}: ${sentence}\n`);
  };

  const report = (progress: Progress): void => {
    switch (progress.kind) {
      case 'batch':
        title = progress.batch.title;
        moves.begin(progress.batch);
        pulse.begin(title);
        return draw(`  ${title} …`);
      case 'step-done':
        return progress.total > 1
          ? draw(`  ${title}  ${progressBar(progress.done, progress.total, 20)} ${progress.done} of ${progress.total}`)
          : undefined;
      case 'pods':
        return onPods(progress);
      case 'going': {
        const counted = `${progress.gone} of ${progress.total} ${progress.what} gone`;
        if (out.live) return draw(`  ${title}  ${progressBar(progress.gone, progress.total, 20)} ${counted}`);
        return plain(`  ${counted}`);
      }
      case 'moving': {
        const moving = moves.add(progress);
        if (out.live) return draw(...movingLines(moving));
        return moves.isNews(moving) ? plain(`  ${movingSentence(moving)}`) : undefined;
      }
      case 'agreeing':
        pulse.waits(progress.sentence);
        return draw(`  ${title}  ${progress.sentence}`);
      case 'trouble':
        return plain(`  ${paint.tone('warn', '!')} ${progress.sentence}`);
      case 'batch-done':
        pulse.end();
        return plain(`${paint.tone('good', '✓')} ${title} (${(progress.elapsedMs / 1000).toFixed(1)} s)`);
      default:
        return progress satisfies never;
    }
  };
  const end = (): void => {
    pulse.end();
    erase();
  };
  return { report, end };
}

interface Pulse {
  begin(title: string): void;
  /** What is waited for now. */
  waits(sentence: string): void;
  /** A line was printed. */
  heard(text: string): void;
  end(): void;
}

/** Says what a batch is at when it has said nothing for long, where no line is redrawn. */
function createPulse(out: ProgressOut): Pulse {
  const now = (): number => out.now?.() ?? Date.now();
  let timer: NodeJS.Timeout | undefined;
  let title: string | null = null;
  let waitsFor = '';
  let begunAt = 0;
  const rearm = (quietMs: number): void => {
    clearTimeout(timer);
    if (out.live || title === null) return;
    timer = setTimeout(() => {
      const what = waitsFor === '' ? title : `${title}: ${waitsFor}`;
      out.say(`  still at it after ${Math.round((now() - begunAt) / 1000)} s: ${what}\n`);
      rearm(Math.min(2 * quietMs, MOST_QUIET_MS));
    }, quietMs).unref();
  };
  return {
    begin(of) {
      [title, waitsFor, begunAt] = [of, '', now()];
      rearm(QUIET_MS);
    },
    waits(sentence) {
      waitsFor = sentence;
    },
    heard(text) {
      waitsFor = text.trim();
      rearm(QUIET_MS);
    },
    end() {
      title = null;
      clearTimeout(timer);
    },
  };
}

/** To the first column of the first of those lines, and clears from there. */
function toStart(lines: readonly string[]): string {
  return lines.length > 1 ? `\r\u001B[${lines.length - 1}A\u001B[J` : '\r\u001B[K';
}

interface Moves {
  begin(batch: Batch): void;
  add(progress: Extract<Progress, { kind: 'moving' }>): Moving;
  /** Whether a tenth more has been done, or all. */
  isNews(moving: Moving): boolean;
}

function createMoves(now: () => number): Moves {
  const done = new Map<Step, MoveProgress>();
  let moves: Moving['moves'] = [];
  let begunAt = now();
  let told = { tenths: 0, at: 0 };
  return {
    begin(batch) {
      moves = movesOf(batch);
      done.clear();
      begunAt = now();
      told = { tenths: 0, at: 0 };
    },
    add({ step, progress }) {
      done.set(step, progress);
      return { moves, done, elapsedMs: now() - begunAt };
    },
    isNews(moving) {
      const tenths = Math.floor((10 * slotsReached(moving)) / Math.max(1, slotsOf(moving)));
      if (tenths <= told.tenths || (tenths < 10 && now() - told.at < PLAIN_EVERY_MS)) return false;
      told = { tenths, at: now() };
      return true;
    },
  };
}
