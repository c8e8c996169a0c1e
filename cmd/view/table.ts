/**
 * Tables in kubectl's style: headers in capitals, no borders, three spaces between columns. On a terminal a table fits its
 * width: the last column is wrapped, then columns are left out by rank, then long cells are cut. Elsewhere nothing is cut.
 */
import Table from 'cli-table3';
import { wrap } from './format.ts';
import type { Paint, Tone } from './paint.ts';

export interface Column {
  readonly header: string;
  /** Left out first when the terminal is too narrow; 0 (default) = never left out. */
  readonly leaveOut?: number;
  readonly align?: 'right';
}

/** A text, or one with a meaning (`tone`) or with the colour of a shard. */
export type Cell = string | { readonly text: string; readonly tone?: Tone; readonly shard?: number };

export interface TableOptions {
  /** null = as wide as it gets. */
  readonly width: number | null;
  readonly paint: Paint;
  /** Never leave out a column (`-o wide`): the terminal wraps long lines then. */
  readonly wide?: boolean;
}

const GAP = 3;
/** A wrapped last column that is narrower than this is no longer read easily. */
const LEAST_LAST = 26;
const LEAST_CELL = 4;

/** Lines of the table, without a line break at the end. Nothing when there are no rows. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], options: TableOptions): string[] {
  if (rows.length === 0) return [];
  const width = options.wide === true ? null : options.width;
  const kept = width === null ? columns.map((_, index) => index) : fittingColumns(columns, rows, width);
  const sizes = sizesOf(columns, rows, kept, width);
  const drawn = new Table({
    chars: NO_BORDERS,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: kept.map((index) => (columns[index]?.align === 'right' ? 'right' : 'left')),
  });
  const line = (cells: readonly Cell[]): string[] =>
    kept.map((index, at) => drawCell(cells[index] ?? '', sizes[at] ?? 0, at === kept.length - 1, options.paint));
  drawn.push(line(columns.map((column) => column.header)), ...rows.map(line));
  return drawn.toString().split('\n').map(trimEnd);
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
  middle: ' '.repeat(GAP),
} as const;

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function naturalSizes(columns: readonly Column[], rows: readonly (readonly Cell[])[]): number[] {
  return columns.map((column, index) =>
    rows.reduce((most, row) => Math.max(most, textOf(row[index] ?? '').length), column.header.length),
  );
}

/** Which columns are drawn: all, or all but those that can be done without. */
function fittingColumns(columns: readonly Column[], rows: readonly (readonly Cell[])[], width: number): number[] {
  const natural = naturalSizes(columns, rows);
  let kept = columns.map((_, index) => index);
  const leastWidth = (): number =>
    kept.reduce((sum, index, at) => {
      const full = natural[index] ?? 0;
      return sum + (at === kept.length - 1 ? Math.min(full, LEAST_LAST) : full + GAP);
    }, 0);
  while (leastWidth() > width) {
    const candidates = kept.filter((index) => (columns[index]?.leaveOut ?? 0) > 0);
    const first = candidates.sort((a, b) => (columns[b]?.leaveOut ?? 0) - (columns[a]?.leaveOut ?? 0))[0];
    if (first === undefined) break;
    kept = kept.filter((index) => index !== first);
  }
  return kept;
}

/** Characters of each drawn column. The last one takes what is left; if that is too little, the widest give up some. */
function sizesOf(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  kept: readonly number[],
  width: number | null,
): number[] {
  const natural = naturalSizes(columns, rows);
  const sizes = kept.map((index) => natural[index] ?? 0);
  if (width === null) return sizes;
  const last = sizes.length - 1;
  const gaps = GAP * last;
  const total = (): number => sizes.reduce((sum, size) => sum + size, gaps);
  const lastNatural = sizes[last] ?? 0;
  sizes[last] = Math.max(Math.min(lastNatural, LEAST_LAST), Math.min(lastNatural, width - (total() - lastNatural)));
  while (total() > width) {
    const widest = sizes.indexOf(Math.max(...sizes));
    const size = sizes[widest] ?? 0;
    if (size <= LEAST_CELL) break;
    sizes[widest] = size - 1;
  }
  return sizes;
}

function drawCell(cell: Cell, size: number, last: boolean, paint: Paint): string {
  const text = textOf(cell);
  const lines =
    text.length <= size ? [text] : last ? wrap(text, size).flatMap((line) => chop(line, size)) : [cut(text, size)];
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

function chop(text: string, size: number): string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length; at += size) pieces.push(text.slice(at, at + size));
  return pieces;
}

/** Spaces at the end, also in front of a colour that ends there. */
function trimEnd(line: string): string {
  return line.trimEnd();
}
