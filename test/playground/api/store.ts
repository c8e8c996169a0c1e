/**
 * All objects, in memory: versions, optimistic locking, and what changed since a version. It knows nothing of what the
 * objects mean. Stored objects are never changed, only replaced.
 */
import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { alreadyExists, conflict, notFound } from './failure.ts';
import { timestamp } from './objects.ts';
import type { ApiObject, Meta } from './objects.ts';
import { resourceOf } from './resources.ts';

/** What a watch is told; in DELETED the object is as it last was. */
export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly resource: string;
  readonly object: ApiObject;
  readonly before: ApiObject | null;
  readonly version: number;
}

/** What is not stored yet: the store gives uid, version and creation time. */
export type NewObject = Omit<ApiObject, 'metadata'> & { readonly metadata: Partial<Meta> & { readonly name: string } };

export interface Store {
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- what a kind is made of is known to the caller
  get<T extends ApiObject>(resource: string, namespace: string | null, name: string): T | null;
  /** Of a namespace, or of all (null), in the order of their names. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the same
  list<T extends ApiObject>(resource: string, namespace?: string | null): readonly T[];
  create(resource: string, object: NewObject): ApiObject;
  /** Compare-and-swap with the object's resourceVersion. The same content again is no change. */
  replace(resource: string, object: ApiObject): ApiObject;
  /** Replaces what there is by what `change` makes of it; null when it is gone. */
  update<T extends ApiObject>(resource: string, object: ApiObject, change: (now: T) => T): T | null;
  remove(resource: string, object: ApiObject): void;
  version(): number;
  /** null when the history does not reach back that far. */
  changesSince(version: number): readonly Change[] | null;
  /** Called after each change. Returns how to stop it. */
  onChange(listener: (change: Change) => void): () => void;
}

const HISTORY = 10_000;

const keyOf = (namespace: string | null | undefined, name: string): string => `${namespace ?? ''}/${name}`;

/** Spec changes count as generations, as they do for the kinds whose controllers report one. */
function nextGeneration(before: ApiObject, after: ApiObject): { generation?: number } {
  const { generation } = before.metadata;
  if (generation === undefined) return {};
  return { generation: isDeepStrictEqual(before.spec, after.spec) ? generation : generation + 1 };
}

export function createStore(): Store {
  const kinds = new Map<string, Map<string, ApiObject>>();
  const history: Change[] = [];
  const listeners = new Set<(change: Change) => void>();
  let version = 1;
  const tableOf = (resource: string): Map<string, ApiObject> => {
    const table = kinds.get(resourceOf(resource).key) ?? new Map<string, ApiObject>();
    kinds.set(resource, table);
    return table;
  };
  const record = (
    type: Change['type'],
    resource: string,
    unversioned: ApiObject,
    before: ApiObject | null,
  ): ApiObject => {
    version += 1;
    const metadata = { ...unversioned.metadata, resourceVersion: String(version) };
    const object = { ...unversioned, metadata };
    const key = keyOf(metadata.namespace, metadata.name);
    if (type === 'DELETED') tableOf(resource).delete(key);
    else tableOf(resource).set(key, object);
    const change: Change = { type, resource, object, before, version };
    history.push(change);
    if (history.length > HISTORY) history.shift();
    for (const listener of listeners) listener(change);
    return object;
  };

  const store: Store = {
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the same
    get: <T extends ApiObject>(resource: string, namespace: string | null, name: string) =>
      (tableOf(resource).get(keyOf(namespace, name)) as T | undefined) ?? null,
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the same
    list: <T extends ApiObject>(resource: string, namespace: string | null = null) =>
      [...tableOf(resource).entries()]
        .filter(([, { metadata }]) => namespace === null || metadata.namespace === namespace)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, object]) => object as T),
    create: (resource, object) => {
      const { metadata } = object;
      if (store.get(resource, metadata.namespace ?? null, metadata.name) !== null) {
        throw alreadyExists(resource, metadata.name);
      }
      const given: Meta = { ...metadata, uid: randomUUID(), resourceVersion: '', creationTimestamp: timestamp() };
      const generation = object.spec === undefined ? {} : { generation: 1 };
      return record('ADDED', resource, { ...object, metadata: { ...given, ...generation } }, null);
    },
    replace: (resource, object) => {
      const { namespace, name, uid, resourceVersion } = object.metadata;
      const before = store.get(resource, namespace ?? null, name);
      if (before === null) throw notFound(resource, name);
      if (uid !== before.metadata.uid || resourceVersion !== before.metadata.resourceVersion) {
        throw conflict(resource, name, 'the object has been modified; please apply your changes to the latest version');
      }
      if (isDeepStrictEqual(before, object)) return before;
      const metadata = { ...object.metadata, ...nextGeneration(before, object) };
      return record('MODIFIED', resource, { ...object, metadata }, before);
    },
    update: <T extends ApiObject>(resource: string, { metadata }: ApiObject, change: (now: T) => T) => {
      const now = store.get<T>(resource, metadata.namespace ?? null, metadata.name);
      if (now === null || now.metadata.uid !== metadata.uid) return null;
      return store.replace(resource, change(now)) as T;
    },
    remove: (resource, object) => {
      const { namespace, name, uid } = object.metadata;
      const before = store.get(resource, namespace ?? null, name);
      if (before !== null && before.metadata.uid === uid) record('DELETED', resource, before, before);
    },
    version: () => version,
    changesSince: (since) => {
      const oldest = history[0]?.version ?? version + 1;
      if (since < oldest - 1 && since < version) return null;
      return history.filter((change) => change.version > since);
    },
    onChange: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return store;
}
