/**
 * What a person has agreed to in the course of a `fix`. A repair that goes on is not asked for again; one that does something else, to
 * other nodes, or loses more than was named, is.
 */
import { isAgreed, isWithin, partsOf, type Loss } from '../../model/loss.ts';
import type { SlotRanges } from '../../model/slots.ts';
import type { FixPlan, Repair } from './fix-plan.ts';

export interface Agreement {
  /** By code: what may be done, to whom, and what may be lost by it. */
  readonly byCode: ReadonlyMap<string, Agreed>;
}

interface Agreed {
  readonly titles: ReadonlySet<string>;
  readonly nodes: ReadonlySet<string>;
  readonly losses: readonly Loss[];
}

export const NOTHING_AGREED: Agreement = { byCode: new Map() };

export function agreeTo({ byCode }: Agreement, { code, titles, nodes, loses }: Repair): Agreement {
  const before = byCode.get(code);
  const agreed: Agreed = {
    titles: new Set([...(before?.titles ?? []), ...titles]),
    nodes: new Set([...(before?.nodes ?? []), ...nodes]),
    losses: [...(before?.losses ?? []), ...(loses === null ? [] : [loses])],
  };
  return { byCode: new Map([...byCode, [code, agreed]]) };
}

export function covers({ byCode }: Agreement, { code, titles, nodes, loses }: Repair): boolean {
  const agreed = byCode.get(code);
  if (agreed === undefined) return false;
  const same = titles.every((title) => agreed.titles.has(title)) && nodes.every((node) => agreed.nodes.has(node));
  return same && isWithin(loses, agreed.losses);
}

/**
 * Whether a repair loses nothing but what this plan named, or what is of slots that were typed. Where nobody can be asked that is all that
 * anybody has agreed to: `--takeover` names no slots, and what turns up in a later round was seen by nobody.
 */
export function isNamedIn(
  { repairs }: Pick<FixPlan, 'repairs'>,
  { loses }: Pick<Repair, 'loses'>,
  typed: SlotRanges,
): boolean {
  const named = repairs.flatMap((one) => one.loses ?? []);
  return partsOf(loses).every((part) => isAgreed(part, typed) || isWithin(part, named));
}
