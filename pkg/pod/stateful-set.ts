/** StatefulSet NAME-N: one node. `replicas: 1`, because a StatefulSet never runs two pods of a name. */
import { nodeName, type ClusterSpec } from '../cluster/model/spec.ts';
import { SPEC_ANNOTATION } from '../cluster/model/labels.ts';
import { podAnnotations } from './annotations.ts';
import { NOT_PRUNED, nodeLabels, nodeSelector } from './labels.ts';
import type { Manifest } from './manifest.ts';
import { CLAIM_TEMPLATE } from './names.ts';
import { podSpec } from './pod-spec.ts';

export interface NodeTemplate {
  /** ClusterIP of Service NAME-N; null: the pod finds it in the table of nodes, or waits for that. */
  readonly announceIp: string | null;
  /** The planner's shard; shardOfOrdinal for a new cluster. */
  readonly shard: string;
  /** What the hosts allow; the spec's wish when left out. */
  readonly antiAffinity?: ClusterSpec['antiAffinity'];
  /** Whether that Service has a second bus port; left out: it is made as here. */
  readonly secondBus?: boolean;
  /** Also as a copy of the spec, for when everything else that holds it is gone; never printed. */
  readonly keepsSpec?: boolean;
}

/** `OnDelete`: restarts go by live role, replicas first, and a StatefulSet knows no roles. */
export function statefulSet(spec: ClusterSpec, ordinal: number, node: NodeTemplate): Manifest {
  const { name, namespace } = spec.cluster;
  const labels = nodeLabels(name, ordinal, node.shard);
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: {
      name: nodeName(name, ordinal),
      namespace,
      labels,
      annotations: node.keepsSpec === true ? { ...NOT_PRUNED, [SPEC_ANNOTATION]: JSON.stringify(spec) } : NOT_PRUNED,
    },
    spec: {
      replicas: 1,
      serviceName: nodeName(name, ordinal),
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'OnDelete' },
      // The API's own default; said, so that what somebody has set by hand is taken back.
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
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
