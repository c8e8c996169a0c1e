/**
 * How a table fits a terminal, in this order: narrower gaps, columns with nothing in them left out, then columns by rank;
 * the last column is wrapped, long cells are cut. Elsewhere (`width` null) nothing is cut or left out. Pure.
 */

export interface Column {
  readonly header: string;
  /** Left out first when the terminal is too narrow; 0 (default) = never left out. */
  readonly leaveOut?: number;
  readonly align?: 'right';
  /** The last column only: where it does not fit, its text may stand below the row instead of beside it. */
  readonly below?: boolean;
}

export interface Layout {
  /** Indexes of the columns that are drawn. */
  readonly kept: readonly number[];
  /** Characters of each of them. */
  readonly sizes: readonly number[];
  /** Spaces between them. */
  readonly gap: number;
  /** Columns that say something and found no room, or not enough of it. */
  readonly lost: number;
}

const GAP = 3;
const NARROW_GAP = 2;
/** A wrapped last column that is narrower than this is no longer read easily. */
const LEAST_LAST = 26;
const LEAST_CELL = 4;

/** `rows` are the texts of the cells, without colours. */
export function layOut(columns: readonly Column[], rows: readonly (readonly string[])[], width: number | null): Layout {
  const natural = columns.map(({ header }, index) =>
    rows.reduce((most, row) => Math.max(most, row[index]?.length ?? 0), header.length),
  );
  const all = columns.map((_, index) => index);
  if (width === null) return { kept: all, sizes: natural, gap: GAP, lost: 0 };
  const fits = (kept: readonly number[], gap: number): boolean => leastWidth(natural, kept, gap) <= width;
  let kept = all;
  for (const index of leavingOrder(columns, rows)) {
    if (fits(kept, NARROW_GAP)) break;
    kept = kept.filter((one) => one !== index);
  }
  const gap = fits(kept, GAP) ? GAP : NARROW_GAP;
  const layout = squeeze(natural, kept, gap, width);
  const lost = all.filter((index) => {
    const size = layout.sizes[layout.kept.indexOf(index)] ?? 0;
    const wanted = natural[index] ?? 0;
    return !isBlank(rows, index) && size < (index === all.length - 1 ? Math.min(wanted, LEAST_LAST) : wanted);
  }).length;
  return { ...layout, lost };
}

function leastWidth(natural: readonly number[], kept: readonly number[], gap: number): number {
  const sizes = kept.map((index, at) => Math.min(natural[index] ?? 0, at === kept.length - 1 ? LEAST_LAST : Infinity));
  return total(sizes, gap);
}

function total(sizes: readonly number[], gap: number): number {
  return sizes.reduce((sum, size) => sum + size, gap * (sizes.length - 1));
}

function isBlank(rows: readonly (readonly string[])[], index: number): boolean {
  return index > 0 && rows.every((row) => ['', '-'].includes(row[index] ?? ''));
}

/** Which columns go first: those that say nothing, then by rank. */
function leavingOrder(columns: readonly Column[], rows: readonly (readonly string[])[]): number[] {
  const rank = (index: number): number => (isBlank(rows, index) ? 1000 : 0) + (columns[index]?.leaveOut ?? 0);
  return columns
    .map((_, index) => index)
    .filter((index) => rank(index) > 0)
    .sort((a, b) => rank(b) - rank(a));
}

/** The last column takes what is left; if that is too little, the widest give up some; at worst the last ones go. */
function squeeze(
  natural: readonly number[],
  kept: readonly number[],
  gap: number,
  width: number,
): Omit<Layout, 'lost'> {
  const sizes = kept.map((index) => natural[index] ?? 0);
  const last = sizes.length - 1;
  const wanted = sizes[last] ?? 0;
  sizes[last] = Math.max(Math.min(wanted, LEAST_LAST), Math.min(wanted, width - (total(sizes, gap) - wanted)));
  while (total(sizes, gap) > width) {
    const widest = sizes.indexOf(Math.max(...sizes));
    const size = sizes[widest] ?? 0;
    if (size > LEAST_CELL || sizes.length === 1) sizes[widest] = Math.max(1, size - 1);
    else sizes.pop();
    if (sizes.length === 1 && (sizes[0] ?? 0) <= 1) break;
  }
  return { kept: kept.slice(0, sizes.length), sizes, gap };
}
