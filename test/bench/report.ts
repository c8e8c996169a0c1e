/** What the benchmarks share: alternating runs, medians, and the section of docs/benchmarks.md that each writes by itself. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';

export const REPORT_FILE = 'docs/benchmarks.md';

const HEAD = `# Benchmarks

Each section is written by the command that it names. All figures of a section come from one run of that command; the runs of
what is compared alternate, so that a slow moment of the machine hits both. A ratio says more than a time: the times hang on the
machine.
`;

export interface Section {
  /** Stable id, kebab-case; the section of the same id is replaced. */
  readonly id: string;
  readonly title: string;
  /** The command that writes it. */
  readonly command: string;
  /** What was compared and how, in Markdown. */
  readonly text: string;
  /** The first row is the head of the table. */
  readonly table: readonly (readonly string[])[];
  /** None where the figures are only told. */
  readonly goals: readonly Goal[];
}

export interface Goal {
  /** `CPU time, slots / node -e 0`. */
  readonly what: string;
  readonly reached: number;
  readonly atMost: number;
  /** `x`, ` MB` … */
  readonly unit: string;
}

/** The middle value; of an even number of values the mean of the middle two. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError('no values to take the median of');
  return (lower + upper) / 2;
}

/** The value that the given part of the values, 0.99 say, does not exceed. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

/**
 * Runs every contender once a round, in turn, after `warmUps` rounds that do not count.
 * @returns what each contender's runs returned, under its name
 */
export async function alternate<Name extends string, T>(
  rounds: number,
  contenders: Readonly<Record<Name, () => Promise<T>>>,
  warmUps = 1,
): Promise<Record<Name, T[]>> {
  const names = Object.keys(contenders) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<Name, T[]>;
  for (let round = -warmUps; round < rounds; round++) {
    for (const name of names) {
      const result = await contenders[name]();
      if (round >= 0) results[name].push(result);
    }
  }
  return results;
}

/** `0.125 s (0.119-0.140)`: median, least and greatest. */
export function spread(values: readonly number[], digits: number, unit: string): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return `${median(values).toFixed(digits)} ${unit} (${low.toFixed(digits)}-${high.toFixed(digits)})`;
}

function machine(): string {
  const processors = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  return `${processors.length} x ${processors[0]?.model ?? 'CPU'}, ${memory}, Linux ${release()}, Node ${process.versions.node}`;
}

function goalLine(goal: Goal): string {
  const verdict = goal.reached <= goal.atMost ? 'reached' : 'missed';
  return `- ${goal.what}: **${goal.reached.toFixed(goal.reached < 1 ? 2 : 1)}${goal.unit}**, goal at most ${goal.atMost}${goal.unit}, ${verdict}`;
}

function tableOf(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  return [head, head.map(() => '---'), ...body].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

/** The Markdown of a section, without its markers. */
export function renderSection(section: Section, date: string, where: string): string {
  return [
    `## ${section.title}`,
    section.text.trim(),
    tableOf(section.table),
    section.goals.map(goalLine).join('\n'),
    `\`${section.command}\`, ${date}, on ${where}`,
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** Puts a section into the report, in place of the one with its id, else at the end. */
export function placeSection(report: string, id: string, body: string): string {
  const [open, close] = [`<!-- bench:${id} -->`, `<!-- /bench:${id} -->`];
  const block = `${open}\n\n${body}\n\n${close}`;
  const [from, to] = [report.indexOf(open), report.indexOf(close)];
  if (from >= 0 && to > from) return report.slice(0, from) + block + report.slice(to + close.length);
  return `${report.trimEnd()}\n\n${block}\n`;
}

/** Writes the section, prints it, and sets the exit code to 1 when a goal was missed. */
export function writeSection(section: Section): void {
  const report = existsSync(REPORT_FILE) ? readFileSync(REPORT_FILE, 'utf8') : HEAD;
  const body = renderSection(section, new Date().toISOString().slice(0, 10), machine());
  writeFileSync(REPORT_FILE, placeSection(report, section.id, body));
  console.log(`${body}\n\nwritten to ${REPORT_FILE}`);
  if (section.goals.some((goal) => goal.reached > goal.atMost)) process.exitCode = 1;
}
