/**
 * Which N a pod gets. Two pods must never answer at one address, so N is taken on the node's Service by compare-and-swap:
 * the Service carries who took it and when (`claim`), until a pod of that claim is seen.
 *
 * | # | N                                                                  | answer                              |
 * |---|--------------------------------------------------------------------|-------------------------------------|
 * | 1 | a pod of that node is there, Terminating included                  | refused `name-taken`                |
 * | 2 | another admission took it less than a minute ago                   | refused `name-claimed`              |
 * | 3 | nothing says which: the lowest without 1 and 2; where the cluster  | else refused `no-free-number`       |
 * |   | was formed, only one of its nodes                                  |                                     |
 * | 4 | the cluster was formed, the table has no line for N, and there is  | refused `pod-beyond`                |
 * |   | no Service NAME-N                                                  |                                     |
 * | 5 | Service NAME-N is there and can't be a node's address              | refused `service-unfit`             |
 * |   | else                                                               | claim it: the Service is made or written |
 *
 * A Service without a line lets N in: an older record that was put back must keep no node away from its data.
 *
 * Whoever is refused is tried again by its controller; nothing is ever taken from anybody.
 */
import { POD_NAME_LABEL } from '../../cluster/model/labels.ts';
import { whyUnfit } from '../../cluster/model/node-service.ts';
import { nodeName } from '../../cluster/model/spec.ts';
import { refusal } from '../../errors.ts';
import type { NumberSource } from './examine.ts';
import type { StringMap } from './pod-json.ts';

/** An API server answers a request within a minute, so a claim without a pod after that has come to nothing. */
export const CLAIM_MS = 60_000;

export interface SeenPod {
  readonly name: string;
  /** Its label `name`. */
  readonly node: string | undefined;
  /** Its annotation `claim`. */
  readonly claim: string | undefined;
  readonly terminating: boolean;
}

export interface SeenService {
  readonly name: string;
  readonly clusterIP: string | undefined;
  readonly type: string | undefined;
  readonly selector: StringMap;
  readonly ports: readonly number[];
  readonly publishNotReady: boolean;
  readonly claim: string | undefined;
}

export interface IdentityFacts {
  readonly cluster: string;
  readonly pods: readonly SeenPod[];
  readonly services: readonly SeenService[];
  /** Ns of the cluster's nodes where it was formed; null before. */
  readonly formedNodes: readonly number[] | null;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Who asks: the pod's name where it has one, else the id of the review. */
  readonly claimant: string;
}

/** @throws AppError refused */
export function chooseNumber(source: NumberSource, facts: IdentityFacts): number {
  if (source.kind === 'any') return lowestFree(facts);
  const taken = whyTaken(source.ordinal, facts);
  if (taken !== null) throw refusal(taken.code, taken.sentence, taken.hint);
  refuseBeyond(source.ordinal, facts);
  return source.ordinal;
}

/** A StatefulSet that was scaled up by hand: its pod would get an address and a line in the table, and join nobody. */
function refuseBeyond(ordinal: number, { cluster, formedNodes, services }: IdentityFacts): void {
  const node = nodeName(cluster, ordinal);
  if (formedNodes === null || formedNodes.includes(ordinal) || services.some(({ name }) => name === node)) return;
  throw refusal(
    'pod-beyond',
    `${node} is no node of ${cluster}, which was formed with ${formedNodes.length} nodes and without it`,
    `Scale its workload back to the number of nodes that ${cluster} has`,
  );
}

function lowestFree(facts: IdentityFacts): number {
  const { cluster, formedNodes } = facts;
  const numbers =
    formedNodes ?? Array.from({ length: facts.pods.length + facts.services.length + 1 }, (_, at) => at + 1);
  const free = [...numbers].sort((a, b) => a - b).find((ordinal) => whyTaken(ordinal, facts) === null);
  if (free !== undefined) return free;
  throw refusal(
    'no-free-number',
    `${cluster} has ${numbers.length} nodes, and each has its pod (one that is being deleted counts until it is gone)`,
    BY_ITSELF,
  );
}

interface Taken {
  readonly code: string;
  readonly sentence: string;
  readonly hint: string;
}

const BY_ITSELF = 'Its controller tries again by itself';

function whyTaken(ordinal: number, facts: IdentityFacts): Taken | null {
  const node = nodeName(facts.cluster, ordinal);
  const pod = facts.pods.find((other) => other.node === node);
  if (pod !== undefined) {
    const state = pod.terminating ? ', which is being deleted' : '';
    return {
      code: 'name-taken',
      sentence: `node ${node} is pod ${pod.name}${state}: two pods must never answer at its address`,
      // Of a StatefulSet the successor has the name of its predecessor: another one is of another workload.
      hint:
        pod.terminating || pod.name === facts.claimant
          ? BY_ITSELF
          : 'Two workloads number their pods alike: give one of them spec.ordinals.start, or its pods labels name of their own',
    };
  }
  const claim = readClaim(facts.services.find(({ name }) => name === node)?.claim);
  if (claim === null || claim.claimant === facts.claimant || facts.now - claim.at >= CLAIM_MS) return null;
  if (facts.pods.some((other) => other.claim === claim.text)) return null;
  return {
    code: 'name-claimed',
    sentence: `node ${node} was given to another pod ${Math.max(0, Math.round((facts.now - claim.at) / 1000))} s ago`,
    hint: BY_ITSELF,
  };
}

/** Claims whose pod is there: they have served their purpose, and would only delay that pod's successor. */
export function settledClaims(facts: IdentityFacts): string[] {
  const seen = new Set(facts.pods.map(({ claim }) => claim));
  return facts.services
    .filter(({ claim }) => claim !== undefined && claim !== '' && seen.has(claim))
    .map(({ name }) => name);
}

export function renderClaim(claimant: string, now: number): string {
  return `${claimant} ${new Date(now).toISOString()}`;
}

function readClaim(text: string | undefined): { claimant: string; at: number; text: string } | null {
  const [claimant = '', time = ''] = (text ?? '').split(' ');
  const at = Date.parse(time);
  return text === undefined || Number.isNaN(at) ? null : { claimant, at, text };
}

/**
 * Whether a Service that people made can be the address of a pod with these labels.
 * @returns what to warn of
 * @throws AppError refused `service-unfit`
 */
export function checkService(service: SeenService, labels: StringMap, podName: string | undefined): string[] {
  const unfit = whyUnfit(service, { ...labels, ...(podName === undefined ? {} : { [POD_NAME_LABEL]: podName }) });
  if (unfit !== null)
    throw refusal('service-unfit', `Service ${service.name} can't be the node's address: ${unfit.why}`, unfit.hint);
  if (service.publishNotReady) return [];
  return [
    `Service ${service.name} has no publishNotReadyAddresses: a node that is not ready can't be reached, and joins late`,
  ];
}
