/**
 * Takes a number for a pod: reads what is there, decides (pkg/pod/inject/identity.ts), and writes the claim by
 * compare-and-swap. Lost a race, it looks again.
 *
 * In each try Services are read before pods. A claim that is there no more when its Service is read belongs to a pod that
 * is seen then, or to one that has gone; a claim that is settled later changes the Service, and the swap fails.
 */
import type { ClusterRef } from '../pkg/cluster/model/observation.ts';
import { CLUSTER_LABEL, MANAGED_BY_LABEL, NODE_LABEL } from '../pkg/cluster/model/labels.ts';
import { SECOND_BUS_PORT } from '../pkg/cluster/model/node-ports.ts';
import { nodeName } from '../pkg/cluster/model/spec.ts';
import type { Clock, KubeObject, KubePort } from '../pkg/engine/ports.ts';
import { isLostRace, untilWon } from '../pkg/engine/races.ts';
import { AppError } from '../pkg/errors.ts';
import { CLAIM_ANNOTATION } from '../pkg/pod/annotations.ts';
import { nodeLabels } from '../pkg/pod/labels.ts';
import type { NumberSource } from '../pkg/pod/inject/examine.ts';
import {
  checkService,
  chooseNumber,
  renderClaim,
  settledClaims,
  type IdentityFacts,
  type SeenPod,
  type SeenService,
} from '../pkg/pod/inject/identity.ts';
import { isObject, type Json, type StringMap } from '../pkg/pod/inject/pod-json.ts';
import { serviceOf } from '../pkg/pod/inject/record.ts';

export type IdentityKube = Pick<KubePort, 'get' | 'list' | 'create' | 'replace'>;

export interface IdentityRequest {
  readonly cluster: ClusterRef;
  readonly number: NumberSource;
  readonly claimant: string;
  readonly podName: string | null;
  /** Of the pod, before N is known. */
  readonly labels: StringMap;
  /** Ns of the cluster's nodes where it was formed; is read while Services and pods are. */
  readonly formedNodes: Promise<readonly number[] | null>;
  readonly dryRun: boolean;
}

export interface Identity {
  readonly ordinal: number;
  /** null only in a dry run whose Service is not there yet. */
  readonly address: string | null;
  /** Whether its Service has a second bus port. */
  readonly secondBus: boolean;
  readonly claim: string;
  readonly warnings: readonly string[];
}

const MAX_TRIES = 40;
/** Between two claims that are settled: this many times what one takes, and at most so long. */
const RESTS = 3;
const MAX_REST_MS = 500;
const RACES: ReadonlySet<string> = new Set(['conflict', 'already-exists', 'not-found']);

/** @throws AppError refused (see identity.ts), or of the API server */
export async function takeIdentity(
  kube: IdentityKube,
  clock: Pick<Clock, 'now'>,
  request: IdentityRequest,
): Promise<Identity> {
  return untilWon(MAX_TRIES, () => tryOnce(kube, clock, request), RACES);
}

async function tryOnce(kube: IdentityKube, clock: Pick<Clock, 'now'>, request: IdentityRequest): Promise<Identity> {
  const { cluster, number, claimant, dryRun } = request;
  const selector = `${CLUSTER_LABEL}=${cluster.name}`;
  // Whoever says which node it is wants no other, so nothing else is looked at.
  const named = number.kind === 'any' ? null : nodeName(cluster.name, number.ordinal);
  const services = new Map<string, KubeObject>();
  // Services that people made need not have our label.
  if (named !== null) await addService(kube, services, named);
  else for (const each of await kube.list('v1', 'Service', { selector })) services.set(each.metadata.name, each);
  // Who is refused will come again: claims that have served must not hold it up then. Else the settler sees to them, a moment later.
  const chosen = async (facts: IdentityFacts): Promise<number> => {
    try {
      return chooseNumber(number, facts);
    } catch (error) {
      if (!dryRun) await settle(kube, services, settledClaims(facts));
      throw error;
    }
  };
  const podSelector = named === null ? selector : `${selector},${NODE_LABEL}=${named}`;
  for (;;) {
    const pods = (await kube.list('v1', 'Pod', { selector: podSelector })).filter(isAlive).map(seenPod);
    const facts: IdentityFacts = {
      cluster: cluster.name,
      pods,
      services: [...services.values()].map(seenService),
      formedNodes: await request.formedNodes,
      now: clock.now(),
      claimant,
    };
    const ordinal = await chosen(facts);
    const node = nodeName(cluster.name, ordinal);
    // One without our label says something new, and pods are read after it; where there is none, whoever makes it wins.
    if (named !== null || services.has(node) || !(await addService(kube, services, node))) {
      return claim(kube, services.get(node) ?? null, ordinal, request, facts.now);
    }
  }
}

/** Whether there is one. */
async function addService(kube: IdentityKube, services: Map<string, KubeObject>, name: string): Promise<boolean> {
  if (services.has(name)) return true;
  const found = await kube.get('v1', 'Service', name);
  if (found !== null) services.set(name, found);
  return found !== null;
}

/** A pod that has ended for good answers at no address. */
function isAlive(pod: KubeObject): boolean {
  const phase = isObject(pod['status']) ? pod['status']['phase'] : undefined;
  return phase !== 'Succeeded' && phase !== 'Failed';
}

