/** Reading and writing single objects and lists: the verbs of the API on the kinds of resources.ts. */
import { AppError } from '../errors.ts';
import type { ApplyOptions, KubeObject, RemoveOptions, RequestOptions } from '../engine/ports.ts';
import type { RawList } from './api-json.ts';
import type { RestClient, RestRequest } from './client.ts';
import type { Asked } from './http-errors.ts';
import { resourcePath } from './resources.ts';
import type { ResourceAddress, ResourcePath } from './resources.ts';

export const FIELD_MANAGER = 'kubectl-redis';

export interface ListOptions {
  readonly selector?: string | undefined;
  /** `involvedObject.name=redis-1`. */
  readonly fields?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A whole list, with the version that a watch can go on from. */
export interface Listed<T> {
  readonly items: readonly T[];
  readonly resourceVersion: string;
}

export function askedOf(verb: string, path: ResourcePath): Asked {
  return { verb, resource: path.resource, namespace: path.namespace, name: path.name };
}

/** @throws {AppError} see http-errors.ts */
export async function listAll<T>(
  client: RestClient,
  address: Omit<ResourceAddress, 'name'>,
  options: ListOptions = {},
): Promise<Listed<T>> {
  const path = resourcePath(address);
  const list = (await client.json({
    method: 'GET',
    path: path.path,
    query: {
      ...(options.selector === undefined ? {} : { labelSelector: options.selector }),
      ...(options.fields === undefined ? {} : { fieldSelector: options.fields }),
    },
    asked: askedOf('list', path),
    signal: options.signal,
    repeatable: true,
  })) as RawList<T>;
  return { items: list.items ?? [], resourceVersion: list.metadata?.resourceVersion ?? '' };
}

/** null when there is no such object. */
export async function getOne<T>(client: RestClient, address: ResourceAddress, signal?: AbortSignal): Promise<T | null> {
  const path = resourcePath(address);
  try {
    return (await client.json({
      method: 'GET',
      path: path.path,
      asked: askedOf('get', path),
      signal,
      repeatable: true,
    })) as T;
  } catch (error) {
    if (error instanceof AppError && error.code === 'not-found') return null;
    throw error;
  }
}

/** Server-side apply (https://kubernetes.io/docs/reference/using-api/server-side-apply/), taking over what others set. */
export async function applyObject(
  client: RestClient,
  namespace: string,
  object: KubeObject,
  options: ApplyOptions = {},
): Promise<KubeObject> {
  const path = pathOf(namespace, object);
  return write(client, {
    method: 'PATCH',
    path: path.path,
    query: { fieldManager: FIELD_MANAGER, force: true, ...(options.dryRun === true ? { dryRun: 'All' } : {}) },
    contentType: 'application/apply-patch+yaml',
    body: object,
    asked: askedOf('patch', path),
    ...boundsOf(options),
    repeatable: true,
  });
}

/** @throws {AppError} `already-exists` */
export async function createObject(
  client: RestClient,
  namespace: string,
  object: KubeObject,
  options: RequestOptions = {},
): Promise<KubeObject> {
  const path = pathOf(namespace, object);
  const collection = resourcePath({ apiVersion: object.apiVersion, kind: object.kind, namespace: path.namespace });
  return write(client, {
    method: 'POST',
    path: collection.path,
    query: { fieldManager: FIELD_MANAGER },
    body: object,
    asked: askedOf('create', path),
    ...boundsOf(options),
    repeatable: false,
  });
}

/** @throws {AppError} `conflict` when somebody wrote it since it was read */
export async function replaceObject(
  client: RestClient,
  namespace: string,
  object: KubeObject,
  options: RequestOptions = {},
): Promise<KubeObject> {
  const path = pathOf(namespace, object);
  return write(client, {
    method: 'PUT',
    path: path.path,
    query: { fieldManager: FIELD_MANAGER },
    body: object,
    asked: askedOf('update', path),
    ...boundsOf(options),
    repeatable: false,
  });
}

/** Deletes in the background; false when it was not there, or is not the one (`uid`), or not as it was (`resourceVersion`). */
export async function removeObject(
  client: RestClient,
  address: ResourceAddress,
  options: RemoveOptions = {},
): Promise<boolean> {
  const path = resourcePath(address);
  const { uid, resourceVersion } = options;
  const preconditions = {
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
  };
  const conditional = Object.keys(preconditions).length > 0;
  const body = {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    propagationPolicy: 'Background',
    ...(conditional ? { preconditions } : {}),
    ...(options.dryRun === true ? { dryRun: ['All'] } : {}),
    ...(options.graceSeconds === undefined ? {} : { gracePeriodSeconds: options.graceSeconds }),
  };
  try {
    const asked = askedOf('delete', path);
    await client.json({ method: 'DELETE', path: path.path, body, asked, ...boundsOf(options), repeatable: true });
    return true;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    if (error.code === 'not-found' || (error.code === 'conflict' && conditional)) return false;
    throw error;
  }
}

function pathOf(namespace: string, object: KubeObject): ResourcePath {
  return resourcePath({
    apiVersion: object.apiVersion,
    kind: object.kind,
    namespace: object.metadata.namespace ?? namespace,
    name: object.metadata.name,
  });
}

function boundsOf({ signal, fence }: RequestOptions): Pick<RestRequest, 'signal' | 'fence'> {
  return { signal, fence };
}

async function write(client: RestClient, request: RestRequest): Promise<KubeObject> {
  return (await client.json(request)) as KubeObject;
}
