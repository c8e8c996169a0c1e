/**
 * What `create` refuses before it makes anything: pure decisions on what is there already.
 */
import { refusal, type AppError } from '../../errors.ts';
import type { HostFacts, ServiceFacts } from '../model/observation.ts';
import type { AntiAffinity, Remark } from '../model/plan.ts';
import { CLUSTER_LABEL } from '../model/labels.ts';
import { nodeName, ordinalsOf, type ClusterSpec } from '../model/spec.ts';

/** An object of the namespace, as far as this matters. */
export interface Existing {
  readonly kind: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

export interface StorageClassFacts {
  readonly name: string;
  readonly isDefault: boolean;
}

/** Names that `create` would use and that belong to something else. */
export function refuseTakenNames(existing: readonly Existing[], spec: ClusterSpec): AppError | null {
  const name = spec.cluster.name;
  const nodes = ordinalsOf(spec).map((n) => nodeName(name, n));
  const wanted: Readonly<Record<string, readonly string[]>> = {
    Service: [name, ...nodes],
    StatefulSet: nodes,
    ConfigMap: [`${name}-config`, `${name}-state`],
    NetworkPolicy: spec.networkPolicy ? [`${name}-bus`] : [],
  };
  const taken = existing.find(
    (object) => wanted[object.kind]?.includes(object.name) === true && object.labels[CLUSTER_LABEL] !== name,
  );
  if (taken === undefined) return null;
  const owner = taken.labels['app.kubernetes.io/managed-by'] ?? taken.labels['app.kubernetes.io/instance'];
  const whose = owner === undefined ? 'something else' : `something else (${owner})`;
  return refusal(
    'name-taken',
    `${taken.kind} ${taken.name} is there already and belongs to ${whose}`,
    `Choose another name or namespace. kubectl describe ${taken.kind.toLowerCase()} ${taken.name} -n ${spec.cluster.namespace} shows whose it is`,
  );
}

/** A Service of somebody's that would send its clients to our pods. */
export function refuseStrangeSelectors(
  services: readonly Pick<ServiceFacts, 'name' | 'labels' | 'selector'>[],
  spec: ClusterSpec,
  podLabels: readonly Readonly<Record<string, string>>[],
): AppError | null {
  const name = spec.cluster.name;
  const strange = services.find((service) => {
    const selector = Object.entries(service.selector);
    if (selector.length === 0 || service.labels[CLUSTER_LABEL] === name) return false;
    return podLabels.some((labels) => selector.every(([key, value]) => labels[key] === value));
  });
  if (strange === undefined) return null;
  const selector = Object.entries(strange.selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
  return refusal(
    'foreign-selector',
    `Service ${strange.name} selects ${selector}, and so would send its clients to the pods of ${name}`,
    `Choose another name for the cluster, or narrow that selector: kubectl edit service ${strange.name} -n ${spec.cluster.namespace}`,
  );
}

/** The claim's class must be there; without one, there must be a default. `null`: classes could not be read, so let the API server say. */
export function refuseStorage(classes: readonly StorageClassFacts[] | null, spec: ClusterSpec): AppError | null {
  if (classes === null) return null;
  const names = classes.map((item) => item.name).join(', ');
  if (spec.storageClass !== null) {
    if (classes.some((item) => item.name === spec.storageClass)) return null;
    return refusal(
      'no-storage-class',
      `There is no StorageClass ${spec.storageClass}`,
      classes.length === 0 ? 'The cluster has none: install a storage provisioner' : `There are: ${names}`,
    );
  }
  if (classes.some((item) => item.isDefault)) return null;
  return refusal(
    'no-storage-class',
    'The cluster has no default StorageClass, so volumes would never be made',
    classes.length === 0
      ? 'Install a storage provisioner, then run the same command again'
      : `Choose one with --storage-class: ${names}`,
  );
}

/**
 * A Secret that somebody made, and that lacks the key which nodes read their password from: its servers would wait, or want none.
 * @param keys that have a value; null = there is no Secret, or it may not be read
 */
export function refuseSecret(
  keys: readonly string[] | null,
  { cluster: { name, namespace } }: ClusterSpec,
): AppError | null {
  if (keys === null || keys.includes('password')) return null;
  const there = keys.length === 0 ? 'it is empty' : `its keys: ${keys.join(', ')}`;
  return refusal(
    'secret-without-password',
    `Secret ${name}-auth has no key password (${there})`,
    `Give it one: kubectl edit secret ${name}-auth -n ${namespace}`,
  );
}

export interface AffinityDecision {
  readonly antiAffinity: AntiAffinity;
  readonly remarks: readonly Remark[];
}

/**
 * Hard anti-affinity within a shard where there are hosts enough, else soft with a remark; refused when hard was asked for.
 *
 * @param asked null = not given
 * @param hosts null = could not be read
 */
export function decideAntiAffinity(
  asked: AntiAffinity | null,
  hosts: readonly HostFacts[] | null,
  replicas: number,
): AffinityDecision | AppError {
  const need = replicas + 1;
  if (hosts === null) {
    const antiAffinity = asked ?? 'soft';
    const sentence =
      'Hosts could not be listed: nodes of a shard are kept apart where the scheduler can, without a guarantee';
    return { antiAffinity, remarks: asked === null && replicas > 0 ? [{ code: 'hosts-unknown', sentence }] : [] };
  }
  const usable = hosts.filter((host) => host.ready && host.schedulable);
  const zones = new Set(usable.map((host) => host.zone ?? ''));
  const zoneRemarks: Remark[] =
    replicas > 0 && zones.size === 1
      ? [
          {
            code: 'one-zone',
            sentence: `All hosts are in one zone${usable[0]?.zone == null ? '' : ` (${usable[0].zone})`}: losing it takes the whole cluster`,
          },
        ]
      : [];
  if (usable.length >= need || asked === 'soft' || asked === 'off') {
    const few = usable.length < need && replicas > 0;
    const remark = {
      code: 'few-hosts',
      sentence: `${usable.length} schedulable hosts for shards of ${need} nodes: some shard has two nodes on one host`,
    };
    return { antiAffinity: asked ?? 'hard', remarks: few ? [remark, ...zoneRemarks] : zoneRemarks };
  }
  if (asked === 'hard') {
    return refusal(
      'too-few-hosts',
      `Hard anti-affinity needs ${need} schedulable hosts (a primary and ${replicas} replicas), and there are ${usable.length}`,
      `Add hosts, ask for ${Math.max(0, usable.length - 1)} replicas, or give --anti-affinity soft`,
    );
  }
  const remark = {
    code: 'few-hosts',
    sentence: `${usable.length} schedulable hosts for shards of ${need} nodes: some shard will have two nodes on one host (anti-affinity is soft)`,
  };
  return { antiAffinity: 'soft', remarks: [remark, ...zoneRemarks] };
}
