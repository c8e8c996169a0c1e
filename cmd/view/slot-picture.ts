/**
 * The 16384 slots as a picture. A cell stands for 16 to 256 slots; a cell with anything wrong in it shows that, even if it
 * is one slot of 64. With colour a shard is a coloured run with its name in it; without, a letter or digit each.
 */
import { SLOT_COUNT } from '../../pkg/cluster/model/slots.ts';
import type { SlotRanges } from '../../pkg/cluster/model/slots.ts';
import type { ClusterState } from '../../pkg/cluster/model/state.ts';
import { fold } from './format.ts';
import type { Paint } from './paint.ts';
import { splitContested } from './slot-summary.ts';

export interface PictureOptions {
  readonly width: number | null;
  readonly paint: Paint;
}

/** What a cell shows: the index of a shard, or a fault. */
type CellContent = number | Fault;
type Fault = 'contested' | 'uncovered' | 'open' | 'disputed';

/** The worst first. */
const FAULTS: readonly Fault[] = ['contested', 'uncovered', 'open', 'disputed'];

const MARKS: Readonly<Record<Fault, string>> = { contested: 'x', uncovered: '.', open: '!', disputed: '?' };
const SYMBOLS = '123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** `16128  ` in front of every line. */
const LABEL = 7;

/** Lines of the picture and its legend; no lines where the terminal is too narrow for one. */
export function slotPicture(state: ClusterState, options: PictureOptions): string[] {
  const grid = gridOf(state.shards.length, options.width);
  if (grid === null) return [];
  const cells = cellsOf(state, grid.slotsPerCell);
  const lines: string[] = [];
  for (let at = 0; at < cells.length; at += grid.columns) {
    const label = String(at * grid.slotsPerCell).padStart(LABEL - 2);
    lines.push(
      `${options.paint.tone('dim', label)}  ${drawLine(state, cells.slice(at, at + grid.columns), options.paint)}`,
    );
  }
  const used = new Set(cells.filter((cell) => typeof cell === 'string'));
  return [...lines, ...legend(state, grid.slotsPerCell, used, options)];
}

/** Powers of two, so that lines begin at round slots. More cells for many shards, that each gets a few. */
function gridOf(shards: number, width: number | null): { columns: number; slotsPerCell: number } | null {
  const room = (width ?? 80) - LABEL;
  const columns = [128, 64, 32, 16, 8].find((count) => count <= room);
  if (columns === undefined) return null;
  const wanted = shards <= 16 ? 256 : shards <= 64 ? 512 : 1024;
  // At most 16 lines: a picture is to be seen at once.
  const cells = Math.min(wanted, columns * 16);
  return { columns, slotsPerCell: SLOT_COUNT / Math.max(cells, columns * 2) };
}

function cellsOf(state: ClusterState, slotsPerCell: number): CellContent[] {
  const bySlot: CellContent[] = Array.from({ length: SLOT_COUNT }, () => 'uncovered');
  const fill = (ranges: SlotRanges, content: CellContent): void => {
    for (const { start, end } of ranges) bySlot.fill(content, start, end + 1);
  };
  state.shards.forEach((shard, index) => fill(shard.slots, index));
  const { contested, disputed } = splitContested(state);
  const rangesBy = (entries: ClusterState['contested']): SlotRanges => entries.map(({ range }) => range);
  fill(rangesBy(disputed), 'disputed');
  fill(
    state.openSlots.map(({ slot }) => ({ start: slot, end: slot })),
    'open',
  );
  fill(state.uncovered, 'uncovered');
  fill(rangesBy(contested), 'contested');
  const cells: CellContent[] = [];
  for (let start = 0; start < SLOT_COUNT; start += slotsPerCell)
    cells.push(summary(bySlot.slice(start, start + slotsPerCell)));
  return cells;
}

/** The worst that is in it, else the shard that has most of it. */
function summary(slots: readonly CellContent[]): CellContent {
  for (const fault of FAULTS) if (slots.includes(fault)) return fault;
  const counts = new Map<CellContent, number>();
  for (const slot of slots) counts.set(slot, (counts.get(slot) ?? 0) + 1);
  let best: CellContent = slots[0] ?? 'uncovered';
  for (const [content, count] of counts) if (count > (counts.get(best) ?? 0)) best = content;
  return best;
}

function drawLine(state: ClusterState, cells: readonly CellContent[], paint: Paint): string {
  const runs: { content: CellContent; length: number }[] = [];
  for (const content of cells) {
    const last = runs.at(-1);
    if (last !== undefined && last.content === content) last.length++;
    else runs.push({ content, length: 1 });
  }
  return runs.map(({ content, length }) => drawRun(state, content, length, paint)).join('');
}

function drawRun(state: ClusterState, content: CellContent, length: number, paint: Paint): string {
  if (typeof content === 'string') {
    const mark = MARKS[content].repeat(length);
    return content === 'open' || content === 'disputed' ? paint.tone('warn', mark) : paint.alarm(mark);
  }
  const name = state.shards[content]?.name ?? '';
  if (paint.colour) return paint.block(content, centred(name, length));
  if (state.shards.length <= SYMBOLS.length) return symbolOf(state, content).repeat(length);
  // More shards than letters: each run says its name instead.
  return name.length + 1 <= length ? `|${name}`.padEnd(length, '-') : '|'.padEnd(length, '-');
}

/** A shard named by one of the symbols has it; the others get what is left, in order. */
function symbolOf(state: ClusterState, index: number): string {
  const names = state.shards.map((shard) => shard.name);
  const own = names[index] ?? '';
  if (own.length === 1 && SYMBOLS.includes(own)) return own;
  const free = Array.from(SYMBOLS).filter((symbol) => !names.includes(symbol));
  const rank = names.slice(0, index).filter((name) => !(name.length === 1 && SYMBOLS.includes(name))).length;
  return free[rank % free.length] ?? '?';
}

function centred(text: string, length: number): string {
  if (text.length + 2 > length && text.length !== length)
    return text.length < length ? text.padEnd(length) : ' '.repeat(length);
  const before = Math.floor((length - text.length) / 2);
  return `${' '.repeat(before)}${text}`.padEnd(length);
}

/** Only what the picture does not say itself. */
function legend(
  state: ClusterState,
  slotsPerCell: number,
  faults: ReadonlySet<CellContent>,
  { width, paint }: PictureOptions,
): string[] {
  const parts = [`one cell = ${slotsPerCell} slots`];
  if (!paint.colour && state.shards.length <= SYMBOLS.length) {
    const shards = state.shards.map((shard, index) => [symbolOf(state, index), shard.name] as const);
    const odd = shards.filter(([symbol, name]) => symbol !== name);
    if (odd.length === 0) parts.push('digits are shards');
    else parts.push(`shards: ${odd.map(([symbol, name]) => `${symbol}=${name}`).join(' ')}`);
  }
  for (const fault of FAULTS) if (faults.has(fault)) parts.push(`${MARKS[fault]} = ${fault}`);
  const indent = ' '.repeat(LABEL);
  return fold(parts.join(', '), (width ?? 120) - LABEL).map((line) => paint.tone('dim', indent + line));
}
