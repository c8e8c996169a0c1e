/**
 * What the writers were told, and whether the cluster kept to it. Pure.
 *
 * Three kinds of key, because each shows what the others hide: write-once keys (an overwriting writer would hide a loss),
 * counters that are overwritten (an older value coming back), lists that are appended to (order). One writer a key. A write
 * without an answer may have been done or not, now or later: its key is not written again, and either result is right.
 */

export type KeyKind = 'once' | 'counter' | 'list';

/** `replicated`: acknowledged, and WAIT then counted enough replicas that have it. `unknown`: no answer, or an error. */
export type Outcome = 'unknown' | 'acked' | 'replicated';

/** The writes to one key, in order. The value of write N is N, counted from 1. */
export interface WrittenKey {
  readonly key: string;
  readonly kind: KeyKind;
  readonly outcomes: Outcome[];
}

/** What was read back: the value, the elements of a list; null or no elements where there is no such key. */
export type Found = string | null | readonly string[];

export interface Verdict {
  readonly keys: number;
  /** Acknowledged writes that are not there; `lostReplicated` of them had been replicated. */
  readonly lost: number;
  readonly lostReplicated: number;
  /** Counters that went back behind an acknowledged write; `staleReplicated` of them behind a replicated one. */
  readonly stale: number;
  readonly staleReplicated: number;
  /** Values that nobody wrote, and lists out of order. */
  readonly wrong: number;
  /** Elements that are in a list twice: the client sent an append again after it had lost the answer. */
  readonly duplicates: number;
  /** Some of the keys at fault, for whoever looks for the reason. */
  readonly examples: readonly string[];
}

const MAX_EXAMPLES = 10;
/** Of no keys: nothing to complain of. */
export const NOTHING_FOUND: Verdict = {
  keys: 0,
  lost: 0,
  lostReplicated: 0,
  stale: 0,
  staleReplicated: 0,
  wrong: 0,
  duplicates: 0,
  examples: [],
};

/** Holds what was read against what was written. */
export function judge(readings: readonly { readonly written: WrittenKey; readonly found: Found }[]): Verdict {
  return readings.map(({ written, found }) => judgeKey(written, found)).reduce(add, NOTHING_FOUND);
}

/** Whether something of this key is missing, old or wrong. */
export function isAtFault(written: WrittenKey, found: Found): boolean {
  const { lost, stale, wrong } = { ...NOTHING_FOUND, ...faults(written, found) };
  return lost + stale + wrong > 0;
}

function add(sum: Verdict, one: Verdict): Verdict {
  return {
    keys: sum.keys + one.keys,
    lost: sum.lost + one.lost,
    lostReplicated: sum.lostReplicated + one.lostReplicated,
    stale: sum.stale + one.stale,
    staleReplicated: sum.staleReplicated + one.staleReplicated,
    wrong: sum.wrong + one.wrong,
    duplicates: sum.duplicates + one.duplicates,
    examples: sum.examples.length < MAX_EXAMPLES ? [...sum.examples, ...one.examples] : sum.examples,
  };
}

function judgeKey(written: WrittenKey, found: Found): Verdict {
  const verdict = { ...NOTHING_FOUND, keys: 1, ...faults(written, found) };
  const outcome = written.outcomes.at(-1) ?? 'unknown';
  const text = `${written.key}: last write ${written.outcomes.length} ${outcome}, found ${JSON.stringify(found)}`;
  return !isAtFault(written, found) ? verdict : { ...verdict, examples: [text.slice(0, 200)] };
}

function faults(written: WrittenKey, found: Found): Partial<Verdict> {
  switch (written.kind) {
    case 'once':
      return onceFaults(written.outcomes, found);
    case 'counter':
      return counterFaults(written.outcomes, found);
    case 'list':
      return listFaults(written.outcomes, Array.isArray(found) ? found.map(Number) : []);
    default:
      return written.kind satisfies never;
  }
}

function onceFaults(outcomes: readonly Outcome[], found: Found): Partial<Verdict> {
  if (found !== null) return { wrong: found === '1' ? 0 : 1 };
  const outcome = outcomes[0];
  return { lost: outcome === 'unknown' ? 0 : 1, lostReplicated: outcome === 'replicated' ? 1 : 0 };
}

function counterFaults(outcomes: readonly Outcome[], found: Found): Partial<Verdict> {
  const value = found === null ? 0 : Number(found);
  if (!(value <= outcomes.length)) return { wrong: 1 };
  const acked = outcomes.findLastIndex((outcome) => outcome !== 'unknown') + 1;
  const replicated = outcomes.lastIndexOf('replicated') + 1;
  return { stale: value < acked ? 1 : 0, staleReplicated: value < replicated ? 1 : 0 };
}

function listFaults(outcomes: readonly Outcome[], found: readonly number[]): Partial<Verdict> {
  const there = new Set(found);
  const missing = outcomes.filter((outcome, index) => outcome !== 'unknown' && !there.has(index + 1));
  const firsts = [...there]; // in the order of their first place
  const ordered = firsts.every((value, index) => index === 0 || value > (firsts[index - 1] ?? 0));
  const known = firsts.every((value) => value >= 1 && value <= outcomes.length);
  return {
    lost: missing.length,
    lostReplicated: missing.filter((outcome) => outcome === 'replicated').length,
    wrong: ordered && known ? 0 : 1,
    duplicates: found.length - there.size,
  };
}
