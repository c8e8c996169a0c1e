/**
 * Every problem that `check` can find, in the order of a full repair: Kubernetes first, then identity, addresses, quorum,
 * replicas, ghosts, slots, coverage, configuration, balance. That order is also the order in which problems are shown.
 */
import { DATA_CODES } from './codes/data.ts';
import { KUBERNETES_CODES } from './codes/kubernetes.ts';
import { MEMBERSHIP_CODES } from './codes/membership.ts';
import type { CodeSpec } from './codes/spec.ts';

export type { CodeSpec } from './codes/spec.ts';

const TABLE = { ...KUBERNETES_CODES, ...MEMBERSHIP_CODES, ...DATA_CODES };

export type Code = keyof typeof TABLE;

export const CODES: Readonly<Record<Code, CodeSpec>> = TABLE;

export const CODE_NAMES: readonly Code[] = Object.keys(TABLE).filter(isCode);

const POSITIONS: ReadonlyMap<string, number> = new Map(CODE_NAMES.map((code, index) => [code, index]));

export function isCode(text: string): text is Code {
  return Object.hasOwn(TABLE, text);
}

/** Where the code stands in the order of a repair; unknown codes come last. */
export function positionOf(code: string): number {
  return POSITIONS.get(code) ?? CODE_NAMES.length;
}

/** Where the code is explained, relative to the repository. */
export function docOf(code: Code): string {
  return `docs/problems.md#${code}`;
}
