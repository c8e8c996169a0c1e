/** Workloads that people brought: their pods ask to be nodes of a cluster. */
import { CLUSTER_LABEL, MANAGED_BY, MANAGED_BY_LABEL } from '../cluster/model/labels.ts';
import { AppError } from '../errors.ts';
import type { KubeObject, KubePort } from './ports.ts';

/** Workloads whose pods ask to be nodes, by label or by annotation. Those of `create` make themselves heard elsewhere. */
export async function workloadsOf(kube: Pick<KubePort, 'list'>, cluster: string): Promise<readonly KubeObject[]> {
  const kinds = ['StatefulSet', 'Deployment', 'ReplicaSet'] as const;
  const lists = await Promise.all(kinds.map((kind) => listOrNone(kube, kind)));
  return lists.flatMap((list, at) =>
    list.filter((each) => isAsking(each, cluster)).map((each) => ({ ...each, kind: kinds[at] ?? each.kind })),
  );
}

/** Without the right to list a kind, nothing is known of it. */
async function listOrNone(kube: Pick<KubePort, 'list'>, kind: string): Promise<readonly KubeObject[]> {
  try {
    return await kube.list('apps/v1', kind);
  } catch (error) {
    if (error instanceof AppError && error.code === 'forbidden') return [];
    throw error;
  }
}

interface WorkloadSpec {
  readonly replicas?: number;
  readonly template?: {
    readonly metadata?: {
      readonly labels?: Readonly<Record<string, string>>;
      readonly annotations?: Readonly<Record<string, string>>;
    };
  };
}

function isAsking({ metadata, spec }: KubeObject, cluster: string): boolean {
  const { labels = {}, annotations = {} } = (spec as WorkloadSpec | undefined)?.template?.metadata ?? {};
  const owners = metadata['ownerReferences'];
  const isOwned = Array.isArray(owners) && owners.length > 0; // a ReplicaSet of a Deployment, which counts itself
  const asks = (labels[CLUSTER_LABEL] ?? annotations[CLUSTER_LABEL]) === cluster;
  return asks && !isOwned && labels[MANAGED_BY_LABEL] !== MANAGED_BY;
}

export function replicasOf({ spec }: KubeObject): number {
  return (spec as WorkloadSpec | undefined)?.replicas ?? 1;
}
