/** REST paths of the kinds that we read or write (https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-uris). */

interface Resource {
  readonly plural: string;
  readonly namespaced: boolean;
}

const namespaced = (plural: string): Resource => ({ plural, namespaced: true });
const clusterWide = (plural: string): Resource => ({ plural, namespaced: false });

const RESOURCES: Readonly<Record<string, Resource>> = {
  'v1/ConfigMap': namespaced('configmaps'),
  'v1/Event': namespaced('events'),
  'v1/Namespace': clusterWide('namespaces'),
  'v1/Node': clusterWide('nodes'),
  'v1/PersistentVolumeClaim': namespaced('persistentvolumeclaims'),
  'v1/Pod': namespaced('pods'),
  'v1/Secret': namespaced('secrets'),
  'v1/Service': namespaced('services'),
  'v1/ServiceAccount': namespaced('serviceaccounts'),
  'apps/v1/Deployment': namespaced('deployments'),
  'apps/v1/ReplicaSet': namespaced('replicasets'),
  'apps/v1/StatefulSet': namespaced('statefulsets'),
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration': clusterWide('mutatingwebhookconfigurations'),
  'cert-manager.io/v1/Certificate': namespaced('certificates'),
  'cert-manager.io/v1/Issuer': namespaced('issuers'),
  'coordination.k8s.io/v1/Lease': namespaced('leases'),
  'discovery.k8s.io/v1/EndpointSlice': namespaced('endpointslices'),
  'networking.k8s.io/v1/NetworkPolicy': namespaced('networkpolicies'),
  'policy/v1/PodDisruptionBudget': namespaced('poddisruptionbudgets'),
  'rbac.authorization.k8s.io/v1/ClusterRole': clusterWide('clusterroles'),
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': clusterWide('clusterrolebindings'),
  'rbac.authorization.k8s.io/v1/Role': namespaced('roles'),
  'rbac.authorization.k8s.io/v1/RoleBinding': namespaced('rolebindings'),
  'storage.k8s.io/v1/StorageClass': clusterWide('storageclasses'),
};

/** Where an object or a collection lives, and the words for it in an error. */
export interface ResourcePath {
  readonly path: string;
  readonly kind: string;
  /** `pods`, `statefulsets.apps`: as `kubectl auth can-i` takes it. */
  readonly resource: string;
  /** null for what has no namespace, and for a list over all of them. */
  readonly namespace: string | null;
  /** null for a collection. */
  readonly name: string | null;
}

export interface ResourceAddress {
  readonly apiVersion: string;
  readonly kind: string;
  /** null with a namespaced kind: all namespaces. */
  readonly namespace: string | null;
  readonly name?: string;
}

/**
 * The path of one object, or of a collection when there is no name.
 * @throws {Error} for a kind that is not in the table: a bug of ours.
 */
export function resourcePath(address: ResourceAddress): ResourcePath {
  const resource = RESOURCES[`${address.apiVersion}/${address.kind}`];
  if (resource === undefined) throw new Error(`no REST path known for ${address.apiVersion} ${address.kind}`);
  const namespace = resource.namespaced ? address.namespace : null;
  const group = address.apiVersion.includes('/') ? address.apiVersion.slice(0, address.apiVersion.indexOf('/')) : null;
  const root = group === null ? `/api/${address.apiVersion}` : `/apis/${address.apiVersion}`;
  const scope = namespace === null ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  const leaf = address.name === undefined ? '' : `/${encodeURIComponent(address.name)}`;
  return {
    path: `${root}${scope}/${resource.plural}${leaf}`,
    kind: address.kind,
    resource: group === null ? resource.plural : `${resource.plural}.${group}`,
    namespace,
    name: address.name ?? null,
  };
}
