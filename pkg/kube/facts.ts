/** From API objects to the facts of pkg/cluster/model/observation.ts. Pure; keeps nothing of the JSON it is given. */
import { configDigest } from '../cluster/model/config-digest.ts';
import { parseQuantity } from '../cluster/model/quantity.ts';
import { CLUSTER_LABEL, PROGRESS_ANNOTATION, SET_ASIDE_ANNOTATION, VERB_ANNOTATION } from '../cluster/model/labels.ts';
import type {
  ClaimFacts,
  ConfigFacts,
  HostFacts,
  OperationFacts,
  PodFacts,
  ServiceFacts,
  StatefulSetFacts,
} from '../cluster/model/observation.ts';
import type {
  RawClaim,
  RawCondition,
  RawContainer,
  RawConfig,
  RawContainerStatus,
  RawHost,
  RawLease,
  RawMeta,
  RawPod,
  RawPodSpec,
  RawService,
  RawWorkload,
} from './api-json.ts';
import { dataVolumes, findRedisContainer, readsState, redisPort } from './redis-container.ts';
import { writerOf } from './writer.ts';

const ZONE_LABEL = 'topology.kubernetes.io/zone';
const PHASES = ['Pending', 'Running', 'Succeeded', 'Failed'] as const;

export function podFacts(pod: RawPod): PodFacts {
  const meta = pod.metadata ?? {};
  const container = findRedisContainer(meta, pod.spec);
  const status = (pod.status?.containerStatuses ?? []).find((each) => each.name === container?.name);
  return {
    name: meta.name ?? '',
    uid: meta.uid ?? '',
    ip: pod.status?.podIP ?? '',
    host: pod.spec?.nodeName ?? null,
    phase: PHASES.find((phase) => phase === pod.status?.phase) ?? 'Unknown',
    ready: isTrue(pod.status?.conditions, 'Ready'),
    terminating: meta.deletionTimestamp !== undefined,
    container: {
      name: container?.name ?? '',
      image: container?.image ?? '',
      ...containerState(status),
      restarts: status?.restartCount ?? 0,
      ...memoryLimit(container, pod.spec),
    },
    port: redisPort(container),
    labels: meta.labels ?? {},
    annotations: meta.annotations ?? {},
    ...dataVolumes(pod.spec, container),
    createdAt: meta.creationTimestamp ?? '',
    owner: ownerOf(meta),
    readsState: readsState(pod.spec, container, meta.labels?.[CLUSTER_LABEL] ?? ''),
  };
}

/** Why a container is not running: its waiting reason, else how it ended. */
function containerState(status: RawContainerStatus | undefined): Pick<PodFacts['container'], 'state' | 'reason'> {
  const state = status?.state;
  if (state?.running !== undefined) return { state: 'running', reason: null };
  if (state?.waiting !== undefined) return { state: 'waiting', reason: state.waiting.reason ?? null };
  if (state?.terminated !== undefined) return { state: 'terminated', reason: state.terminated.reason ?? null };
  return { state: 'unknown', reason: null };
}

/** Its own, else that of the whole pod. */
function memoryLimit(
  container: RawContainer | null,
  spec: RawPodSpec | undefined,
): Pick<PodFacts['container'], 'memoryLimitBytes'> {
  const text = container?.resources?.limits?.['memory'] ?? spec?.resources?.limits?.['memory'];
  const memoryLimitBytes = text === undefined ? null : parseQuantity(text);
  return memoryLimitBytes === null ? {} : { memoryLimitBytes };
}

function ownerOf(meta: RawMeta): string | null {
  const owner = (meta.ownerReferences ?? []).find((each) => each.controller === true);
  return owner === undefined ? null : `${owner.kind ?? ''}/${owner.name ?? ''}`;
}

