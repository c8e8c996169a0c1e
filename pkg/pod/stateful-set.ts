/** StatefulSet NAME-N: one node. `replicas: 1`, because a StatefulSet never runs two pods of a name. */
import { nodeName, type ClusterSpec } from '../cluster/model/spec.ts';
import { podAnnotations } from './annotations.ts';
import { nodeLabels, nodeSelector } from './labels.ts';
import type { Manifest } from './manifest.ts';
import { CLAIM_TEMPLATE } from './names.ts';
import { podSpec } from './pod-spec.ts';

export interface NodeTemplate {
  /** ClusterIP of Service NAME-N; null = not known yet: the pod's guard waits and says for what. */
  readonly announceIp: string | null;
  /** The planner's shard; shardOfOrdinal for a new cluster. */
  readonly shard: string;
  /** What the hosts allow; the spec's wish when left out. */
  readonly antiAffinity?: ClusterSpec['antiAffinity'];
}

/** `OnDelete`: restarts go by live role, replicas first, and a StatefulSet knows no roles. */
export function statefulSet(spec: ClusterSpec, ordinal: number, node: NodeTemplate): Manifest {
  const { name, namespace } = spec.cluster;
  const labels = nodeLabels(name, ordinal, node.shard);
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name: nodeName(name, ordinal), namespace, labels },
    spec: {
      replicas: 1,
      serviceName: nodeName(name, ordinal),
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      selector: { matchLabels: nodeSelector(name, ordinal) },
      template: {
        metadata: { labels, annotations: podAnnotations(spec, ordinal, node.announceIp) },
        spec: podSpec(spec, ordinal, { ...node, antiAffinity: node.antiAffinity ?? spec.antiAffinity }),
      },
      volumeClaimTemplates: [claimTemplate(spec, ordinal)],
    },
  };
}

function claimTemplate(spec: ClusterSpec, ordinal: number): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name: CLAIM_TEMPLATE, labels: nodeLabels(spec.cluster.name, ordinal) },
    spec: {
      accessModes: ['ReadWriteOnce'],
      ...(spec.storageClass === null ? {} : { storageClassName: spec.storageClass }),
      resources: { requests: { storage: spec.storage } },
    },
  };
}
