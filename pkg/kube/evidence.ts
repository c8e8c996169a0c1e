/** What is known of a pod that is not ready, and the pieces that all questions about it share. Pure. */
import type { PodTrouble } from '../engine/ports.ts';
import type { RawClaim, RawCondition, RawEvent, RawPod, RawStorageClass } from './api-json.ts';

/** All that is looked at. What was not asked for, or not allowed, is empty or null. */
export interface Evidence {
  /** null: the pod is gone. */
  readonly pod: RawPod | null;
  /** Of the pod and of its claims, any order. */
  readonly events: readonly RawEvent[];
  /** Those that the pod mounts and that exist. */
  readonly claims: readonly RawClaim[];
  /** null: we may not list them. */
  readonly storageClasses: readonly RawStorageClass[] | null;
  /** Last lines of the Redis container, oldest first. */
  readonly log: readonly string[];
  /** The same of the process before. */
  readonly previousLog: readonly string[];
}

export type Finding = Omit<PodTrouble, 'pod'>;

/** So many lines of a log are evidence enough. */
export const EVIDENCE_LINES = 5;

/** Events of one object, newest first. */
export function eventsOf(events: readonly RawEvent[], kind: string, name: string): readonly RawEvent[] {
  return events
    .filter(({ involvedObject }) => involvedObject?.kind === kind && involvedObject.name === name)
    .sort((a, b) => timeOf(b) - timeOf(a));
}

export function newest(events: readonly RawEvent[]): RawEvent | null {
  return events.reduce<RawEvent | null>(
    (best, each) => (best === null || timeOf(each) >= timeOf(best) ? each : best),
    null,
  );
}

function timeOf(event: RawEvent): number {
  return Date.parse(saidAt(event) ?? '') || 0;
}

/** When the server said so last, by its clock. */
export function saidAt(event: RawEvent): string | undefined {
  return (
    event.series?.lastObservedTime ??
    event.lastTimestamp ??
    event.eventTime ??
    event.metadata?.creationTimestamp ??
    undefined
  );
}

export function condition(pod: RawPod | null, type: string): RawCondition | undefined {
  return (pod?.status?.conditions ?? []).find((each) => each.type === type);
}

/** @param mark see PodTrouble; left out for what is so now */
export function finding(
  code: string,
  sentence: string,
  evidence: readonly string[],
  fatal: boolean,
  mark?: string,
): Finding {
  return { code, sentence, evidence, fatal, ...(mark === undefined ? {} : { mark }) };
}

/** `what: why`, or only what when there is no why. */
export function joined(what: string, why: string | undefined): string {
  return why === undefined || why.trim() === '' ? what : `${what}: ${why.trim()}`;
}
