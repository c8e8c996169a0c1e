/** Tables in kubectl's style: headers in capitals, no borders. How they fit a terminal is in table-layout.ts. */
import Table from 'cli-table3';
import { fold } from './format.ts';
import type { Paint, Tone } from './paint.ts';
import { layOut } from './table-layout.ts';
import type { Column, Layout } from './table-layout.ts';

export type { Column } from './table-layout.ts';

/** A text, or one with a meaning (`tone`) or with the colour of a shard. */
export type Cell = string | { readonly text: string; readonly tone?: Tone; readonly shard?: number };

export interface TableOptions {
  /** null = as wide as it gets. */
  readonly width: number | null;
  readonly paint: Paint;
  /** Never leave out a column (`-o wide`): the terminal wraps long lines then. */
  readonly wide?: boolean;
}

/**
 * Lines of the table, without a line break at the end. Nothing when there are no rows.
 *
 * Where the terminal is too narrow for a last column of remarks beside all others, they are put below their rows.
 */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], options: TableOptions): string[] {
  if (rows.length === 0) return [];
  const { paint } = options;
  const width = options.wide === true ? null : options.width;
  const beside = layOut(columns, textsOf(columns, rows), width);
  const allButLast = columns.slice(0, -1);
  const below = beside.lost > 0 ? layOut(allButLast, textsOf(allButLast, rows), width) : beside;
  if (columns.at(-1)?.below !== true || below.lost >= beside.lost) return draw(columns, rows, beside, paint);
  const [head = '', ...lines] = draw(allButLast, rows, below, paint);
  return [head, ...rows.flatMap((row, at) => [lines[at] ?? '', ...noteLines(row.at(-1) ?? '', width, paint)])];
}

const NOTE_INDENT = 4;

function noteLines(cell: Cell, width: number | null, paint: Paint): string[] {
  if (textOf(cell) === '') return [];
  return fold(textOf(cell), width === null ? null : width - NOTE_INDENT - 2).map(
    (line, at) => ' '.repeat(NOTE_INDENT) + colourCell(cell, `${at === 0 ? '^' : ' '} ${line}`, paint),
  );
}

function textsOf(columns: readonly Column[], rows: readonly (readonly Cell[])[]): string[][] {
  return rows.map((row) => columns.map((_, index) => textOf(row[index] ?? '')));
}

function draw(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { kept, sizes, gap }: Layout,
  paint: Paint,
): string[] {
  const drawn = new Table({
    chars: { ...NO_BORDERS, middle: ' '.repeat(gap) },
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: kept.map((index) => (columns[index]?.align === 'right' ? 'right' : 'left')),
  });
  const line = (cells: readonly Cell[]): string[] =>
    kept.map((index, at) => drawCell(cells[index] ?? '', sizes[at] ?? 0, index === columns.length - 1, paint));
  drawn.push(line(columns.map((column) => column.header)), ...rows.map(line));
  return drawn
    .toString()
    .split('\n')
    .map((text) => text.trimEnd());
}

const NO_BORDERS = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
} as const;

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function drawCell(cell: Cell, size: number, last: boolean, paint: Paint): string {
  const text = textOf(cell);
  const lines = text.length <= size ? [text] : last ? fold(text, size) : [cut(text, size)];
  return lines.map((line) => colourCell(cell, line, paint)).join('\n');
}

function colourCell(cell: Cell, line: string, paint: Paint): string {
  if (typeof cell === 'string' || line === '') return line;
  if (cell.shard !== undefined) return paint.shard(cell.shard, line);
  return cell.tone === undefined ? line : paint.tone(cell.tone, line);
}

/** Cut to a number of characters, with a sign that it was. */
export function cut(text: string, size: number): string {
  if (text.length <= size) return text;
  return size < 2 ? text.slice(0, size) : `${text.slice(0, size - 1)}…`;
}