function seenPod({ metadata }: KubeObject): SeenPod {
  return {
    name: metadata.name,
    node: metadata.labels?.[NODE_LABEL],
    claim: metadata.annotations?.[CLAIM_ANNOTATION],
    terminating: metadata['deletionTimestamp'] !== undefined,
  };
}

function seenService({ metadata, spec }: KubeObject): SeenService {
  const { clusterIP, type, selector, ports, publishNotReadyAddresses } = (spec ?? {}) as {
    readonly clusterIP?: string;
    readonly type?: string;
    readonly selector?: StringMap;
    readonly ports?: readonly { readonly port?: number }[];
    readonly publishNotReadyAddresses?: boolean;
  };
  return {
    name: metadata.name,
    clusterIP,
    type,
    selector: selector ?? {},
    ports: (ports ?? []).flatMap(({ port }) => port ?? []),
    publishNotReady: publishNotReadyAddresses === true,
    claim: metadata.annotations?.[CLAIM_ANNOTATION],
  };
}

async function claim(
  kube: IdentityKube,
  service: KubeObject | null,
  ordinal: number,
  { cluster, claimant, dryRun, labels, podName }: IdentityRequest,
  now: number,
): Promise<Identity> {
  const text = renderClaim(claimant, now);
  const { [MANAGED_BY_LABEL]: _, ...added } = nodeLabels(cluster.name, ordinal);
  const podLabels = { ...added, ...labels };
  const warnings = service === null ? [] : checkService(seenService(service), podLabels, podName ?? undefined);
  if (dryRun) {
    const found = service === null ? { address: null, secondBus: true } : reachedBy(service);
    return { ordinal, ...found, claim: text, warnings };
  }
  const claimed =
    service === null
      ? await kube.create(withClaim(serviceOf(cluster, ordinal), text))
      : await kube.replace(withClaim(service, text));
  return { ordinal, ...reachedBy(claimed), claim: text, warnings };
}

function withClaim(service: KubeObject, text: string | null): KubeObject {
  const { [CLAIM_ANNOTATION]: _, ...annotations } = service.metadata.annotations ?? {};
  const claimed = text === null ? annotations : { ...annotations, [CLAIM_ANNOTATION]: text };
  return { ...service, metadata: { ...service.metadata, annotations: claimed } };
}

function reachedBy(service: KubeObject): Pick<Identity, 'secondBus'> & { readonly address: string } {
  return { address: addressOf(service), secondBus: seenService(service).ports.includes(SECOND_BUS_PORT) };
}

function addressOf(service: KubeObject): string {
  const { clusterIP } = (service['spec'] ?? {}) as Json;
  if (typeof clusterIP === 'string' && clusterIP !== '' && clusterIP !== 'None') return clusterIP;
  throw new AppError(`Service ${service.metadata.name} has no ClusterIP yet`, { code: 'no-address' });
}

/**
 * Looks which claims of a cluster have served, and takes them away.
 * @returns how many are still open
 * @throws AppError of the API server; the signal's reason when it aborts
 */
export async function settleClaims(
  kube: Pick<KubePort, 'get' | 'list' | 'replace'>,
  clock: Pick<Clock, 'now' | 'sleep'>,
  cluster: ClusterRef,
  signal?: AbortSignal,
): Promise<number> {
  const selector = `${CLUSTER_LABEL}=${cluster.name}`;
  const listed = await kube.list('v1', 'Service', { selector });
  const pods = (await kube.list('v1', 'Pod', { selector })).map(seenPod);
  const services = new Map(listed.map((each) => [each.metadata.name, each]));
  // Services that people made need not have our label.
  const others = pods.flatMap(({ node, claim }) => (node === undefined || claim === undefined ? [] : [node]));
  for (const name of others.filter((each) => !services.has(each))) {
    const found = await kube.get('v1', 'Service', name);
    if (found !== null) services.set(name, found);
  }
  const facts: IdentityFacts = {
    cluster: cluster.name,
    pods,
    services: [...services.values()].map(seenService),
    formedNodes: null,
    now: clock.now(),
    claimant: '',
  };
  let since = clock.now();
  await settle(kube, services, settledClaims(facts), async () => {
    // The busier the API server, the longer: admissions wait for it, and for this nobody does.
    await clock.sleep(Math.min(RESTS * Math.max(1, clock.now() - since), MAX_REST_MS), signal);
    since = clock.now();
  });
  return [...services.values()].filter(isClaimed).length;
}

function isClaimed({ metadata }: KubeObject): boolean {
  return (metadata.annotations?.[CLAIM_ANNOTATION] ?? '') !== '';
}

/** Whoever else changed the Service meanwhile has a reason; so nothing is tried twice. `rest`: after each. */
async function settle(
  kube: Pick<KubePort, 'replace'>,
  services: Map<string, KubeObject>,
  settled: readonly string[],
  rest: () => Promise<void> = async () => {},
): Promise<void> {
  for (const service of settled.flatMap((name) => services.get(name) ?? [])) {
    try {
      services.set(service.metadata.name, await kube.replace(withClaim(service, null)));
    } catch (error) {
      if (!isLostRace(error, RACES)) throw error;
    }
    await rest();
  }
}
