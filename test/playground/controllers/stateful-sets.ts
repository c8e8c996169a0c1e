/** StatefulSets: claims and pods by ordinal, never two pods of one name (https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/). */
import { createHash } from 'node:crypto';
import { admit } from '../api/admission.ts';
import type { AdmissionDeps } from '../api/admission.ts';
import { ApiFailure } from '../api/failure.ts';
import type { OwnerReference, Pod, StatefulSet, StringMap } from '../api/objects.ts';
import type { Registry } from '../api/registry.ts';
import { resourceOf } from '../api/resources.ts';
import type { NewObject } from '../api/store.ts';
import type { RecordEvent } from './events.ts';

export interface ControllerDeps extends AdmissionDeps {
  readonly registry: Registry;
  readonly record: RecordEvent;
}

const REVISION = 'controller-revision-hash';

export const isReady = ({ status }: Pod): boolean =>
  (status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True');

export function syncStatefulSets(deps: ControllerDeps): void {
  for (const set of deps.store.list<StatefulSet>('statefulsets.apps')) {
    if (set.metadata.deletionTimestamp === undefined) syncOne(deps, set);
  }
}

function syncOne(deps: ControllerDeps, set: StatefulSet): void {
  const { store } = deps;
  const { name, namespace = '' } = set.metadata;
  const wanted = set.spec.replicas ?? 1;
  const inOrder = set.spec.podManagementPolicy !== 'Parallel';
  const revision = revisionOf(set);
  const ours = store
    .list<Pod>('pods', namespace)
    .filter(({ metadata }) => metadata.ownerReferences?.some(({ uid }) => uid === set.metadata.uid) === true);
  for (let ordinal = 0; ordinal < wanted; ordinal++) {
    const pod = store.get<Pod>('pods', namespace, `${name}-${ordinal}`);
    if (pod === null && !makePod(deps, set, ordinal, revision)) break;
    // A claim that was on its way out when the pod was made is gone by now.
    if (pod?.status.phase === 'Pending') makeClaims(deps, set, pod.metadata.name);
    if (inOrder && (pod === null || !isReady(pod))) break;
  }
  const extra = ours.filter((pod) => ordinalOf(pod) >= wanted && pod.metadata.deletionTimestamp === undefined);
  const ended = ours.filter(({ status }) => status.phase === 'Failed' || status.phase === 'Succeeded');
  const old = set.spec.updateStrategy?.type === 'OnDelete' ? [] : outdated(ours, wanted, revision);
  const leaving = [...extra.slice(inOrder ? -1 : 0), ...ended, ...old];
  for (const pod of leaving) deletePod(deps, pod);
  const ready = ours.filter(isReady).length;
  const updated = ours.filter(({ metadata }) => metadata.labels?.[REVISION] === revision).length;
  store.update<StatefulSet>('statefulsets.apps', set, (now) => ({
    ...now,
    status: {
      observedGeneration: set.metadata.generation,
      replicas: ours.length,
      readyReplicas: ready,
      availableReplicas: ready,
      currentReplicas: updated,
      updatedReplicas: updated,
      currentRevision: revision,
      updateRevision: revision,
      collisionCount: 0,
    },
  }));
}

/** A rolling update takes the highest ordinal first, and the next one when all are ready. */
function outdated(ours: readonly Pod[], wanted: number, revision: string): readonly Pod[] {
  if (ours.length < wanted || !ours.every(isReady)) return [];
  const old = ours.filter(({ metadata }) => metadata.labels?.[REVISION] !== revision);
  return old.sort((a, b) => ordinalOf(b) - ordinalOf(a)).slice(0, 1);
}

const ordinalOf = ({ metadata }: Pod): number => Number(/\d+$/.exec(metadata.name)?.[0] ?? 0);

function revisionOf(set: StatefulSet): string {
  const hash = createHash('sha1').update(JSON.stringify(set.spec.template)).digest('hex');
  return `${set.metadata.name}-${hash.slice(0, 10)}`;
}

function deletePod({ registry }: ControllerDeps, { metadata }: Pod): void {
  const target = {
    resource: resourceOf('pods'),
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    subresource: null,
  };
  registry.remove(target, {}, { dryRun: false, fieldManager: 'statefulset-controller', force: false });
}

/** False when the API refuses it, which an event then says. */
function makePod(deps: ControllerDeps, set: StatefulSet, ordinal: number, revision: string): boolean {
  const podName = `${set.metadata.name}-${ordinal}`;
  try {
    const claims = makeClaims(deps, set, podName);
    const object = podObject(set, podName, ordinal, revision, claims);
    deps.store.create('pods', admit(deps, 'pods', object, null));
    deps.record(
      set,
      'Normal',
      'SuccessfulCreate',
      `create Pod ${podName} in StatefulSet ${set.metadata.name} successful`,
    );
    return true;
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
    const why = `create Pod ${podName} in StatefulSet ${set.metadata.name} failed error: ${error.message}`;
    deps.record(set, 'Warning', 'FailedCreate', why);
    return false;
  }
}

/** Claim template name -> claim. A claim that is on its way out is left alone: the pod then waits for the next one. */
function makeClaims(deps: ControllerDeps, set: StatefulSet, podName: string): StringMap {
  const { namespace } = set.metadata;
  const made = (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => {
    const name = `${metadata.name}-${podName}`;
    if (deps.store.get('persistentvolumeclaims', namespace ?? '', name) === null) {
      const labels = { ...set.spec.selector.matchLabels, ...metadata.labels };
      const claim = { apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name, namespace, labels }, spec };
      deps.store.create('persistentvolumeclaims', admit(deps, 'persistentvolumeclaims', claim, null));
    }
    return [metadata.name, name] as const;
  });
  return Object.fromEntries(made);
}

function podObject(set: StatefulSet, name: string, ordinal: number, revision: string, claims: StringMap): NewObject {
  const { metadata = {}, spec } = set.spec.template;
  const owner: OwnerReference = {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    name: set.metadata.name,
    uid: set.metadata.uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  const labels = {
    ...metadata.labels,
    [REVISION]: revision,
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinal),
  };
  const volumes = [
    ...(spec.volumes ?? []).filter((volume) => claims[volume.name] === undefined),
    ...Object.entries(claims).map(([volume, claimName]) => ({ name: volume, persistentVolumeClaim: { claimName } })),
  ];
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...metadata, name, namespace: set.metadata.namespace, labels, ownerReferences: [owner] },
    spec: { ...spec, hostname: name, subdomain: set.spec.serviceName, volumes },
  };
}
