/** What goes because something else went: what owners leave behind, and what is in a namespace. */
import { RESOURCES } from '../api/resources.ts';
import type { ControllerDeps } from './stateful-sets.ts';

const QUIET = { dryRun: false, fieldManager: 'garbage-collector', force: false } as const;

export function collectGarbage({ store, registry }: ControllerDeps): void {
  const owned = ['pods', 'statefulsets.apps'];
  const uids = new Set(
    RESOURCES.flatMap(({ key }) => (owned.includes(key) ? store.list(key) : [])).map(({ metadata }) => metadata.uid),
  );
  for (const resource of RESOURCES) {
    for (const { metadata } of store.list(resource.key)) {
      const owners = (metadata.ownerReferences ?? []).filter(({ kind }) => kind === 'Pod' || kind === 'StatefulSet');
      if (owners.length === 0 || owners.some(({ uid }) => uids.has(uid)) || metadata.deletionTimestamp !== undefined)
        continue;
      const target = { resource, namespace: metadata.namespace ?? null, name: metadata.name, subresource: null };
      registry.remove(target, {}, QUIET);
    }
  }
}

/** A new namespace gets its account; one that is deleted goes when everything in it has gone. */
export function syncNamespaces({ store, registry }: ControllerDeps): void {
  for (const namespace of store.list('namespaces')) {
    const { name, deletionTimestamp } = namespace.metadata;
    if (deletionTimestamp === undefined) {
      if (store.get('serviceaccounts', name, 'default') !== null) continue;
      const metadata = { name: 'default', namespace: name };
      store.create('serviceaccounts', { apiVersion: 'v1', kind: 'ServiceAccount', metadata });
      continue;
    }
    const contents = RESOURCES.filter(({ namespaced }) => namespaced).flatMap((resource) =>
      store.list(resource.key, name).map((object) => ({ resource, object })),
    );
    if (contents.length === 0) store.remove('namespaces', namespace);
    for (const { resource, object } of contents) {
      if (object.metadata.deletionTimestamp !== undefined) continue;
      registry.remove({ resource, namespace: name, name: object.metadata.name, subresource: null }, {}, QUIET);
    }
  }
}
