/**
 * The merge: what people wrote wins, field by field; what `renderPod` says fills the gaps.
 *
 * By the time that a webhook sees a pod, the API server has filled in defaults that nobody wrote: a grace period of 30 s,
 * links of Services, a service-account token. There those values count as not written.
 */
import { isServerImage } from '../../cluster/model/redis-image.ts';
import { DATA_DIR, type RenderedPod } from '../pod-spec.ts';
import { METRICS_NAME } from './metrics.ts';
import {
  isObject,
  type Container,
  type Json,
  type Pod,
  type PodSpec,
  type Volume,
  type VolumeMount,
} from './pod-json.ts';
import type { DataVolume } from './volumes.ts';
import { freeName } from './volumes.ts';
import { atPath } from './examine.ts';
import type { Wishes } from './wishes.ts';

export type Mode = 'webhook' | 'offline';

const API_DEFAULTS: Json = { terminationGracePeriodSeconds: 30, enableServiceLinks: true };
const TOKEN_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';
const TOKEN_VOLUME = /^kube-api-access-/;

export interface Completion {
  readonly pod: Pod;
  readonly container: Container;
  readonly rendered: RenderedPod;
  readonly data: DataVolume;
  readonly wishes: Wishes;
  readonly mode: Mode;
}

/** The pod's spec with everything that was missing. */
export function completeSpec(completion: Completion): PodSpec {
  const { pod, container, rendered, data, mode } = completion;
  const written = mode === 'webhook' ? withoutDefaults(pod.spec) : pod.spec;
  const alone = isAlone(pod, container);
  const names = new Map<string, string>();
  const volumes = addVolumes(
    written.volumes ?? [],
    [...rendered.volumes, ...(data.volume === null ? [] : [data.volume])],
    names,
  );
  const redis = completeContainer(completion, names, alone);
  const spec: PodSpec = {
    ...scheduling(written, rendered.spec),
    securityContext: podSecurity(completion, alone),
    containers: pod.spec.containers.map((each) => (each === container ? redis : each)),
    volumes,
  };
  return withoutToken(spec, written, container.name, { alone, mode });
}

/** Everything that other containers and init containers do not feel. */
function scheduling(written: PodSpec, ours: Json): PodSpec {
  const { securityContext: _, automountServiceAccountToken: __, affinity, topologySpreadConstraints, ...rest } = ours;
  const spread = written.topologySpreadConstraints ?? [];
  return {
    ...rest,
    ...written,
    ...(affinity === undefined ? {} : { affinity: { ...(affinity as Json), ...written.affinity } }),
    ...(topologySpreadConstraints === undefined || spread.length > 0 ? {} : { topologySpreadConstraints }),
  } as PodSpec;
}

function withoutDefaults(spec: PodSpec): PodSpec {
  return Object.fromEntries(Object.entries(spec).filter(([key, value]) => API_DEFAULTS[key] !== value)) as PodSpec;
}

function isAlone({ spec }: Pod, container: Container): boolean {
  const others = spec.containers.filter((each) => each !== container && each.name !== METRICS_NAME);
  return others.length === 0 && (spec.initContainers ?? []).length === 0;
}

/** User, group and profile of the whole pod where Redis is alone in it; else only the group that volumes get. */
function podSecurity({ pod, rendered, wishes }: Completion, alone: boolean): Json {
  const written = pod.spec.securityContext ?? {};
  const { fsGroup: _, fsGroupChangePolicy, seccompProfile } = rendered.spec['securityContext'] as Json;
  const group = wishes.runAs === null ? {} : { fsGroup: wishes.runAs.group, fsGroupChangePolicy };
  return { ...group, ...(alone ? { ...runAs(wishes, written['runAsUser']), seccompProfile } : {}), ...written };
}

/** Root, where people ask for it, is not refused by a `runAsNonRoot` of ours. */
function runAs({ runAs: wanted }: Wishes, writtenUser: unknown): Json {
  const user = writtenUser ?? wanted?.user;
  const nonRoot = user === 0 ? {} : { runAsNonRoot: true };
  return wanted === null ? nonRoot : { ...nonRoot, runAsUser: wanted.user, runAsGroup: wanted.group };
}

function completeContainer(completion: Completion, names: ReadonlyMap<string, string>, alone: boolean): Container {
  const { container, rendered, data } = completion;
  const {
    env = [],
    ports = [],
    volumeMounts = [],
    securityContext: _,
    lifecycle,
    ...ours
  } = rendered.container as unknown as Container;
  const mounts = [
    ...(data.mount === null ? [] : [data.mount]),
    ...volumeMounts
      .filter(({ mountPath }) => mountPath !== DATA_DIR)
      .map((mount) => ({ ...mount, name: names.get(mount.name) ?? mount.name })),
  ];
  return {
    ...ours,
    ...container,
    command: container.command ?? ours.command ?? [],
    env: addByKey(container.env ?? [], env, ({ name }) => name),
    ports: addPorts(container.ports ?? [], ports),
    volumeMounts: addMounts(container.volumeMounts ?? [], mounts),
    securityContext: containerSecurity(completion, alone),
    lifecycle: { ...lifecycle, ...container.lifecycle },
  };
}

