/** What the verbs of the API do to the store: one object or a list at a time, admission before, finalizers after. */
import { admit } from './admission.ts';
import type { AdmissionDeps } from './admission.ts';
import { applied, written } from './apply.ts';
import { badRequest, conflict, forbidden, invalid, notFound, notImplemented } from './failure.ts';
import { isMap } from './json-shape.ts';
import type { Json } from './json-shape.ts';
import { timestamp } from './objects.ts';
import type { ApiObject, Pod } from './objects.ts';
import { mergePatch, strategicPatch } from './patch.ts';
import type { Target } from './resources.ts';
import type { NewObject } from './store.ts';

export interface Write {
  readonly dryRun: boolean;
  readonly fieldManager: string;
  readonly force: boolean;
}

export interface DeleteOptions {
  readonly gracePeriodSeconds?: number;
  readonly propagationPolicy?: string;
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string };
}

export interface Registry {
  get(target: Target): ApiObject;
  create(target: Target, body: Json, write: Write): ApiObject;
  replace(target: Target, body: Json, write: Write): ApiObject;
  patch(target: Target, contentType: string, body: Json, write: Write): { object: ApiObject; made: boolean };
  remove(target: Target, options: DeleteOptions, write: Write): ApiObject;
}

export function createRegistry(deps: AdmissionDeps): Registry {
  const { store } = deps;
  const find = ({ resource, namespace, name }: Target): ApiObject | null =>
    store.get(resource.key, resource.namespaced ? namespace : null, name ?? '');
  const must = (target: Target): ApiObject => {
    const found = find(target);
    if (found === null) throw notFound(target.resource.key, target.name ?? '');
    return found;
  };
  const named = (target: Target, body: Json): NewObject => {
    const object = namedObject(target, body);
    if (target.resource.namespaced) mustHaveNamespace(deps, target, object);
    return object;
  };
  const insert = (target: Target, object: NewObject, write: Write): ApiObject => {
    const admitted = admit(deps, target.resource.key, object, null);
    if (!write.dryRun) return store.create(target.resource.key, admitted);
    const metadata = { ...admitted.metadata, uid: '', resourceVersion: '', creationTimestamp: timestamp() };
    return { ...admitted, metadata };
  };
  const change = (target: Target, before: ApiObject, wanted: ApiObject, write: Write, applies = false): ApiObject => {
    const kept = keepOwn(target, before, wanted);
    const merged = applies || target.subresource !== null ? kept : written(before, kept, write.fieldManager);
    const admitted = { ...admit(deps, target.resource.key, merged, before), metadata: merged.metadata };
    if (write.dryRun) return admitted;
    return finished(deps, target.resource.key, store.replace(target.resource.key, admitted));
  };
  return {
    get: must,
    create: (target, body, write) => insert(target, named(target, body), write),
    replace: (target, body, write) => {
      const before = must(target);
      const wanted = named(target, body) as ApiObject;
      const { resourceVersion = '' } = wanted.metadata as Partial<ApiObject['metadata']>;
      if (resourceVersion !== '' && resourceVersion !== before.metadata.resourceVersion) {
        throw conflict(target.resource.key, before.metadata.name, 'the object has been modified');
      }
      return change(target, before, wanted, write);
    },
    patch: (target, contentType, body, write) => {
      if (contentType.startsWith('application/apply-patch')) {
        const config = named(target, body) as ApiObject;
        const live = find(target);
        const wanted = applied(live, config, { manager: write.fieldManager, force: write.force });
        if (live === null) return { object: insert(target, wanted, write), made: true };
        return { object: change(target, live, wanted, write, true), made: false };
      }
      const before = must(target);
      return { object: change(target, before, patched(before, contentType, body), write), made: false };
    },
    remove: (target, options, write) => removeObject(deps, target, must(target), options, write),
  };
}

function namedObject({ resource, namespace, name }: Target, body: Json): NewObject {
  const { kind, metadata } = body;
  if (kind !== undefined && kind !== resource.kind) throw badRequest(`${JSON.stringify(kind)} is no ${resource.kind}`);
  const given = isMap(metadata) ? metadata : {};
  const own = given['name'] ?? name;
  if (typeof own !== 'string' || own === '') throw invalid(resource.kind, '', 'metadata.name', 'Required value');
  if (name !== null && own !== name)
    throw badRequest(`the name of the object (${own}) is not that of the URL (${name})`);
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  const place = resource.namespaced ? { namespace: namespace ?? undefined } : {};
  return { ...body, apiVersion, kind: resource.kind, metadata: { ...given, ...place, name: own } };
}

