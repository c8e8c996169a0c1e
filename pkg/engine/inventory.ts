/** What there is of a cluster that `create` and `scale` made, object by object: what may be taken away. */
import { AppError } from '../errors.ts';
import { CLUSTER_LABEL, MANAGED_BY, MANAGED_BY_LABEL } from '../cluster/model/labels.ts';
import type { ClusterRef } from '../cluster/model/observation.ts';
import type { Plan, Step } from '../cluster/model/plan.ts';
import type { OwnedObject } from '../cluster/plan/delete.ts';
import { authSecretName } from '../pod/names.ts';
import { workloadsOf } from './brought-workloads.ts';
import type { KubeObject, KubePort } from './ports.ts';

/** Kinds that `create` makes, read by label; the Secret is read by name, which needs less rights. */
const LISTED_KINDS = [
  ['apps/v1', 'StatefulSet'],
  ['v1', 'Pod'],
  ['policy/v1', 'PodDisruptionBudget'],
  ['networking.k8s.io/v1', 'NetworkPolicy'],
  ['v1', 'PersistentVolumeClaim'],
  ['v1', 'ConfigMap'],
  ['v1', 'Service'],
] as const;

/** What can't be read and need not go: it is left, and said. */
const OPTIONAL_KINDS: ReadonlySet<string> = new Set(['NetworkPolicy']);

export interface Inventory {
  readonly owned: readonly OwnedObject[];
  /** Workloads that people brought. */
  readonly brought: readonly KubeObject[];
  /** What could not be read, and so is left where it is. */
  readonly gaps: readonly { readonly what: string; readonly why: string }[];
}

/** @param needsSecret whether the Secret must be read, too. Only what carries both of our labels: pods that people brought carry one. */
export async function readInventory(kube: KubePort, cluster: ClusterRef, needsSecret: boolean): Promise<Inventory> {
  const selector = `${CLUSTER_LABEL}=${cluster.name},${MANAGED_BY_LABEL}=${MANAGED_BY}`;
  const gaps: { what: string; why: string }[] = [];
  const orGap = async (kind: string, optional: boolean, read: Promise<readonly KubeObject[]>) => {
    try {
      return await read;
    } catch (error) {
      if (!optional || !(error instanceof AppError) || error.code !== 'forbidden') throw error;
      gaps.push({ what: kind, why: error.message });
      return [];
    }
  };
  const [brought, ...found] = await Promise.all([
    workloadsOf(kube, cluster.name),
    ...LISTED_KINDS.map(([apiVersion, kind]) =>
      orGap(kind, OPTIONAL_KINDS.has(kind), kube.list(apiVersion, kind, { selector })),
    ),
    orGap('Secret', !needsSecret, readSecret(kube, cluster.name)),
  ]);
  return { owned: found.flat().map(ownedOf), brought, gaps };
}

async function readSecret(kube: KubePort, cluster: string): Promise<KubeObject[]> {
  const secret = await kube.get('v1', 'Secret', authSecretName(cluster));
  const labels = secret?.metadata.labels ?? {};
  const ours = labels[CLUSTER_LABEL] === cluster && labels[MANAGED_BY_LABEL] === MANAGED_BY;
  // A Secret that somebody else made for us to use stays theirs.
  return secret !== null && ours ? [{ ...secret, apiVersion: 'v1', kind: 'Secret' }] : [];
}

function ownedOf({ apiVersion, kind, metadata }: KubeObject): OwnedObject {
  const terminating = metadata['deletionTimestamp'] !== undefined;
  const owners = (metadata['ownerReferences'] ?? []) as readonly { readonly kind: string; readonly name: string }[];
  const [owner] = owners;
  const goesWith = owner === undefined ? {} : { goesWith: `${owner.kind} ${owner.name}` };
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', terminating, ...goesWith };
}

/** The first object of each kind, as a dry run of the server: a missing right is known before anything is gone. */
export async function tryRemoving(kube: KubePort, plan: Plan): Promise<void> {
  const steps = plan.kind === 'batches' ? plan.batches.flatMap((batch) => batch.steps) : [];
  const first = new Map<string, Extract<Step, { kind: 'remove-object' }>['object']>();
  for (const step of steps)
    if (step.kind === 'remove-object' && !first.has(step.object.kind)) first.set(step.object.kind, step.object);
  await Promise.all(
    [...first.values()].map(({ apiVersion, kind, name, uid }) =>
      kube.remove(apiVersion, kind, name, { uid, dryRun: true }),
    ),
  );
}
