/**
 * Who asks, and whether they may (https://kubernetes.io/docs/reference/access-authn-authz/rbac/). The token of the kubeconfig
 * may do everything, also act as somebody else; they may do what Roles of the namespace say, and the ClusterRole `view`.
 */
import type { IncomingMessage } from 'node:http';
import { ApiFailure } from './failure.ts';
import type { ApiObject } from './objects.ts';
import type { Target } from './resources.ts';
import type { Store } from './store.ts';

/** null: the owner of the kubeconfig, who may do everything. */
export interface Identity {
  readonly user: string | null;
  readonly groups: readonly string[];
}

/** @throws {ApiFailure} 401 */
export function identityOf({ headers }: IncomingMessage, token: string): Identity {
  if (headers.authorization !== `Bearer ${token}`) throw new ApiFailure(401, 'Unauthorized', 'Unauthorized');
  const as = headers['impersonate-user'];
  const groups = headers['impersonate-group'];
  return {
    user: typeof as === 'string' ? as : null,
    groups: [...(groups === undefined ? [] : [groups].flat()), 'system:authenticated'],
  };
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

interface Role extends ApiObject {
  readonly rules?: readonly Rule[];
}

interface Binding extends ApiObject {
  readonly roleRef: { readonly kind: string; readonly name: string };
  readonly subjects?: readonly { readonly kind: string; readonly name: string; readonly namespace?: string }[];
}

const read = ['get', 'list', 'watch'];
const VIEW: readonly Rule[] = [
  { apiGroups: [''], resources: ['configmaps', 'events', 'namespaces', 'persistentvolumeclaims'], verbs: read },
  { apiGroups: [''], resources: ['pods', 'pods/log', 'services', 'serviceaccounts'], verbs: read },
  { apiGroups: ['apps'], resources: ['deployments', 'replicasets', 'statefulsets'], verbs: read },
  { apiGroups: ['networking.k8s.io'], resources: ['networkpolicies'], verbs: read },
  { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs: read },
];

/** @throws {ApiFailure} 403, in the words of a real API server */
export function mustBeAllowed(store: Store, identity: Identity, verb: string, target: Target): void {
  const { user } = identity;
  if (user === null) return;
  const { resource, namespace, subresource } = target;
  const wanted = subresource === null ? resource.plural : `${resource.plural}/${subresource}`;
  const allowed = rulesOf(store, identity, namespace).some(
    (rule) => has(rule.apiGroups, resource.group) && has(rule.resources, wanted) && has(rule.verbs, verb),
  );
  if (allowed) return;
  const name = target.name === null ? '' : ` "${target.name}"`;
  const scope = namespace === null ? 'at the cluster scope' : `in the namespace "${namespace}"`;
  throw new ApiFailure(
    403,
    'Forbidden',
    `${resource.key}${name} is forbidden: User "${user}" cannot ${verb} resource "${wanted}" in API group "${resource.group}" ${scope}`,
  );
}

const has = (list: readonly string[], one: string): boolean => list.includes('*') || list.includes(one);

function rulesOf(store: Store, { user, groups }: Identity, namespace: string | null): readonly Rule[] {
  if (namespace === null) return [];
  const bindings = store
    .list<Binding>('rolebindings.rbac.authorization.k8s.io', namespace)
    .filter(({ subjects = [] }) =>
      subjects.some(({ kind, name, namespace: own }) => {
        if (kind === 'Group') return groups.includes(name);
        return (kind === 'ServiceAccount' ? `system:serviceaccount:${own}:${name}` : name) === user;
      }),
    );
  return bindings.flatMap(({ roleRef }) => {
    if (roleRef.kind === 'ClusterRole') return roleRef.name === 'view' ? VIEW : [];
    return store.get<Role>('roles.rbac.authorization.k8s.io', namespace, roleRef.name)?.rules ?? [];
  });
}