function mustHaveNamespace({ store }: AdmissionDeps, { resource, namespace }: Target, object: NewObject): void {
  const found = store.get('namespaces', null, namespace ?? '');
  if (found === null) throw notFound('namespaces', namespace ?? '');
  if (found.metadata.deletionTimestamp === undefined) return;
  if (store.get(resource.key, namespace, object.metadata.name) !== null) return;
  throw forbidden(
    resource.key,
    object.metadata.name,
    `unable to create new content in namespace ${namespace} because it is being terminated`,
  );
}

function patched(before: ApiObject, contentType: string, body: Json): ApiObject {
  switch (contentType) {
    case 'application/merge-patch+json':
      return mergePatch(before, body) as unknown as ApiObject;
    case 'application/strategic-merge-patch+json':
      return strategicPatch(before, body) as unknown as ApiObject;
    default:
      throw notImplemented(`patches of type ${contentType}`);
  }
}

/** What a writer can't change: who the object is, and its status except through the subresource. */
function keepOwn({ subresource }: Target, before: ApiObject, wanted: ApiObject): ApiObject {
  const { uid, resourceVersion, creationTimestamp, deletionTimestamp, generation } = before.metadata;
  if (subresource === 'status') return { ...before, status: wanted.status };
  if (subresource === 'scale') {
    const { replicas = 0 } = wanted.spec as { readonly replicas?: number };
    return { ...before, spec: { ...(before.spec as object), replicas } };
  }
  if (subresource !== null) throw notImplemented(`subresource ${subresource}`);
  const { metadata, status: _, ...rest } = wanted;
  const fixed = { uid, resourceVersion, creationTimestamp };
  const marks = {
    ...(generation === undefined ? {} : { generation }),
    ...(deletionTimestamp === undefined ? {} : { deletionTimestamp }),
    managedFields: metadata.managedFields ?? before.metadata.managedFields ?? [],
  };
  const status = before.status === undefined ? {} : { status: before.status };
  return { ...rest, metadata: { ...metadata, ...fixed, ...marks }, ...status };
}

/** An object that was only waiting for its finalizers goes with the last of them. */
function finished({ store }: AdmissionDeps, resource: string, object: ApiObject): ApiObject {
  const { deletionTimestamp, finalizers = [] } = object.metadata;
  if (deletionTimestamp !== undefined && finalizers.length === 0 && resource !== 'pods' && resource !== 'namespaces') {
    store.remove(resource, object);
  }
  return object;
}

function removeObject(
  { store }: AdmissionDeps,
  { resource }: Target,
  object: ApiObject,
  options: DeleteOptions,
  { dryRun }: Write,
): ApiObject {
  const { name, uid, resourceVersion } = object.metadata;
  const { preconditions, propagationPolicy = 'Background' } = options;
  if (propagationPolicy !== 'Background') throw notImplemented(`deletion with propagation policy ${propagationPolicy}`);
  if (preconditions?.uid !== undefined && preconditions.uid !== uid) {
    throw conflict(
      resource.key,
      name,
      `the UID in the precondition (${preconditions.uid}) is not that of the object (${uid})`,
    );
  }
  if (preconditions?.resourceVersion !== undefined && preconditions.resourceVersion !== resourceVersion) {
    throw conflict(resource.key, name, 'the resourceVersion in the precondition is not that of the object');
  }
  if (dryRun) return object;
  const grace = resource.key === 'pods' ? graceOf(object as Pod, options) : 0;
  const waits = grace > 0 || resource.key === 'namespaces' || (object.metadata.finalizers ?? []).length > 0;
  if (!waits) {
    store.remove(resource.key, object);
    return object;
  }
  const sooner = grace < (object.metadata.deletionGracePeriodSeconds ?? Number.POSITIVE_INFINITY);
  if (object.metadata.deletionTimestamp !== undefined && !sooner) return object;
  const deletionTimestamp = timestamp(Date.now() + grace * 1000);
  const mark = { deletionTimestamp, deletionGracePeriodSeconds: grace };
  return store.replace(resource.key, { ...object, metadata: { ...object.metadata, ...mark } });
}

/** A pod that no host has, or that is over, goes at once. */
function graceOf({ spec, status }: Pod, { gracePeriodSeconds }: DeleteOptions): number {
  if (spec.nodeName === undefined || status.phase === 'Succeeded' || status.phase === 'Failed') return 0;
  return gracePeriodSeconds ?? spec.terminationGracePeriodSeconds ?? 30;
}
