/** What the survival tests measured, one JSON line a scenario, in the file of $E2E_FIGURES; nothing without it. */
import { appendFileSync } from 'node:fs';
import { loadavg } from 'node:os';

export interface Figures {
  readonly scenario: string;
  readonly image: string;
  readonly writes: number;
  readonly replicated: number;
  readonly lost: number;
  readonly lostReplicated: number;
  readonly clientErrors: number;
  readonly longestGapMs: number;
  /** What else was timed, in seconds: `links up` … */
  readonly seconds: Readonly<Record<string, number>>;
  /** What the client said, and how often. */
  readonly errors: Readonly<Record<string, number>>;
}

export function recordFigures(figures: Figures): void {
  const file = process.env['E2E_FIGURES'] ?? '';
  if (file !== '') appendFileSync(file, `${JSON.stringify({ ...figures, load: Math.round(loadavg()[0] ?? 0) })}\n`);
}
