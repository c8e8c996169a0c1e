/** The kinds that the playground serves, and how a URL names one of them. */
import { notImplemented } from './failure.ts';

export interface Resource {
  /** `statefulsets.apps`: its key everywhere in the playground. */
  readonly key: string;
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly kind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
}

function define(group: string, version: string, plural: string, kind: string, short = '', namespaced = true): Resource {
  const key = group === '' ? plural : `${plural}.${group}`;
  return { key, group, version, plural, kind, namespaced, shortNames: short === '' ? [] : [short] };
}

const RBAC = 'rbac.authorization.k8s.io';

export const RESOURCES: readonly Resource[] = [
  define('', 'v1', 'configmaps', 'ConfigMap', 'cm'),
  define('', 'v1', 'events', 'Event', 'ev'),
  define('', 'v1', 'namespaces', 'Namespace', 'ns', false),
  define('', 'v1', 'nodes', 'Node', 'no', false),
  define('', 'v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', 'pvc'),
  define('', 'v1', 'pods', 'Pod', 'po'),
  define('', 'v1', 'secrets', 'Secret'),
  define('', 'v1', 'services', 'Service', 'svc'),
  define('', 'v1', 'serviceaccounts', 'ServiceAccount', 'sa'),
  define('apps', 'v1', 'statefulsets', 'StatefulSet', 'sts'),
  define('apps', 'v1', 'deployments', 'Deployment', 'deploy'),
  define('apps', 'v1', 'replicasets', 'ReplicaSet', 'rs'),
  define('coordination.k8s.io', 'v1', 'leases', 'Lease'),
  define('networking.k8s.io', 'v1', 'networkpolicies', 'NetworkPolicy', 'netpol'),
  define('policy', 'v1', 'poddisruptionbudgets', 'PodDisruptionBudget', 'pdb'),
  define(RBAC, 'v1', 'roles', 'Role'),
  define(RBAC, 'v1', 'rolebindings', 'RoleBinding'),
  define('storage.k8s.io', 'v1', 'storageclasses', 'StorageClass', 'sc', false),
];

const BY_KEY = new Map(RESOURCES.map((resource) => [resource.key, resource]));

/** @throws {Error} for a key that is not in the table: a bug of ours. */
export function resourceOf(key: string): Resource {
  const resource = BY_KEY.get(key);
  if (resource === undefined) throw new Error(`no resource ${key}`);
  return resource;
}

export interface Target {
  readonly resource: Resource;
  /** null: cluster-wide kinds, and lists over all namespaces. */
  readonly namespace: string | null;
  readonly name: string | null;
  /** `status`, `log` …; null for the object itself. */
  readonly subresource: string | null;
}

const PATH =
  /^\/(?:api|apis\/(?<group>[^/]+))\/(?<version>[^/]+)(?:\/namespaces\/(?<namespace>[^/]+)(?=\/[^/]+))?\/(?<plural>[^/]+)(?:\/(?<name>[^/]+))?(?:\/(?<subresource>.+))?$/;

/** @throws {ApiFailure} 501 for a path that the playground does not know */
export function targetOf(path: string): Target {
  const parts = PATH.exec(path)?.groups;
  if (parts === undefined) throw notImplemented(`path ${path}`);
  const { group = '', version = '', plural = '' } = parts;
  const resource = RESOURCES.find((each) => each.group === group && each.plural === plural && each.version === version);
  // `/namespaces/x/finalize` looks like a list of kind `finalize` in namespace x.
  if (resource === undefined) throw notImplemented(`${plural} in API ${group === '' ? 'core' : group}/${version}`);
  const decode = (part: string | undefined): string | null => (part === undefined ? null : decodeURIComponent(part));
  return {
    resource,
    namespace: decode(parts['namespace']),
    name: decode(parts['name']),
    subresource: decode(parts['subresource']),
  };
}
