/**
 * What a start guard says while it waits (the scripts of pkg/pod/scripts, in the log of the pod): `waiting for …` ends by itself,
 * `waiting because …` when somebody has mended something. Read here and nowhere else; test/unit/cluster/check/refused-start.test holds the scripts to
 * it. Pure.
 */
import type { UnreachableReason } from '../model/observation.ts';

/** What has to be mended by a person before the node may start. */
export type ByPerson =
  /** Of another node, another cluster, or a copy. */
  | 'foreign-volume'
  /** The other nodes run a product whose data this one can't read. */
  | 'other-product'
  /** This image can't read what is on its own volume. */
  | 'older-image'
  /** A dump that the server would not load. */
  | 'dump'
  /** The primary that it would copy has less than it. */
  | 'older-primary'
  /** Objects that were copied from another namespace. */
  | 'copied-objects'
  /** In words of other scripts than these. */
  | 'unknown';

export interface GuardSays {
  /** `process`: the one of the pod before, or this very node at another place, still runs. `peers`: whatever comes by itself. */
  readonly waitsFor: 'peers' | 'address' | 'process' | ByPerson;
  /** The volume has lost its data; with data and no identity this is false. */
  readonly withoutData: boolean;
  /** Nothing at all is on the volume. */
  readonly emptyVolume: boolean;
  /** Whose data is on the volume, where its image can't read that. */
  readonly writtenBy: 'redis' | 'valkey';
  /** With it a person lets the node start although its data is old; null = that is not what it waits for. */
  readonly startAnyway: string | null;
  /** With it a person says that the keys on a volume without nodes.conf are those of the node that it was; null = it has one, or has no keys. */
  readonly startWithKeys: string | null;
}

/** The first that fits. */
const WAITS: readonly (readonly [says: RegExp, GuardSays['waitsFor']])[] = [
  [/^waiting for the address/, 'address'],
  [/another process that still uses the volume|because node \S+ runs at /, 'process'],
  [/^waiting (?!because )/, 'peers'],
  [/is that of node \S+ of the cluster|belongs to another cluster|is a copy of its volume/, 'foreign-volume'],
  [/whose data this \S+ can't read: this volume/, 'other-product'],
  [/whose data this \S+ can't read|this image has an older one/, 'older-image'],
  [/dump\.rdb is on this volume/, 'dump'],
  [/the primary of this replica/, 'older-primary'],
  [/copy of (a node|that) of namespace/, 'copied-objects'],
  [/^waiting because /, 'unknown'],
];

type Unreachable = { readonly why: UnreachableReason; readonly detail: string } | null;

/** null = no guard waits there. */
export function readGuard(unreachable: Unreachable): GuardSays | null {
  if (unreachable?.why !== 'guard-waiting') return null;
  const says = unreachable.detail;
  return {
    waitsFor: WAITS.find(([pattern]) => pattern.test(says))?.[1] ?? 'peers',
    withoutData: says.includes('this volume has no data'),
    emptyVolume: says.includes('(its volume is empty)'),
    writtenBy: /this volume was .*valkey/i.test(says) ? 'valkey' : 'redis',
    startAnyway: /to start with what is here: (.+)$/.exec(says)?.[1] ?? null,
    startWithKeys: /to start with its keys as that node: (.+)$/.exec(says)?.[1] ?? null,
  };
}

/** What a person has to mend before the guard lets the node start; null = nothing, or no guard waits there. */
export function refusedStart(unreachable: Unreachable): ByPerson | null {
  const waitsFor = readGuard(unreachable)?.waitsFor ?? 'peers';
  return waitsFor === 'peers' || waitsFor === 'address' || waitsFor === 'process' ? null : waitsFor;
}
