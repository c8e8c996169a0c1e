/**
 * What a cluster of pods that people brought lacks once its shards are known: a Service for clients, the shard as a label of pods
 * that were made before, and budgets, so that a drain never takes two nodes of a shard.
 */
import type { ClusterRef, KubeFacts } from '../../cluster/model/observation.ts';
import { CLUSTER_LABEL, MANAGED_BY, MANAGED_BY_LABEL, SHARD_LABEL } from '../../cluster/model/labels.ts';
import { parseNodeTable } from '../../cluster/model/node-table.ts';
import { budgetsFor, renderBudgets, unlabelledPods } from '../../cluster/plan/brought.ts';
import { broughtBudget } from '../../pod/budget.ts';
import { broughtClientService } from '../../pod/services.ts';
import type { KubeObject, KubePort } from '../ports.ts';

type Kube = Pick<KubePort, 'get' | 'list' | 'create' | 'apply'>;

/**
 * A Service of that name stays as it is, and so do budgets of people's own: with two over one pod, Kubernetes evicts neither.
 * @param table of nodes, as it is about to be recorded
 * @returns what there is to record of budgets
 * @throws AppError of the API server
 */
export async function protectBrought(
  kube: Kube,
  cluster: ClusterRef,
  facts: KubeFacts,
  table: string,
): Promise<string> {
  const lines = parseNodeTable(table);
  if ((await kube.get('v1', 'Service', cluster.name)) === null) await kube.create(broughtClientService(cluster));
  for (const { pod, shard } of unlabelledPods(cluster.name, facts, lines)) {
    // This very pod: its successor gets the label from the webhook.
    const metadata = { name: pod.name, uid: pod.uid, labels: { [SHARD_LABEL]: shard } };
    await kube.apply({ apiVersion: 'v1', kind: 'Pod', metadata });
  }
  const budgets = budgetsFor(cluster.name, facts, lines);
  if (budgets.size > 0 && !(await haveOwnBudget(kube, cluster, facts))) {
    for (const [shard, members] of budgets) await kube.apply(broughtBudget(cluster, shard, members));
  }
  return renderBudgets(budgets);
}

/** Whether a budget that is not ours is over any of the pods. */
async function haveOwnBudget(kube: Kube, cluster: ClusterRef, facts: KubeFacts): Promise<boolean> {
  const budgets = await kube.list('policy/v1', 'PodDisruptionBudget');
  return budgets
    .filter((budget) => !isOurs(budget, cluster))
    .some((budget) => {
      const { selector } = (budget['spec'] ?? {}) as { readonly selector?: Selector };
      return facts.pods.some(({ labels }) => selects(selector, labels));
    });
}

function isOurs({ metadata: { labels = {} } }: KubeObject, cluster: ClusterRef): boolean {
  return labels[CLUSTER_LABEL] === cluster.name && labels[MANAGED_BY_LABEL] === MANAGED_BY;
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** As Kubernetes selects; none at all selects nothing, an empty one everything. */
export function selects(selector: Selector | undefined, labels: Readonly<Record<string, string>>): boolean {
  if (selector === undefined) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        default:
          return value === undefined;
      }
    })
  );
}
