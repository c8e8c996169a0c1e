/** What injected pods need besides themselves: ConfigMap NAME-config and a Service each. */
import type { ClusterRef } from '../../cluster/model/observation.ts';
import { CLUSTER_LABEL, POD_NAME_LABEL, SPEC_HASH_KEY } from '../../cluster/model/labels.ts';
import { nodeName, type ClusterSpec } from '../../cluster/model/spec.ts';
import { configMap, type OldRecord } from '../config-map.ts';
import type { Manifest } from '../manifest.ts';
import { nodeService } from '../services.ts';

/** The settings of a cluster that nobody has described. */
function undescribed(cluster: ClusterRef): ClusterSpec {
  return {
    cluster,
    masters: 3,
    replicas: 1,
    image: '',
    imagePullPolicy: null,
    storage: '1Gi',
    storageClass: null,
    memory: null,
    cpu: null,
    config: {},
    auth: false,
    antiAffinity: 'soft',
    networkPolicy: false,
    nodes: null,
    scaling: null,
    restarted: null,
  };
}

/**
 * NAME-config for them.
 * @param spec what is recorded, if anything
 * @param copy for pods that do not read NAME-state
 */
export function configFor(cluster: ClusterRef, spec: ClusterSpec | null, copy: OldRecord | null = null): Manifest {
  const manifest = configMap(spec ?? undescribed(cluster), copy);
  const { [SPEC_HASH_KEY]: _, ...data } = manifest['data'] as Record<string, string>;
  return { ...manifest, data };
}

/** Service NAME-N. `pod`: selects that pod of a StatefulSet, whose pods have no label `name`; else by label. */
export function serviceOf(cluster: ClusterRef, ordinal: number, pod: string | null = null): Manifest {
  const service = nodeService(undescribed(cluster), ordinal);
  if (pod === null) return service;
  const selector = { [CLUSTER_LABEL]: cluster.name, [POD_NAME_LABEL]: pod };
  return { ...service, spec: { ...(service['spec'] as object), selector } };
}

/** Name of the Service that is a node's address. */
export function serviceName(cluster: string, ordinal: number): string {
  return nodeName(cluster, ordinal);
}