export function serviceFacts(service: RawService): ServiceFacts {
  return {
    name: service.metadata?.name ?? '',
    ...(service.metadata?.uid === undefined ? {} : { uid: service.metadata.uid }),
    clusterIP: service.spec?.clusterIP ?? '',
    selector: service.spec?.selector ?? {},
    labels: service.metadata?.labels ?? {},
    annotations: service.metadata?.annotations ?? {},
    ports: (service.spec?.ports ?? []).map((each) => ({ name: each.name ?? '', port: each.port ?? 0 })),
    publishNotReadyAddresses: service.spec?.publishNotReadyAddresses === true,
    writer: writerOf(service.metadata),
  };
}

export function statefulSetFacts(set: RawWorkload): StatefulSetFacts {
  const template = set.spec?.template;
  const container = findRedisContainer(template?.metadata, template?.spec);
  return {
    name: set.metadata?.name ?? '',
    uid: set.metadata?.uid ?? '',
    // The API's own default.
    replicas: set.spec?.replicas ?? 1,
    ...(set.spec?.ordinals?.start === undefined ? {} : { firstOrdinal: set.spec.ordinals.start }),
    labels: set.metadata?.labels ?? {},
    annotations: set.metadata?.annotations ?? {},
    templateLabels: template?.metadata?.labels ?? {},
    templateAnnotations: template?.metadata?.annotations ?? {},
    image: container?.image ?? '',
    ...(deletesClaims(set) ? { deletesClaims: true } : {}),
    ...(set.status?.updateRevision === undefined ? {} : { revision: set.status.updateRevision }),
    readsState: readsState(template?.spec, container, template?.metadata?.labels?.[CLUSTER_LABEL] ?? ''),
    writer: writerOf(set.metadata),
  };
}

function deletesClaims({ spec }: RawWorkload): boolean {
  const { whenDeleted, whenScaled } = spec?.persistentVolumeClaimRetentionPolicy ?? {};
  return whenDeleted === 'Delete' || whenScaled === 'Delete';
}

export function hostFacts(host: RawHost): HostFacts {
  const taints = host.spec?.taints ?? [];
  return {
    name: host.metadata?.name ?? '',
    zone: host.metadata?.labels?.[ZONE_LABEL] ?? null,
    ready: isTrue(host.status?.conditions, 'Ready'),
    schedulable:
      host.spec?.unschedulable !== true &&
      !taints.some((taint) => taint.effect === 'NoSchedule' || taint.effect === 'NoExecute'),
  };
}

export function claimFacts(claim: RawClaim): ClaimFacts {
  const size = claim.spec?.resources?.requests?.['storage'];
  return {
    name: claim.metadata?.name ?? '',
    phase: claim.status?.phase ?? 'Pending',
    storageClass: claim.spec?.storageClassName ?? null,
    ...(size === undefined ? {} : { size }),
    createdAt: claim.metadata?.creationTimestamp ?? '',
    ...(claim.metadata?.annotations?.[SET_ASIDE_ANNOTATION] === 'true' ? { setAside: true } : {}),
  };
}

export function configFacts(config: RawConfig): ConfigFacts {
  return { digest: configDigest(config.data ?? {}), writer: writerOf(config.metadata) };
}

/** Who is changing the cluster; null when nobody holds the Lease. A lapsed holder is still named: time decides elsewhere. */
export function operationFacts(lease: RawLease | null): OperationFacts | null {
  const holder = lease?.spec?.holderIdentity ?? '';
  if (lease === null || holder === '') return null;
  const acquiredAt = lease.spec?.acquireTime ?? lease.metadata?.creationTimestamp ?? '';
  return {
    holder,
    verb: lease.metadata?.annotations?.[VERB_ANNOTATION] ?? '',
    acquiredAt,
    renewedAt: lease.spec?.renewTime ?? acquiredAt,
    durationSeconds: lease.spec?.leaseDurationSeconds ?? 0,
    progress: lease.metadata?.annotations?.[PROGRESS_ANNOTATION] ?? null,
  };
}

function isTrue(conditions: readonly RawCondition[] | undefined, type: string): boolean {
  return (conditions ?? []).some((each) => each.type === type && each.status === 'True');
}
