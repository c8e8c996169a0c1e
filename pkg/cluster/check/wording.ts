/** How a problem is written: severity and general repair come from the table, names and numbers from the check. */
export { listNames } from '../model/list-names.ts';
import type { Problem } from '../model/problem.ts';
import { countSlots, formatRanges } from '../model/slots.ts';
import type { SlotRanges } from '../model/slots.ts';
import { CODES, withFix } from './codes.ts';
import type { Code } from './codes.ts';

export interface ProblemParts {
  readonly sentence: string;
  readonly subject?: string;
  readonly nodes?: readonly string[];
  readonly slots?: SlotRanges;
  /** Default: the table's. */
  readonly repair?: string;
  /** `fix` repairs others of its code, and leaves this one. */
  readonly byHand?: boolean;
}

export function makeProblem(code: Code, cluster: string, parts: ProblemParts): Problem {
  return {
    code,
    subject: parts.subject ?? null,
    severity: CODES[code].severity,
    sentence: parts.sentence,
    nodes: [...new Set(parts.nodes)],
    slots: parts.slots ?? [],
    repair: repairOf(code, parts).replaceAll('NAME', cluster),
  };
}

function repairOf(code: Code, { repair, byHand }: ProblemParts): string {
  if (repair === undefined) return CODES[code].repair;
  return byHand === true ? repair : withFix(code, repair);
}

/** `1 pod`, `3 pods`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** `slot 7`, `slots 0-5460`, `4096 slots (0-99, 200-299 …)` where there are many ranges. */
export function slotsText(slots: SlotRanges): string {
  const number = countSlots(slots);
  if (slots.length > 4) return `${number} slots (${formatRanges(slots.slice(0, 3)).replaceAll(',', ', ')} …)`;
  return `${number === 1 ? 'slot' : 'slots'} ${formatRanges(slots).replaceAll(',', ', ')}`;
}
