/**
 * Which nodes see the same cluster, and how the others differ. Views are equal when they agree, for every id, about role,
 * primary, slots, address and the owner's config epoch (invariant I2).
 */
import type { GossipNode } from '../model/observation.ts';
import { SLOT_COUNT } from '../model/slots.ts';
import type { SlotRange } from '../model/slots.ts';
import { LineTable, formatAddress, isHandshake, ownLineOf } from './gossip.ts';
import type { Answered, Gossip } from './gossip.ts';

/** How a view differs from the one that most nodes have; `here` is in this view, `there` in the others'. */
export type Difference =
  | { readonly kind: 'unknown-here' | 'unknown-there'; readonly nodeId: string }
  | {
      readonly kind: 'role' | 'primary' | 'address' | 'epoch';
      readonly nodeId: string;
      readonly here: string;
      readonly there: string;
    }
  | { readonly kind: 'owner'; readonly range: SlotRange; readonly here: string | null; readonly there: string | null };

export interface ComparedViews {
  readonly nodeIds: readonly string[];
  readonly differences: readonly Difference[];
}

interface View {
  readonly nodeId: string;
  readonly lines: ReadonlyMap<string, ViewLine>;
}

interface ViewLine {
  readonly line: GossipNode;
  readonly address: string;
}

/** Computed once for an observation: `interpret` and `check` both need it. */
const CACHE = new WeakMap<Gossip, readonly ComparedViews[]>();

/** Groups of equal views, the largest first (then by the order of pods); the first has no differences. */
export function compareViews(gossip: Gossip): readonly ComparedViews[] {
  const known = CACHE.get(gossip);
  if (known !== undefined) return known;
  const compared = groupViews(gossip);
  CACHE.set(gossip, compared);
  return compared;
}

function groupViews(gossip: Gossip): ComparedViews[] {
  const table = new LineTable();
  const groups = new Map<string, View[]>();
  for (const answered of gossip.answered) {
    const view = viewOf(answered, gossip);
    const signature = signatureOf(view, table);
    groups.set(signature, [...(groups.get(signature) ?? []), view]);
  }
  const ordered = [...groups.values()].sort((a, b) => b.length - a.length);
  const reference = ordered[0]?.[0];
  const owners = reference === undefined ? [] : stretchesOf(reference);
  return ordered.map((views) => {
    const [first] = views;
    const same = first === undefined || reference === undefined || first === reference;
    return {
      nodeIds: views.map((view) => view.nodeId),
      differences: same ? [] : differencesOf(first, reference, owners),
    };
  });
}

function viewOf({ answer }: Answered, gossip: Gossip): View {
  const own = ownLineOf(answer);
  const lines = new Map<string, ViewLine>();
  for (const line of answer.view) {
    if (isHandshake(line)) continue;
    const address = line === own ? (gossip.addresses.get(line.nodeId) ?? '') : formatAddress(line);
    lines.set(line.nodeId, { line, address });
  }
  return { nodeId: answer.myId, lines };
}

/** Lines as small numbers, sorted: two views are equal when these are, whatever order the servers printed. */
function signatureOf(view: View, table: LineTable): string {
  const numbers = [...view.lines.values()].map(({ line, address }) => table.numberOf(line, address));
  return numbers.sort((a, b) => a - b).join();
}

function differencesOf(view: View, reference: View, owners: Stretches): Difference[] {
  const out: Difference[] = [];
  for (const [nodeId, there] of reference.lines) {
    const here = view.lines.get(nodeId);
    if (here === undefined) out.push({ kind: 'unknown-here', nodeId });
    else out.push(...lineDifferences(nodeId, here, there));
  }
  for (const nodeId of view.lines.keys()) if (!reference.lines.has(nodeId)) out.push({ kind: 'unknown-there', nodeId });
  return [...out, ...ownerDifferences(stretchesOf(view), owners)];
}

function lineDifferences(nodeId: string, here: ViewLine, there: ViewLine): Difference[] {
  const out: Difference[] = [];
  const add = (kind: 'role' | 'primary' | 'address' | 'epoch', one: string, other: string): void => {
    if (one !== other) out.push({ kind, nodeId, here: one, there: other });
  };
  add('role', here.line.role, there.line.role);
  if (here.line.role === there.line.role) add('primary', here.line.primaryId ?? '', there.line.primaryId ?? '');
  add('address', here.address, there.address);
  if (here.line.slots.length > 0 && there.line.slots.length > 0)
    add('epoch', String(here.line.configEpoch), String(there.line.configEpoch));
  return out;
}

/** Stretches of slots with one owner, from 0 to the last slot; null = no owner. */
type Stretches = readonly { readonly end: number; readonly owner: string | null }[];

function ownerDifferences(here: Stretches, there: Stretches): Difference[] {
  const out: Difference[] = [];
  let [i, j, start] = [0, 0, 0];
  for (
    let mine = here[0], theirs = there[0];
    mine !== undefined && theirs !== undefined;
    mine = here[i], theirs = there[j]
  ) {
    const end = Math.min(mine.end, theirs.end);
    if (mine.owner !== theirs.owner)
      out.push({ kind: 'owner', range: { start, end }, here: mine.owner, there: theirs.owner });
    if (mine.end === end) i++;
    if (theirs.end === end) j++;
    start = end + 1;
  }
  return out;
}

function stretchesOf(view: View): Stretches {
  const ranges = [...view.lines].flatMap(([owner, { line }]) =>
    line.slots.map(({ start, end }) => ({ start, end, owner })),
  );
  const out: { end: number; owner: string | null }[] = [];
  let next = 0;
  for (const { start, end, owner } of ranges.sort((a, b) => a.start - b.start)) {
    const last = Math.min(end, SLOT_COUNT - 1);
    if (last < next) continue;
    if (start > next) out.push({ end: Math.min(start, SLOT_COUNT) - 1, owner: null });
    if (start < SLOT_COUNT) out.push({ end: last, owner });
    next = last + 1;
  }
  if (next < SLOT_COUNT) out.push({ end: SLOT_COUNT - 1, owner: null });
  return out;
}

/** A difference as a sentence without a subject: what this view says and what most say. */
export function describeDifference(difference: Difference, nameOf: (nodeId: string) => string): string {
  switch (difference.kind) {
    case 'unknown-here':
      return `does not know ${nameOf(difference.nodeId)}`;
    case 'unknown-there':
      return `knows ${nameOf(difference.nodeId)}, which the others do not`;
    case 'role':
      return `${nameOf(difference.nodeId)} is a ${difference.here}, not a ${difference.there}`;
    case 'primary':
      return `${nameOf(difference.nodeId)} follows ${named(difference.here, nameOf)}, not ${named(difference.there, nameOf)}`;
    case 'address':
      return `${nameOf(difference.nodeId)} is at ${difference.here || 'an unknown address'}, not ${difference.there || 'unknown'}`;
    case 'epoch':
      return `${nameOf(difference.nodeId)} has config epoch ${difference.here}, not ${difference.there}`;
    case 'owner':
      return describeOwner(difference, nameOf);
    default:
      return difference satisfies never;
  }
}

function named(nodeId: string, nameOf: (nodeId: string) => string): string {
  return nodeId === '' ? 'nobody' : nameOf(nodeId);
}

function describeOwner(difference: Extract<Difference, { kind: 'owner' }>, nameOf: (nodeId: string) => string): string {
  const { start, end } = difference.range;
  const which = start === end ? `slot ${start} belongs` : `slots ${start}-${end} belong`;
  return `${which} to ${named(difference.here ?? '', nameOf)}, not ${named(difference.there ?? '', nameOf)}`;
}
