/** Which container of a pod is Redis, on which port, and whether the pod is a Redis node at all. Pure. */
import { CONTAINER_ANNOTATION } from '../cluster/model/labels.ts';
import {
  imageName as nameOfImage,
  isServerImage,
  lastPart,
  namesOtherThing,
  namesRedis,
} from '../cluster/model/redis-image.ts';
import type { RawContainer, RawMeta, RawPodSpec } from './api-json.ts';

const DEFAULT_PORT = 6379;

/**
 * The Redis container: the one that the annotation names, else one called redis or valkey, else by image, else the first.
 * null when the pod has no containers.
 */
export function findRedisContainer(meta: RawMeta | undefined, spec: RawPodSpec | undefined): RawContainer | null {
  const containers = spec?.containers ?? [];
  const annotated = meta?.annotations?.[CONTAINER_ANNOTATION];
  return (
    containers.find((each) => annotated !== undefined && each.name === annotated) ??
    containers.find((each) => each.name === 'redis' || each.name === 'valkey') ??
    containers.find((each) => hasServerImage(each) && !namesOtherThing(each.name ?? '')) ??
    containers.find((each) => namesRedis(imageName(each))) ??
    containers[0] ??
    null
  );
}

/** containerPort named redis or tcp-redis, else 6379 where declared, else the first declared, else 6379. */
export function redisPort(container: RawContainer | null): number {
  const ports = container?.ports ?? [];
  const chosen =
    ports.find((each) => each.name === 'redis' || each.name === 'tcp-redis') ??
    ports.find((each) => each.containerPort === DEFAULT_PORT) ??
    ports[0];
  return chosen?.containerPort ?? DEFAULT_PORT;
}

/** Whether a pod that some broad selector found is a Redis server, as far as its spec tells. */
export function looksLikeRedis(meta: RawMeta | undefined, spec: RawPodSpec | undefined): boolean {
  const container = findRedisContainer(meta, spec);
  if (container === null || runsSentinel(container)) return false;
  if (meta?.annotations?.[CONTAINER_ANNOTATION] !== undefined) return true;
  if (namesOtherThing(lastPart(imageName(container)))) return false;
  return (
    container.name === 'redis' ||
    container.name === 'valkey' ||
    hasServerImage(container) ||
    (container.ports ?? []).some((port) => port.containerPort === DEFAULT_PORT)
  );
}

/** A workload of Redis in cluster mode: says so in its command, arguments or environment, or opens the bus port. */
export function looksLikeClusterMode(meta: RawMeta | undefined, spec: RawPodSpec | undefined): boolean {
  const container = findRedisContainer(meta, spec);
  if (container === null || !hasServerImage(container) || runsSentinel(container)) return false;
  const words = [
    ...(container.command ?? []),
    ...(container.args ?? []),
    ...(container.env ?? []).map((each) => `${each.name ?? ''}=${each.value ?? ''}`),
  ];
  return (
    words.some((word) => /cluster[-_ ]?enabled|redis_cluster|valkey_cluster|cluster[-_]config[-_]file/i.test(word)) ||
    /(redis|valkey)-cluster/i.test(lastPart(imageName(container))) ||
    (container.ports ?? []).some((port) => port.containerPort === redisPort(container) + 10_000)
  );
}

export interface DataVolumes {
  /** Names of the claims that the pod mounts. */
  readonly claims: readonly string[];
  /** Whether Redis writes to something that goes with the pod. */
  readonly ephemeralData: boolean;
}

const DATA_MOUNT = /^\/data$|^\/var\/lib\/(redis|valkey)$|^\/bitnami\/(redis|valkey)/;

/** Data of a pod that mounts no lasting volume, or an emptyDir where Redis servers keep theirs, is lost with the pod. */
export function dataVolumes(spec: RawPodSpec | undefined, container: RawContainer | null): DataVolumes {
  const volumes = spec?.volumes ?? [];
  const mounts = new Map((container?.volumeMounts ?? []).map((mount) => [mount.name ?? '', mount.mountPath ?? '']));
  const isLasting = (index: number): boolean => {
    const volume = volumes[index];
    return [volume?.persistentVolumeClaim, volume?.hostPath, volume?.csi, volume?.nfs].some(
      (each) => each !== undefined,
    );
  };
  const mounted = volumes.map((volume, index) => ({
    volume,
    lasting: isLasting(index),
    at: mounts.get(volume.name ?? ''),
  }));
  return {
    claims: volumes.flatMap((volume) => volume.persistentVolumeClaim?.claimName ?? []),
    ephemeralData:
      !mounted.some((each) => each.lasting && each.at !== undefined) ||
      mounted.some(
        ({ volume, at }) =>
          at !== undefined &&
          (volume.emptyDir ?? volume.ephemeral) !== undefined &&
          DATA_MOUNT.test(at.replace(/\/+$/, '')),
      ),
  };
}

/** Variable that says in which directory the scripts find their configuration and the record. */
const CONFIG_DIR_VARIABLE = 'KUBECTL_REDIS_CONFIG_DIR';

/**
 * Whether the scripts in the container read ConfigMap NAME-state: their directory is a volume that it is projected into. An older
 * template has none; one that an old manifest was applied over may have the volume and not the variable.
 */
export function readsState(spec: RawPodSpec | undefined, container: RawContainer | null, cluster: string): boolean {
  const directory = (container?.env ?? []).find(({ name }) => name === CONFIG_DIR_VARIABLE)?.value;
  const mount = (container?.volumeMounts ?? []).find(
    ({ mountPath }) => directory !== undefined && mountPath === directory,
  );
  const volume = (spec?.volumes ?? []).find(({ name }) => mount !== undefined && name === mount.name);
  return (volume?.projected?.sources ?? []).some(({ configMap }) => configMap?.name === `${cluster}-state`);
}

function hasServerImage(container: RawContainer): boolean {
  return isServerImage(container.image);
}

function imageName(container: RawContainer): string {
  return nameOfImage(container.image);
}

function runsSentinel(container: RawContainer): boolean {
  return [...(container.command ?? []), ...(container.args ?? [])].some((word) =>
    /--sentinel\b|redis-sentinel/.test(word),
  );
}
