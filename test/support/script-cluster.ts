/** Clusters of script pods: made, formed and taken down again. */
import { readdir, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { formPods } from './form-pods.ts';
import { freeAddresses } from './loopback.ts';
import { poll } from './redis-server.ts';
import { makePod, type Flavour, type PodOptions, type ScriptPod } from './script-pod.ts';

export interface ScriptPods {
  /** Pods 1 … count that know each other's addresses; none runs yet. A short node timeout makes failovers quick. */
  readonly make: (flavour: Flavour, count: number, options?: Partial<PodOptions>) => Promise<ScriptPod[]>;
  /** A formed cluster: the first `masters` are primaries, node N is of shard (N - 1) % masters + 1. */
  readonly form: (
    flavour: Flavour,
    masters: number,
    count: number,
    options?: Partial<PodOptions>,
  ) => Promise<ScriptPod[]>;
  readonly removeAll: () => Promise<void>;
}

/** @param port of its own for each test file, because they run side by side */
export function scriptPods(port: number): ScriptPods {
  const pods: ScriptPod[] = [];
  const make: ScriptPods['make'] = async (flavour, count, options = {}) => {
    const found = await freeAddresses(count, port);
    const addresses = new Map(found.map((address, index) => [index + 1, address]));
    const spec = {
      masters: count,
      replicas: 0,
      ...options.spec,
      config: { 'cluster-node-timeout': '1000', ...options.spec?.config },
    };
    const made = await Promise.all(
      found.map((address, index) =>
        makePod({ flavour, address, port, addresses, ordinal: index + 1, ...options, spec }),
      ),
    );
    pods.push(...made);
    return made;
  };
  return {
    make,
    form: async (flavour, masters, count, options = {}) => {
      const made = await make(flavour, count, { ...options, spec: { masters, ...options.spec } });
      await startAll(made);
      await formPods(made, masters);
      await Promise.all(made.map((pod) => pod.setFormed('true\n')));
      return made;
    },
    removeAll: async () => {
      await Promise.all(pods.splice(0).map((pod) => pod.remove()));
    },
  };
}

/** The replica does not take over by itself before a guard on a busy machine has told it to. */
export const PATIENT: Partial<PodOptions> = { spec: { config: { 'cluster-node-timeout': '5000' } } };

export async function startAll(pods: readonly ScriptPod[]): Promise<void> {
  for (const pod of pods) pod.start();
  await Promise.all(pods.map((pod) => pod.ready()));
}

/** The pod of node N. */
export function nth(all: readonly ScriptPod[], ordinal: number): ScriptPod {
  const pod = all[ordinal - 1];
  if (pod === undefined) throw new Error(`no pod ${ordinal}`);
  return pod;
}

export async function isSilent(pod: ScriptPod): Promise<boolean> {
  return (await pod.cli('ping')).startsWith('Could not connect');
}

/** `master`, `slave with link up` or `slave with link down`. */
export async function roleOf(pod: ScriptPod): Promise<string> {
  const info = await pod.cli('info', 'replication');
  const link = /master_link_status:(\w+)/.exec(info)?.[1];
  return `${/role:(\w+)/.exec(info)?.[1]}${link === undefined ? '' : ` with link ${link}`}`;
}

/**
 * Writes `count` keys into the slot of the tag, and waits until `replicas` have all of them and all have them in their files:
 * while a file is being synced, a server keeps what comes meanwhile for up to 2 s, and one that is killed loses it.
 */
export async function fill(
  primary: ScriptPod,
  tag: string,
  count: number,
  replicas: readonly ScriptPod[],
): Promise<void> {
  for (let i = 0; i < count; i++) await primary.cli('set', `{${tag}}${i}`, 'x');
  const pods = [primary, ...replicas];
  await hasKeys(pods, count);
  await hasWritten(pods);
}

/** Resolves when nothing waits to be written into their append-only files. */
export async function hasWritten(pods: readonly ScriptPod[]): Promise<void> {
  await poll('keys in files', 30_000, async () => {
    const infos = await Promise.all(pods.map((pod) => pod.cli('info', 'persistence')));
    return infos.some((info) => /aof_buffer_length:[1-9]/.test(info)) ? null : true;
  });
}

/** Makes the data files that are there now an hour old. */
export async function ageFiles(pod: ScriptPod): Promise<void> {
  const then = Date.now() / 1_000 - 3_600;
  const names = await readdir(pod.dataDir, { recursive: true });
  for (const name of names.filter((one) => /dump\.rdb|appendonly/.test(one)))
    await utimes(join(pod.dataDir, name), then, then);
}

export async function hasKeys(pods: readonly ScriptPod[], count: number): Promise<void> {
  await poll(`${count} keys`, 30_000, async () => {
    const sizes = await Promise.all(pods.map((pod) => pod.cli('dbsize')));
    return sizes.every((size) => size === String(count)) ? true : null;
  });
}

/** Resolves when the node has joined its cluster again and follows somebody. */
export async function rejoined(pod: ScriptPod, withinMs = 45_000): Promise<void> {
  await poll(`the node at ${pod.address} serves again`, withinMs, async () => {
    if ((await roleOf(pod)) !== 'slave with link up') return null;
    return (await pod.run('probe.sh', 'readiness')).code === 0 ? true : null;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}\n${pod.log()}`, { cause: error });
  });
}
