/**
 * What all views together say of each id: the address that most use for it and the line that most agree on.
 * Linear in the number of lines (300 nodes: 90,000).
 */
import type { GossipNode, NodeAnswer, Observation } from '../model/observation.ts';

export interface Answered {
  readonly pod: string;
  readonly answer: NodeAnswer;
}

export interface Gossip {
  readonly answered: readonly Answered[];
  /** Each answering id's line about itself. With one id in two pods: the first pod's. */
  readonly ownLines: ReadonlyMap<string, GossipNode>;
  /** What most views (other than its own) say of an id; ids in handshake are not there. */
  readonly majorityLines: ReadonlyMap<string, GossipNode>;
  /** Every line of every view, equal ones once: enough to know what anybody says. */
  readonly distinctLines: readonly GossipNode[];
  /** `ip:port` that most others use for an id; '' when they know none. */
  readonly addresses: ReadonlyMap<string, string>;
}

/** `ip:port`, IPv6 in brackets; '' for the unknown address `:0`. */
export function formatAddress(line: Pick<GossipNode, 'ip' | 'port'>): string {
  if (line.ip === '') return '';
  return line.ip.includes(':') ? `[${line.ip}]:${line.port}` : `${line.ip}:${line.port}`;
}

/** Handshake ids are random and vanish by themselves: no view is judged by them. */
export function isHandshake(line: GossipNode): boolean {
  return line.flags.includes('handshake');
}

/** FAIL, by the majority's judgement as this view has it; PFAIL (`fail?`) counts only where it is asked for. */
export function isFailed(line: GossipNode): boolean {
  return line.flags.includes('fail');
}

/** The view's own line; what `myself` says when the id is missing (a server in the middle of a reset). */
export function ownLineOf(answer: NodeAnswer): GossipNode | undefined {
  return (
    answer.view.find((line) => line.nodeId === answer.myId) ?? answer.view.find((line) => line.flags.includes('myself'))
  );
}

/**
 * Gives equal lines one number, without writing them as text: of 300 views nearly all lines are equal to one seen before.
 * Equal = what two views must agree on (invariant I2): role, primary, slots, address, the owner's config epoch.
 */
export class LineTable {
  readonly #seen = new Map<
    string,
    { readonly line: GossipNode; readonly address: string; readonly number: number }[]
  >();
  #next = 0;

  /**
   * `address` is given apart: a node that was never told its own address prints none on its own line, or its last one, which
   * harms nobody.
   */
  numberOf(line: GossipNode, address: string): number {
    const list = this.#seen.get(line.nodeId) ?? [];
    const known = list.find((one) => one.address === address && agree(one.line, line));
    if (known !== undefined) return known.number;
    this.#seen.set(line.nodeId, [...list, { line, address, number: this.#next }]);
    return this.#next++;
  }
}

function agree(a: GossipNode, b: GossipNode): boolean {
  if (a.role !== b.role || a.primaryId !== b.primaryId || a.slots.length !== b.slots.length) return false;
  if (a.slots.length > 0 && a.configEpoch !== b.configEpoch) return false;
  return a.slots.every((range, i) => range.start === b.slots[i]?.start && range.end === b.slots[i]?.end);
}

/** Computed once for an observation: `interpret` and `check` both need it. */
const CACHE = new WeakMap<Observation, Gossip>();

export function readGossip(observation: Observation): Gossip {
  const known = CACHE.get(observation);
  if (known !== undefined) return known;
  const gossip = countGossip(observation);
  CACHE.set(observation, gossip);
  return gossip;
}

function countGossip(observation: Observation): Gossip {
  const answered = observation.replies.flatMap(({ pod, reply }) =>
    reply.kind === 'answered' ? [{ pod, answer: reply.answer }] : [],
  );
  const table = new LineTable();
  const addresses = new Ballot<string>();
  const lines = new Ballot<GossipNode>();
  const ownLines = new Map<string, GossipNode>();
  const distinctLines = new Map<number | GossipNode, GossipNode>();
  for (const { answer } of answered) {
    const own = ownLineOf(answer);
    if (own !== undefined && !ownLines.has(answer.myId)) ownLines.set(answer.myId, own);
    if (own !== undefined) distinctLines.set(own, own);
    for (const line of answer.view) {
      if (line === own || isHandshake(line)) continue;
      const address = formatAddress(line);
      addresses.vote(line.nodeId, address, address);
      const number = table.numberOf(line, address);
      distinctLines.set(number, line);
      lines.vote(line.nodeId, `${number} ${line.flags.join()}`, line);
    }
  }
  const used = addresses.winners();
  for (const [id, line] of ownLines) if (!used.has(id)) used.set(id, formatAddress(line));
  return {
    answered,
    ownLines,
    majorityLines: lines.winners(),
    distinctLines: [...distinctLines.values()],
    addresses: used,
  };
}

/** Counts votes per id; the first of those with most votes wins, so the result depends on nothing but the order of views. */
class Ballot<T> {
  readonly #votes = new Map<string, Map<string, { count: number; readonly value: T }>>();

  vote(id: string, key: string, value: T): void {
    const candidates = this.#votes.get(id) ?? new Map<string, { count: number; readonly value: T }>();
    this.#votes.set(id, candidates);
    const entry = candidates.get(key);
    if (entry === undefined) candidates.set(key, { count: 1, value });
    else entry.count += 1;
  }

  winners(): Map<string, T> {
    const out = new Map<string, T>();
    for (const [id, candidates] of this.#votes) {
      const [first, ...rest] = candidates.values();
      if (first !== undefined)
        out.set(id, rest.reduce((best, one) => (one.count > best.count ? one : best), first).value);
    }
    return out;
  }
}
