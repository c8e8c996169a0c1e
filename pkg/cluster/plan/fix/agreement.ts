/**
 * What a person has agreed to in the course of a `fix`. A repair that goes on is not asked for again; one that does something else, to
 * other nodes, or loses more than was named, is.
 */
import { isAgreed } from '../../model/loss.ts';
import { unionRanges, type SlotRanges } from '../../model/slots.ts';
import type { Repair } from './fix-plan.ts';

export interface Agreement {
  /** By code: what may be done, to whom, and the slots whose keys may be lost by it. */
  readonly byCode: ReadonlyMap<string, Agreed>;
}

interface Agreed {
  readonly titles: ReadonlySet<string>;
  readonly nodes: ReadonlySet<string>;
  readonly lostSlots: SlotRanges;
}

export const NOTHING_AGREED: Agreement = { byCode: new Map() };

export function agreeTo({ byCode }: Agreement, { code, titles, nodes, loses }: Repair): Agreement {
  const before = byCode.get(code);
  const agreed: Agreed = {
    titles: new Set([...(before?.titles ?? []), ...titles]),
    nodes: new Set([...(before?.nodes ?? []), ...nodes]),
    lostSlots: unionRanges(before?.lostSlots ?? [], loses?.slots ?? []),
  };
  return { byCode: new Map([...byCode, [code, agreed]]) };
}

export function covers({ byCode }: Agreement, { code, titles, nodes, loses }: Repair): boolean {
  const agreed = byCode.get(code);
  if (agreed === undefined) return false;
  const same = titles.every((title) => agreed.titles.has(title)) && nodes.every((node) => agreed.nodes.has(node));
  return same && (loses === null || isAgreed(loses, agreed.lostSlots));
}
