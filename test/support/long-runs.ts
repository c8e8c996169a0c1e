/** What long runs have shown, kept in a file from which docs/failures.md tells it: one line a kind of run and server. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

const FILE = 'docs/make/long-runs.json';

export interface LongRun {
  readonly what: string;
  readonly server: string;
  readonly seed: number;
  readonly seconds: number;
  readonly [figure: string]: number | string;
}

/** In place of the last run of the same on the same server. */
export function recordRun(run: LongRun): void {
  const before = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as readonly LongRun[]) : [];
  const others = before.filter(({ what, server }) => what !== run.what || server !== run.server);
  const runs = [...others, { ...run, date: new Date().toISOString().slice(0, 10) }];
  const keyOf = ({ what, server }: LongRun): string => `${what} ${server}`;
  runs.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  writeFileSync(FILE, `${JSON.stringify(runs, null, 2)}\n`);
}
