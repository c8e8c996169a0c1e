/**
 * Progress of a long operation, on stderr. On a terminal one line is redrawn until its batch is over; elsewhere there are
 * plain lines, and only when something changed.
 */
import type { PodTrouble } from '../pkg/engine/ports.ts';
import type { Progress, Report } from '../pkg/engine/report.ts';
import { createPaint } from './view/paint.ts';
import { progressBar } from './view/progress-bar.ts';
import { cut } from './view/table.ts';

export interface ProgressOut {
  say(text: string): void;
  readonly live: boolean;
  /** Characters in a line of stderr's terminal. */
  readonly width: number;
  readonly colour: boolean;
}

export interface ProgressLine {
  readonly report: Report;
  /** Clears the live line; to be called before anything else is printed. */
  end(): void;
}

export function createProgress(out: ProgressOut): ProgressLine {
  const paint = createPaint(out.colour);
  let title = '';
  let live = '';
  let lastPlain = '';
  const erase = (): void => {
    if (live !== '') out.say('\r\u001B[K');
    live = '';
  };
  const draw = (text: string): void => {
    if (!out.live) return;
    const line = cut(text, out.width - 1);
    if (line === live) return;
    out.say(`\r\u001B[K${line}`);
    live = line;
  };
  const plain = (text: string): void => {
    if (text === lastPlain) return;
    lastPlain = text;
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
      case 'agreeing':
        return draw(`  ${title}  ${progress.sentence}`);
      case 'batch-done':
        return plain(`${paint.tone('good', '✓')} ${title} (${(progress.elapsedMs / 1000).toFixed(1)} s)`);
      default:
        return progress satisfies never;
    }
  };
  return { report, end: erase };
}