function containerSecurity({ pod, container, rendered, wishes }: Completion, alone: boolean): Json {
  const written = container.securityContext ?? {};
  const { runAsNonRoot: _, allowPrivilegeEscalation, ...ours } = rendered.container['securityContext'] as Json;
  const user = written['runAsUser'] ?? pod.spec.securityContext?.['runAsUser'];
  const { runAsNonRoot, ...ids } = runAs(wishes, user) as { readonly runAsNonRoot?: boolean };
  const profile = (rendered.spec['securityContext'] as Json)['seccompProfile'];
  const inherited = pod.spec.securityContext ?? {};
  const own = alone
    ? {}
    : Object.fromEntries(Object.entries({ ...ids, seccompProfile: profile }).filter(([key]) => !(key in inherited)));
  const capabilities = { ...(ours['capabilities'] as Json), ...(written['capabilities'] as Json | undefined) };
  const added = capabilities['add'];
  // Kubernetes refuses a container that has both.
  const mayEscalate = written['privileged'] === true || (Array.isArray(added) && added.includes('CAP_SYS_ADMIN'));
  return {
    ...ours,
    ...(mayEscalate ? {} : { allowPrivilegeEscalation }),
    ...(runAsNonRoot === undefined || inherited['runAsNonRoot'] === false ? {} : { runAsNonRoot }),
    ...own,
    ...written,
    capabilities,
  };
}

function addByKey<T>(written: readonly T[], ours: readonly T[], key: (item: T) => unknown): T[] {
  const there = new Set(written.map(key));
  return [...written, ...ours.filter((item) => !there.has(key(item)))];
}

/** By number; a name that people gave another port is left out. */
function addPorts(
  written: NonNullable<Container['ports']>,
  ours: NonNullable<Container['ports']>,
): NonNullable<Container['ports']> {
  const names = new Set(written.map(({ name }) => name));
  const added = ours.map(({ name, ...rest }) => (name === undefined || names.has(name) ? rest : { name, ...rest }));
  return addByKey(written, added, ({ containerPort }) => containerPort);
}

function addMounts(written: readonly VolumeMount[], ours: readonly VolumeMount[]): VolumeMount[] {
  return [...written, ...ours.filter(({ mountPath }) => !written.some((mount) => atPath(mount.mountPath, mountPath)))];
}

/** Adds ours; `names` learns what each is called in the end. */
function addVolumes(written: readonly Volume[], ours: readonly Json[], names: Map<string, string>): Volume[] {
  const volumes = [...written];
  for (const volume of ours as readonly Volume[]) {
    const isOurs = (other: Volume): boolean =>
      JSON.stringify(other) === JSON.stringify({ ...volume, name: other.name });
    const name = freeName(volumes, volume.name, isOurs);
    names.set(volume.name, name);
    if (!volumes.some((other) => other.name === name)) volumes.push({ ...volume, name });
  }
  return volumes;
}

/**
 * No service-account token, unless people asked for one. Where Redis is not alone the others keep theirs, and only its own
 * mount goes.
 */
function withoutToken(
  spec: PodSpec,
  written: PodSpec,
  redis: string,
  { alone, mode }: { readonly alone: boolean; readonly mode: Mode },
): PodSpec {
  if (written['automountServiceAccountToken'] !== undefined) return spec;
  const volumes =
    alone && mode === 'webhook' ? spec.volumes?.filter(({ name }) => !TOKEN_VOLUME.test(name)) : spec.volumes;
  const isToken = (mount: VolumeMount): boolean => TOKEN_VOLUME.test(mount.name) && atPath(mount.mountPath, TOKEN_DIR);
  const containers = spec.containers.map((container) =>
    container.name === redis && mode === 'webhook'
      ? { ...container, volumeMounts: (container.volumeMounts ?? []).filter((mount) => !isToken(mount)) }
      : container,
  );
  return {
    ...spec,
    ...(alone ? { automountServiceAccountToken: false } : {}),
    containers,
    ...(volumes === undefined ? {} : { volumes }),
  };
}

/** What people should know of settings of theirs that stay. */
export function remarksOn({ pod, container, wishes, data }: Completion): string[] {
  const remarks = [...data.warnings];
  const user =
    container.securityContext?.['runAsUser'] ?? pod.spec.securityContext?.['runAsUser'] ?? wishes.runAs?.user;
  if (user === 0) remarks.push('Redis runs as root in this pod, which PodSecurity "restricted" does not allow');
  if (pod.spec['hostNetwork'] === true)
    remarks.push('the pod uses the network of its host: two nodes on one host collide');
  if (!isServerImage(container.image)) {
    remarks.push(
      `image ${container.image ?? '(none)'} does not look like Redis or Valkey: the guard needs redis-server and redis-cli in it`,
    );
  }
  if (isObject(container.lifecycle?.['preStop'])) {
    remarks.push('the preStop hook of the pod stays: a primary then does not hand over its role before it stops');
  }
  return remarks;
}
