/** An API server in memory, as far as leases and objects go: optimistic locking like the real one. */
import { AppError } from '../../pkg/errors.ts';
import type { KubeObject, KubePort } from '../../pkg/engine/ports.ts';

export type ObjectStore = Pick<KubePort, 'get' | 'list' | 'create' | 'replace' | 'remove' | 'apply'> & {
  readonly objects: Map<string, KubeObject>;
};

export function createObjectStore(): ObjectStore {
  const objects = new Map<string, KubeObject>();
  let version = 0;
  const keyOf = (kind: string, name: string): string => `${kind}/${name}`;
  const put = (object: KubeObject, uid: string): KubeObject => {
    const stored = { ...object, metadata: { ...object.metadata, uid, resourceVersion: String(++version) } };
    objects.set(keyOf(object.kind, object.metadata.name), stored);
    return stored;
  };
  return {
    objects,
    get: async (_, kind, name) => objects.get(keyOf(kind, name)) ?? null,
    list: async (_, kind, options) => {
      const wanted = (options?.selector ?? '').split(',').map((term) => term.split('='));
      return [...objects.values()].filter(
        ({ kind: each, metadata }) =>
          each === kind && wanted.every(([key = '', value]) => value === undefined || metadata.labels?.[key] === value),
      );
    },
    create: async (object) => {
      if (objects.has(keyOf(object.kind, object.metadata.name)))
        throw new AppError('it is there already', { code: 'already-exists' });
      return put(object, `uid-${version}`);
    },
    replace: async (object) => {
      const existing = objects.get(keyOf(object.kind, object.metadata.name));
      if (existing === undefined) throw new AppError('not found', { code: 'not-found' });
      if (existing.metadata.resourceVersion !== object.metadata.resourceVersion)
        throw new AppError('changed meanwhile', { code: 'conflict' });
      return put(object, existing.metadata.uid ?? '');
    },
    apply: async (object) =>
      put(object, objects.get(keyOf(object.kind, object.metadata.name))?.metadata.uid ?? `uid-${version}`),
    remove: async (_, kind, name, options) => {
      const existing = objects.get(keyOf(kind, name));
      if (existing === undefined || (options?.uid ?? existing.metadata.uid) !== existing.metadata.uid) return false;
      const version = options?.resourceVersion ?? existing.metadata.resourceVersion;
      if (version !== existing.metadata.resourceVersion) return false;
      return objects.delete(keyOf(kind, name));
    },
  };
}
