/**
 * Every problem that `check` can find, in the order of a full repair: the record and Kubernetes first, then identity, addresses, quorum,
 * replicas, ghosts, slots, coverage, configuration, balance. That order is also the order in which problems are shown.
 */
import { DATA_CODES } from './codes/data.ts';
import { KUBERNETES_CODES } from './codes/kubernetes.ts';
import { MEMBERSHIP_CODES } from './codes/membership.ts';
import { RECORD_CODES } from './codes/record.ts';
import type { CodeSpec } from './codes/spec.ts';

export type { CodeSpec } from './codes/spec.ts';

const TABLE = { ...RECORD_CODES, ...KUBERNETES_CODES, ...MEMBERSHIP_CODES, ...DATA_CODES };

export type Code = keyof typeof TABLE;

export const CODE_NAMES: readonly Code[] = Object.keys(TABLE).filter(isCode);

/** What `fix` repairs where nothing speaks against it; a unit test holds it against the planner. */
export const FIXABLE: ReadonlySet<Code> = new Set<Code>([
  'cluster-down',
  'record-older',
  'formed-mark-missing',
  'state-missing',
  'config-missing',
  'client-service-missing',
  'line-unused',
  'primary-incomplete',
  'pod-outdated',
  'objects-unsafe',
  'objects-differ',
  'service-missing',
  'service-wrong',
  'unknown-node',
  'node-not-joined',
  'address-unknown',
  'address-mismatch',
  'announce-lost',
  'no-quorum',
  'slots-without-node',
  'primary-down',
  'replica-orphaned',
  'replica-chain',
  'replica-dials-stale-address',
  'ghost-node',
  'slots-contested',
  'slots-unclaimed',
  'slots-half-open',
  'slots-open',
  'views-differ',
  'stray-keys',
  'slots-uncovered',
  'config-differs',
  'functions-differ',
  'shard-label-stale',
  'empty-primary',
  'replica-missing',
  'primaries-share-host',
  'same-host',
]);

/** The way of `fix` first, where there is one. NAME is the cluster. */
export function withFix(code: Code, byHand: string): string {
  return FIXABLE.has(code) ? `kubectl redis fix NAME. By hand: ${byHand}` : byHand;
}

/** What is left of it for whom `fix` can't help. */
export function byHandOf(repair: string): string {
  return repair.replace(/^kubectl redis fix \S+\. By hand: /, '');
}

export const CODES: Readonly<Record<Code, CodeSpec>> = sayingFix(TABLE);

function sayingFix(table: Readonly<Record<Code, CodeSpec>>): Record<Code, CodeSpec> {
  const out = { ...table };
  for (const code of CODE_NAMES) out[code] = { ...table[code], repair: withFix(code, table[code].repair) };
  return out;
}

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
