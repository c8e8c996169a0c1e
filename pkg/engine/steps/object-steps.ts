/** Steps on Kubernetes objects: rendered by pkg/pod, applied by server-side apply, some 20 at a time. */
import { randomBytes } from 'node:crypto';
import { NODES_KEY } from '../../cluster/model/labels.ts';
import { parseNodeTable } from '../../cluster/model/node-table.ts';
import type { KubeFacts } from '../../cluster/model/observation.ts';
import { nodeName, ordinalsOf, shardOf, type ClusterSpec } from '../../cluster/model/spec.ts';
import { budget } from '../../pod/budget.ts';
import { busPolicy } from '../../pod/bus-policy.ts';
import { configMap } from '../../pod/config-map.ts';
import { authSecret } from '../../pod/auth-secret.ts';
import type { Manifest } from '../../pod/manifest.ts';
import { clientService, nodeService } from '../../pod/services.ts';
import { statefulSet } from '../../pod/stateful-set.ts';
import { AppError } from '../../errors.ts';
import type { KubeObject, KubePort } from '../ports.ts';
import { allOrFirstFailure } from '../side-by-side.ts';

const APPLY_AT_ONCE = 20;

/** A Service that was deleted gets the address back that its node is known by, if nobody has it by now. */
export async function applyServices(
  kube: KubePort,
  spec: ClusterSpec,
  facts: KubeFacts,
  { ordinals, client }: { readonly ordinals: readonly number[]; readonly client: boolean },
): Promise<void> {
  // The client Service first: it records the desired shape before the first node exists, so that any later run resumes with it.
  if (client) await kube.apply(clientService(spec));
  const services = ordinals.map((n) => nodeService(spec, n));
  const there = new Set(facts.services.map(({ name }) => name));
  const recorded = new Map(parseNodeTable(facts.config?.[NODES_KEY] ?? '').map(({ node, address }) => [node, address]));
  for (const service of services) {
    const clusterIP = recorded.get(service.metadata.name) ?? null;
    if (clusterIP !== null && !there.has(service.metadata.name)) await takeBack(kube, service, clusterIP);
  }
  await applyAll(kube, services);
}

async function takeBack(kube: KubePort, service: Manifest, clusterIP: string): Promise<void> {
  try {
    await kube.create({ ...service, spec: { ...(service['spec'] as object), clusterIP } });
  } catch (error) {
    // Somebody else's by now, or of a range that is no more: then it gets another one, and the node is told.
    if (!(error instanceof AppError) || !['invalid', 'already-exists'].includes(error.code)) throw error;
  }
}

export async function recordSpec(kube: KubePort, spec: ClusterSpec): Promise<void> {
  await kube.apply(clientService(spec));
}

/** ConfigMap, and the Secret before it where a password was asked for. `formed` is never taken back. */
export async function applyConfig(kube: KubePort, spec: ClusterSpec, facts: KubeFacts, formed: boolean): Promise<void> {
  if (spec.auth) await makeSecret(kube, spec);
  await kube.apply(
    configMap(spec, { addresses: addressesOf(facts, spec), formed: formed || facts.config?.['formed'] === 'true' }),
  );
}

async function makeSecret(kube: KubePort, spec: ClusterSpec): Promise<void> {
  const secret = authSecret(spec, randomBytes(24).toString('base64url'));
  const existing = await kube.get('v1', 'Secret', secret.metadata.name);
  if (existing === null) await kube.create(secret);
}

export async function applyBudgets(kube: KubePort, spec: ClusterSpec, shards: readonly string[]): Promise<void> {
  await applyAll(
    kube,
    shards.map((shard) => budget(spec, shard)),
  );
}

/** The policy before the pods that it guards, so that StatefulSets that are there say that it was made. */
export async function applyWorkloads(
  kube: KubePort,
  spec: ClusterSpec,
  facts: KubeFacts,
  ordinals: readonly number[],
): Promise<void> {
  if (spec.networkPolicy) await kube.apply(busPolicy(spec));
  const addresses = addressesOf(facts, spec);
  const sets = ordinals.map((n) =>
    statefulSet(spec, n, { announceIp: addresses.get(n) ?? null, shard: shardOf(spec, n) }),
  );
  await applyAll(kube, sets);
}

export function addressesOf(facts: KubeFacts, spec: ClusterSpec): ReadonlyMap<number, string> {
  const byName = new Map(facts.services.map((service) => [service.name, service.clusterIP]));
  return new Map(
    ordinalsOf(spec).flatMap((n): [number, string][] => {
      const address = byName.get(nodeName(spec.cluster.name, n));
      return address === undefined || address === '' ? [] : [[n, address]];
    }),
  );
}

async function applyAll(kube: KubePort, objects: readonly KubeObject[]): Promise<void> {
  await allOrFirstFailure(objects, APPLY_AT_ONCE, (object) => kube.apply(object));
}
