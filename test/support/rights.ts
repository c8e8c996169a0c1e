/** Rights for somebody in the namespace of a test. */
import type { ClusterEnv } from './cluster-env.ts';

/** A Role of that name for the user of that name; `resources` as `statefulsets.apps`, `pods/portforward`. */
export async function allow(
  { kube }: ClusterEnv,
  user: string,
  verbs: readonly string[],
  resources: readonly string[],
): Promise<void> {
  const apiVersion = 'rbac.authorization.k8s.io/v1';
  const name = `${user}-${verbs.join('-')}`;
  const rules = resources.map((resource) => {
    const [plural = '', ...group] = resource.split('.');
    return { apiGroups: [group.join('.')], resources: [plural], verbs };
  });
  await kube.create({ apiVersion, kind: 'Role', metadata: { name }, rules });
  await kube.create({
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: user }],
  });
}
