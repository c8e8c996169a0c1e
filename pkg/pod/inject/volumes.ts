/** Volumes of a pod that is completed: which one holds the data, and names that do not collide with people's. */
import { refusal } from '../../errors.ts';
import { CLAIM_TEMPLATE } from '../names.ts';
import { DATA_DIR } from '../pod-spec.ts';
import { atPath } from './examine.ts';
import { isObject, type Container, type Pod, type Volume, type VolumeMount } from './pod-json.ts';

export interface DataVolume {
  /** null = it is mounted already. */
  readonly mount: VolumeMount | null;
  /** null = it is there already. */
  readonly volume: Volume | null;
  /** What it is on, and outlives the pod: `claim data`, `volume data (hostPath)`; null = nothing does, or a claim of its StatefulSet's own. */
  readonly lasting: string | null;
  readonly warnings: readonly string[];
}

/** Where images of Redis keep data. */
const DATA_DIRS = ['/data', '/bitnami/redis', '/bitnami/redis/data', '/bitnami/valkey', '/bitnami/valkey/data'];

/**
 * 1 what is mounted at /var/lib/redis, 2 what is mounted where images keep data, 3 a volume called `data`, 4 the only claim
 * that Redis does not mount, 5 an emptyDir, with a warning.
 *
 * @param claimTemplates names of a StatefulSet's, whose volumes are not in its template
 * @throws AppError refused `which-volume`
 */
export function dataVolume({ spec }: Pod, container: Container, claimTemplates: readonly string[]): DataVolume {
  const { volumes = [] } = spec;
  const { volumeMounts = [] } = container;
  const at = (path: string): VolumeMount | undefined => volumeMounts.find((mount) => atPath(mount.mountPath, path));
  const mounted = at(DATA_DIR);
  if (mounted !== undefined) return { mount: null, volume: null, ...factsOf(volumes, mounted.name) };
  const elsewhere = DATA_DIRS.map(at).find((mount) => mount !== undefined);
  if (elsewhere !== undefined) {
    return { mount: { ...elsewhere, mountPath: DATA_DIR }, volume: null, ...factsOf(volumes, elsewhere.name) };
  }
  const name = claimOf(volumes, volumeMounts, claimTemplates) ?? CLAIM_TEMPLATE;
  const mount = { name, mountPath: DATA_DIR };
  if (claimTemplates.includes(name)) return { mount, volume: null, lasting: null, warnings: [] };
  if (volumes.some((volume) => volume.name === name)) return { mount, volume: null, ...factsOf(volumes, name) };
  const volume = { name, emptyDir: {} };
  return { mount, volume, ...factsOf([volume], name) };
}

function claimOf(
  volumes: readonly Volume[],
  mounts: readonly VolumeMount[],
  templates: readonly string[],
): string | null {
  if (templates.includes(CLAIM_TEMPLATE) || volumes.some(({ name }) => name === CLAIM_TEMPLATE)) return CLAIM_TEMPLATE;
  const claims = volumes.filter((volume) => isObject(volume['persistentVolumeClaim']) || isObject(volume['ephemeral']));
  const names = [...templates, ...claims.map(({ name }) => name)].filter(
    (name) => !mounts.some((mount) => mount.name === name),
  );
  if (names.length <= 1) return names[0] ?? null;
  throw refusal(
    'which-volume',
    `which volume holds the data is not clear: ${names.join(', ')}`,
    `Call it ${CLAIM_TEMPLATE}, or mount it at ${DATA_DIR}`,
  );
}

function factsOf(volumes: readonly Volume[], name: string): Pick<DataVolume, 'lasting' | 'warnings'> {
  const volume = volumes.find((each) => each.name === name);
  return { lasting: lastingOf(volume), warnings: warningsOf(volume) };
}

/** Kinds that are made with the pod and go with it. */
const OF_THE_POD: ReadonlySet<string> = new Set(['name', 'emptyDir', 'ephemeral']);

function lastingOf(volume: Volume | undefined): string | null {
  const claim = volume?.['persistentVolumeClaim'];
  if (isObject(claim) && typeof claim['claimName'] === 'string') return `claim ${claim['claimName']}`;
  const kind = Object.keys(volume ?? {}).find((key) => !OF_THE_POD.has(key));
  return volume === undefined || kind === undefined ? null : `volume ${volume.name} (${kind})`;
}

function warningsOf(volume: Volume | undefined): string[] {
  if (volume?.['emptyDir'] === undefined) return [];
  return [
    `the data of this node is in an emptyDir and is lost with its pod: give the pod a claim as its volume ${CLAIM_TEMPLATE} to keep it`,
  ];
}

/** `name`, or another where people have a volume of that name which is not ours. */
export function freeName(volumes: readonly Volume[], name: string, ours: (volume: Volume) => boolean): string {
  const isTaken = (wanted: string): boolean => volumes.some((volume) => volume.name === wanted && !ours(volume));
  for (const wanted of [name, `kubectl-redis-${name}`]) if (!isTaken(wanted)) return wanted;
  return `kubectl-redis-${name}-${volumes.length}`;
}
