/** Steps on Kubernetes objects: rendered by pkg/pod, applied by server-side apply, some 20 at a time. */
import { randomBytes } from 'node:crypto';
import { interpret } from '../../cluster/interpret.ts';
import { configDigest } from '../../cluster/model/config-digest.ts';
import { nodeLines, type NodeLine } from '../../cluster/model/node-table.ts';
import type { KubeFacts, Observation } from '../../cluster/model/observation.ts';
import type { Step } from '../../cluster/model/plan.ts';
import { needsOldRecord, recordOf } from '../../cluster/model/record.ts';
import { SECOND_BUS_PORT } from '../../cluster/model/node-ports.ts';
import { nodeName, ordinalsOf, shardOf, type ClusterSpec } from '../../cluster/model/spec.ts';
import { budget } from '../../pod/budget.ts';
import { busPolicy } from '../../pod/bus-policy.ts';
import { configMap, renderedFiles, type OldRecord } from '../../pod/config-map.ts';
import { authSecret } from '../../pod/auth-secret.ts';
import type { Manifest } from '../../pod/manifest.ts';
import { clientService, nodeService } from '../../pod/services.ts';
import { statefulSet } from '../../pod/stateful-set.ts';
import { AppError } from '../../errors.ts';
import type { Clock, KubeObject, KubePort } from '../ports.ts';
import { allOrFirstFailure } from '../side-by-side.ts';
import { keepState, type StateKube } from './keep-state.ts';
import { protectClaims } from './protect-claims.ts';

const APPLY_AT_ONCE = 20;

/** A Service that was deleted gets the address back that its node is known by, if nobody has it by now. */
export async function applyServices(
  kube: KubePort,
  spec: ClusterSpec,
  facts: KubeFacts,
  { ordinals, client }: { readonly ordinals: readonly number[]; readonly client: boolean },
): Promise<void> {
  if (client) await kube.apply(clientService(spec));
  const services = ordinals.map((n) => nodeService(spec, n));
  const there = new Set(facts.services.map(({ name }) => name));
  const recorded = new Map(recordOf(facts, spec.cluster).nodes.map(({ node, address }) => [node, address]));
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

/** NAME-state, and then Service NAME, whose annotations are a copy for people. */
export async function recordSpec(
  kube: StateKube & Pick<KubePort, 'apply'>,
  { spec, isNew = false }: Pick<Extract<Step, { kind: 'record-spec' }>, 'spec' | 'isNew'>,
  observation: Observation,
): Promise<void> {
  const { kube: facts } = observation;
  const formed = isNew ? { formed: false } : markOf(observation);
  await keepState(kube, spec.cluster, facts, { spec, nodes: linesOf(facts, spec), ...formed });
  await kube.apply(clientService(spec));
}

/** An older record may say that a cluster which is plainly there was never formed. */
function markOf(observation: Observation): { readonly formed?: boolean } {
  const { nodes } = interpret(observation);
  return nodes.some(({ slots }) => slots.length > 0) ? { formed: true } : {};
}

function linesOf(facts: KubeFacts, spec: ClusterSpec): NodeLine[] {
  return nodeLines(spec, addressesOf(facts, spec), recordOf(facts, spec.cluster).nodes);
}

/** NAME-config, the Secret before it where a password was asked for, and the table of nodes in NAME-state. */
export async function applyConfig(kube: KubePort, spec: ClusterSpec, { kube: facts }: Observation): Promise<void> {
  if (spec.auth) await makeSecret(kube, spec);
  const nodes = linesOf(facts, spec);
  await kube.apply(configMap(spec, oldRecord(facts, spec, nodes)));
  await keepState(kube, spec.cluster, facts, { nodes, configDigest: configDigest(renderedFiles(spec)) });
}

/** That the cluster was formed, which is never taken back; with the table, because from now on it is what an empty node asks by. */
export async function markFormed(kube: KubePort, spec: ClusterSpec, { kube: facts }: Observation): Promise<void> {
  const nodes = linesOf(facts, spec);
  await keepState(kube, spec.cluster, facts, { formed: true, nodes });
  const copy = oldRecord(facts, spec, nodes);
  if (copy !== null) await kube.apply(configMap(spec, { ...copy, formed: true }));
  await protectClaims(kube, spec.cluster);
}

/** For pods that know no other place; null = there are none, and NAME-config never held it. */
function oldRecord(facts: KubeFacts, spec: ClusterSpec, nodes: readonly NodeLine[]): OldRecord | null {
  return needsOldRecord(facts) ? { formed: recordOf(facts, spec.cluster).formed, nodes } : null;
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
  { kube, clock, signal }: SeenDeps,
  spec: ClusterSpec,
  facts: KubeFacts,
  ordinals: readonly number[],
): Promise<void> {
  if (spec.networkPolicy) await kube.apply(busPolicy(spec));
  const addresses = addressesOf(facts, spec);
  // A Service of an older version, or that an older manifest took back, lacks the port: nobody could dial it.
  const withSecondBus = new Set(
    facts.services.flatMap(({ name, ports }) => (ports.some(({ port }) => port === SECOND_BUS_PORT) ? [name] : [])),
  );
  const sets = ordinals.map((n) =>
    statefulSet(spec, n, {
      announceIp: addresses.get(n) ?? null,
      secondBus: withSecondBus.has(nodeName(spec.cluster.name, n)),
      shard: shardOf(spec, n),
      keepsSpec: true,
    }),
  );
  await untilSeen({ kube, clock, signal }, await applyAll(kube, sets));
}

interface SeenDeps {
  readonly kube: KubePort;
  readonly clock: Pick<Clock, 'now' | 'sleep'>;
  readonly signal: AbortSignal;
}

const SEEN_WITHIN_MS = 5_000;

/**
 * Until the controller has seen the templates (status.observedGeneration): a pod that is replaced before would be made from the one before,
 * and which pods are of an older one is not known either. A set that is new has no pod; a controller that is away is waited for by others.
 */
async function untilSeen({ kube, clock, signal }: SeenDeps, sets: readonly KubeObject[]): Promise<void> {
  const end = clock.now() + SEEN_WITHIN_MS;
  for (const set of sets) {
    const { metadata } = set;
    let now: KubeObject | null = set;
    while (now !== null && isUnseen(now) && clock.now() < end) {
      await clock.sleep(100, signal);
      now = await kube.get('apps/v1', 'StatefulSet', metadata.name);
    }
  }
}

function isUnseen({ metadata, ...set }: KubeObject): boolean {
  const { observedGeneration } = (set['status'] ?? {}) as { readonly observedGeneration?: number };
  const { generation } = metadata as { readonly generation?: number };
  return observedGeneration !== undefined && generation !== undefined && observedGeneration < generation;
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

function applyAll(kube: KubePort, objects: readonly KubeObject[]): Promise<KubeObject[]> {
  return allOrFirstFailure(objects, APPLY_AT_ONCE, (object) => kube.apply(object));
}
