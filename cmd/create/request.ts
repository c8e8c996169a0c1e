/** What was typed after `create`, checked: every mistake is a usage error before anything is read or made. */
import { readFile } from 'node:fs/promises';
import { AppError, EXIT, usageError } from '../../pkg/errors.ts';
import type { AntiAffinity } from '../../pkg/cluster/model/plan.ts';
import type { ClusterSpec } from '../../pkg/cluster/model/spec.ts';
import type { GivenSpec } from '../../pkg/cluster/plan/create-spec.ts';
import {
  checkDirective,
  mergeDirectives,
  parseConfigArguments,
  parseConfigFile,
} from '../../pkg/pod/config-directives.ts';
import { cpuCores, memoryBytes, storageBytes } from '../../pkg/pod/quantity.ts';

export interface CreateFlags {
  readonly masters: number | undefined;
  readonly replicas: number | undefined;
  readonly image: string | undefined;
  readonly 'image-pull-policy': ClusterSpec['imagePullPolicy'] | undefined;
  readonly storage: string | undefined;
  readonly 'storage-class': string | undefined;
  readonly memory: string | undefined;
  readonly cpu: string | undefined;
  readonly config: readonly string[];
  readonly 'config-file': string | undefined;
  readonly auth: boolean;
  readonly 'anti-affinity': AntiAffinity | undefined;
  readonly 'network-policy': boolean;
}

/** Redis Cluster decides by a majority of primaries; with fewer than three, none is left when one is lost. */
const LEAST_MASTERS = 3;

/** @throws AppError usage */
export async function givenSpecOf(flags: CreateFlags): Promise<GivenSpec> {
  const wrong = mastersWrong(flags.masters);
  if (wrong !== null)
    throw usageError(
      `--masters ${flags.masters}: ${wrong}`,
      'For tests on a small machine, give --masters 3 --replicas 0',
    );
  if (flags.storage !== undefined) storageBytes(flags.storage);
  if (flags.memory !== undefined) memoryBytes(flags.memory);
  if (flags.cpu !== undefined) cpuCores(flags.cpu);
  return {
    masters: flags.masters ?? null,
    replicas: flags.replicas ?? null,
    image: flags.image === undefined ? null : checkImage(flags.image),
    imagePullPolicy: flags['image-pull-policy'] ?? null,
    storage: flags.storage ?? null,
    storageClass: flags['storage-class'] ?? null,
    memory: flags.memory ?? null,
    cpu: flags.cpu ?? null,
    config: await directivesOf(flags),
    auth: flags.auth ? true : null,
    antiAffinity: flags['anti-affinity'] ?? null,
    networkPolicy: flags['network-policy'] ? true : null,
  };
}

/** What is wrong with a number of primaries, or null. */
export function mastersWrong(masters: number | undefined): string | null {
  if (masters === undefined || masters >= LEAST_MASTERS) return null;
  return `a Redis Cluster needs at least ${LEAST_MASTERS} primaries, so that a majority is left when one is lost`;
}

/** The registry's rules are long; what can't be an image at all is caught here, the rest by the kubelet. */
export function checkImage(image: string): string {
  if (/^[\w][\w.\-/:@]*$/.test(image)) return image;
  throw usageError(
    `--image ${JSON.stringify(image)} is not the name of an image`,
    'Write it as redis:8.4 or registry.example/redis:8.4',
  );
}

async function directivesOf(flags: CreateFlags): Promise<Record<string, string> | null> {
  const file = flags['config-file'];
  if (file === undefined && flags.config.length === 0) return null;
  const fromFile = file === undefined ? {} : parseConfigFile(await readConfigFile(file), file);
  const merged = mergeDirectives(fromFile, parseConfigArguments(flags.config));
  for (const [name, value] of Object.entries(merged)) checkDirective(name, value);
  return merged;
}

async function readConfigFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new AppError(`cannot read ${file}`, {
      code: 'usage',
      exitCode: EXIT.usage,
      cause: error,
      hint: 'Give --config-file a file that you can read',
    });
  }
}
