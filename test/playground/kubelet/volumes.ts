/** Volumes as directories: claims live as long as the claim, everything else as long as the pod. */
import { chmod, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Claim, ConfigData, Pod, ProjectedSource, Volume } from '../api/objects.ts';
import type { Store } from '../api/store.ts';

/** What keeps a pod from starting; tried again. */
export class MountTrouble extends Error {}

export interface Volumes {
  /** Volume -> directory, made and filled. Called again when a ConfigMap or Secret has changed. @throws {MountTrouble} */
  mount(pod: Pod): Promise<ReadonlyMap<string, string>>;
  podDirectory(pod: Pod): string;
  removePod(pod: Pod): Promise<void>;
  removeClaim(uid: string): Promise<void>;
}

export function createVolumes(store: Store, root: string): Volumes {
  const podDirectory = ({ metadata }: Pod): string => join(root, 'pods', metadata.uid);
  const remove = (directory: string): Promise<void> => rm(directory, { recursive: true, force: true, maxRetries: 5 });

  const find = async (pod: Pod, volume: Volume): Promise<string> => {
    const { namespace = '' } = pod.metadata;
    const own = join(podDirectory(pod), 'volumes', volume.name);
    if (volume.emptyDir !== undefined) return makeDirectory(own);
    if (volume.persistentVolumeClaim !== undefined) {
      const claim = store.get<Claim>('persistentvolumeclaims', namespace, volume.persistentVolumeClaim.claimName);
      if (claim === null) throw new MountTrouble(`claim ${volume.persistentVolumeClaim.claimName} is gone`);
      return makeDirectory(join(root, 'claims', claim.metadata.uid));
    }
    if (volume.projected !== undefined) {
      const { sources = [], defaultMode = 0o644 } = volume.projected;
      // A later source lies over an earlier one.
      const files = new Map(sources.flatMap((source) => [...project(store, namespace, volume.name, source)]));
      await fill(await makeDirectory(own), files, defaultMode);
      return own;
    }
    const { configMap, secret } = volume;
    const [kind, name] =
      secret === undefined ? (['configmaps', configMap?.name] as const) : (['secrets', secret.secretName] as const);
    const { optional = false, defaultMode = 0o644 } = secret ?? configMap ?? {};
    if (name === undefined) throw new MountTrouble(`the playground has no volumes like ${JSON.stringify(volume)}`);
    const source = store.get<ConfigData>(kind, namespace, name);
    if (source === null && !optional) {
      throw new MountTrouble(
        `MountVolume.SetUp failed for volume "${volume.name}" : ${kind.slice(0, -1)} "${name}" not found`,
      );
    }
    await fill(await makeDirectory(own), filesOf(source, kind === 'secrets'), defaultMode);
    return own;
  };
  return {
    podDirectory,
    mount: async (pod) => {
      const found = new Map<string, string>();
      for (const volume of pod.spec.volumes ?? []) found.set(volume.name, await find(pod, volume));
      return found;
    },
    removePod: (pod) => remove(podDirectory(pod)),
    removeClaim: (uid) => remove(join(root, 'claims', uid)),
  };
}

function project(
  store: Store,
  namespace: string,
  volume: string,
  { configMap, ...other }: ProjectedSource,
): ReadonlyMap<string, Buffer> {
  if (configMap === undefined) throw new MountTrouble(`the playground projects no ${JSON.stringify(other)}`);
  const { name, optional = false, items } = configMap;
  const source = store.get<ConfigData>('configmaps', namespace, name);
  if (source === null && !optional)
    throw new MountTrouble(`MountVolume.SetUp failed for volume "${volume}" : configmap "${name}" not found`);
  const all = filesOf(source, false);
  if (items === undefined) return all;
  const found = items.flatMap(({ key, path }): [string, Buffer][] => {
    const content = all.get(key);
    if (content === undefined && !optional)
      throw new MountTrouble(
        `MountVolume.SetUp failed for volume "${volume}" : configmap references non-existent config key: ${key}`,
      );
    return content === undefined ? [] : [[path, content]];
  });
  return new Map(found);
}

async function makeDirectory(path: string): Promise<string> {
  await mkdir(path, { recursive: true });
  return path;
}

function filesOf(source: ConfigData | null, encoded: boolean): ReadonlyMap<string, Buffer> {
  const entries = Object.entries(source?.data ?? {});
  return new Map(entries.map(([name, text]) => [name, Buffer.from(text, encoded ? 'base64' : 'utf8')]));
}

/** Each file changes at once: who reads it sees the old one or the new one. Names may have directories. */
async function fill(directory: string, files: ReadonlyMap<string, Buffer>, mode: number): Promise<void> {
  for (const [name, content] of files) {
    const place = join(directory, name);
    await makeDirectory(dirname(place));
    const next = `${place}..next`;
    await writeFile(next, content);
    await chmod(next, mode);
    await rename(next, place);
  }
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !files.has(relative(directory, path))) await rm(path, { force: true });
  }
}
