/** Removes the webhook's objects, and its namespace where `install` made it and nothing else is in it. */
import type { KubePort } from '../../pkg/engine/ports.ts';
import { AppError } from '../../pkg/errors.ts';
import type { Manifest } from '../../pkg/pod/manifest.ts';
import { webhookManifests } from '../../webhook/manifests.ts';
import { SECRET_NAME } from '../../webhook/settings.ts';
import { isOurs } from './install.ts';

export interface UninstallDeps {
  readonly kube: Pick<KubePort, 'get' | 'list' | 'remove'>;
  readonly dryRun: boolean;
  readonly say: (line: string) => void;
}

/**
 * Backwards, so that the configuration goes before what answers for it: pods would be refused in between. The Secret after the
 * rights, or a server that has not ended yet would make it again. What somebody else made stays.
 * @returns how many objects were there
 */
export async function uninstall(namespace: string, deps: UninstallDeps): Promise<number> {
  const { kube, dryRun, say } = deps;
  const [own, ...rest] = allObjects(namespace);
  let there = 0;
  for (const { apiVersion, kind, metadata } of rest.reverse()) {
    const found = await kube.get(apiVersion, kind, metadata.name);
    if (found === null) continue;
    if (!isOurs(found)) {
      say(`${kind} ${metadata.name} stays: somebody else made it`);
      continue;
    }
    there += 1;
    if (!dryRun) await kube.remove(apiVersion, kind, metadata.name);
    say(`${kind} ${metadata.name} ${dryRun ? 'would be deleted' : 'deleted'}`);
  }
  if (own !== undefined) there += await removeNamespace(own, deps);
  return there;
}

/** Namespace first: everything that `install` can have made, whatever it was told, and what the server makes. */
function allObjects(namespace: string): Manifest[] {
  const options = { namespace, image: '', imagePullPolicy: null, certManager: true, matchConditions: true } as const;
  const [own, ...rest] = webhookManifests(options);
  const secret: Manifest = { apiVersion: 'v1', kind: 'Secret', metadata: { name: SECRET_NAME, namespace } };
  return own === undefined ? [] : [own, secret, ...rest];
}

async function removeNamespace(
  { apiVersion, kind, metadata: { name } }: Manifest,
  deps: UninstallDeps,
): Promise<number> {
  const { kube, dryRun, say } = deps;
  const found = await kube.get(apiVersion, kind, name);
  if (found === null) return 0;
  const why = isOurs(found) ? await whatElseIsIn(kube) : 'somebody else made it';
  if (why !== null) {
    say(`Namespace ${name} stays: ${why}`);
    return 0;
  }
  if (!dryRun) await kube.remove(apiVersion, kind, name);
  say(`Namespace ${name} ${dryRun ? 'would be deleted' : 'deleted'}`);
  return 1;
}

/** What people keep in namespaces. */
const KINDS = [
  ['v1', 'Pod'],
  ['v1', 'Service'],
  ['v1', 'ConfigMap'],
  ['v1', 'Secret'],
  ['v1', 'PersistentVolumeClaim'],
  ['apps/v1', 'Deployment'],
  ['apps/v1', 'StatefulSet'],
] as const;
/** In every namespace. */
const EVERYWHERE: ReadonlySet<string> = new Set(['kube-root-ca.crt']);

/** The first thing that is not the webhook's, in words; null when there is none. */
async function whatElseIsIn(kube: UninstallDeps['kube']): Promise<string | null> {
  for (const [apiVersion, kind] of KINDS) {
    try {
      const found = await kube.list(apiVersion, kind);
      const other = found.find((object) => !isOurs(object) && !EVERYWHERE.has(object.metadata.name));
      if (other !== undefined) return `${kind} ${other.metadata.name} is in it`;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'forbidden') throw error;
      return error.message;
    }
  }
  return null;
}
