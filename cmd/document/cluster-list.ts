/** Document of `list`: ClusterList, and what its table shows. */
import type { Health } from '../../pkg/cluster/check/health.ts';
import type { ListedCluster } from '../../pkg/engine/ports.ts';
import type { SurveyRow } from '../survey.ts';
import { statusOf } from './status.ts';
import { API_VERSION } from './document.ts';

export interface ClusterEntry {
  readonly name: string;
  readonly namespace: string;
  readonly origin: ListedCluster['origin'];
  readonly primaries: number | null;
  readonly replicas: number | null;
  readonly pods: { readonly total: number; readonly ready: number } | null;
  readonly health: Health;
  readonly versions: readonly string[];
  /** ISO 8601: when its oldest pod was made; null when it has none. */
  readonly createdAt: string | null;
}

export interface ClusterListDocument {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'ClusterList';
  readonly items: readonly ClusterEntry[];
}

export function clusterListOf(rows: readonly SurveyRow[]): ClusterListDocument {
  return { apiVersion: API_VERSION, kind: 'ClusterList', items: rows.map(clusterEntry) };
}

export function clusterEntry({ listed, seen, fault }: SurveyRow): ClusterEntry {
  const { name, namespace, origin } = listed;
  if (seen === null) {
    const health: Health = { level: 'unknown', sentence: fault ?? 'not seen' };
    return {
      name,
      namespace,
      origin,
      primaries: null,
      replicas: null,
      pods: null,
      health,
      versions: [],
      createdAt: null,
    };
  }
  const { primaries, replicas, nodes, pods, health, versions } = statusOf({ ...seen, problems: [] });
  const made = seen.state.nodes.flatMap((node) => (node.pod === null ? [] : [node.pod.createdAt])).sort();
  // Where nobody could be asked, nobody knows what is primary and what is replica.
  const shape = nodes.answered === 0 && pods.total > 0 ? { primaries: null, replicas: null } : { primaries, replicas };
  return { name, namespace, origin, ...shape, pods, health, versions, createdAt: made[0] ?? null };
}
