/** The change as a JSON Patch (RFC 6902), always computed from the two pods, so that it can't say anything else than they do. */
import jsonPatch from 'fast-json-patch';
import type { Json } from './pod-json.ts';

export interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test' | '_get';
  readonly path: string;
  readonly value?: unknown;
}

/** What leads from one pod to the other; empty when they are the same. */
export function patchBetween(before: Json, after: Json): PatchOperation[] {
  return jsonPatch.compare(before, after);
}
