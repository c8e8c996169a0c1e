/**
 * Asks Kubernetes once and every node once, side by side. A node that does not answer is a row that says why; it never
 * aborts the view nor delays it beyond the deadline.
 */
import type { ClusterRef, KubeFacts, NodeReply, Observation, PodFacts } from '../cluster/model/observation.ts';
import type { TroubleFacts } from '../cluster/model/reasons.ts';
import { AppError, EXIT } from '../errors.ts';
import { explainDisks, explainPods, type Explainer } from './explain.ts';
import { type Clock, type FactsPart, type KubePort, type RedisPort } from './ports.ts';

/** Lines of a log in which a waiting guard says what it waits for. */
const GUARD_LINES = 20;

export interface ObservePorts {
  readonly kube: KubePort;
  readonly redis: RedisPort;
  readonly clock: Clock;
}

/** As much of them as observing takes. */
export interface ReadPorts {
  readonly kube: Pick<KubePort, 'readFacts' | 'logTail'>;
  readonly redis: Pick<RedisPort, 'ask'>;
  readonly clock: Clock;
}

export interface ObserveOptions {
  /** For each node, from when its turn comes. */
  readonly deadlineMs: number;
  readonly withConfig?: boolean;
  readonly countKeys?: boolean;
  readonly signal?: AbortSignal;
  /** Also say why a few pods are not ready, as far as that is known within the deadline. */
  readonly explain?: Explainer;
}

type Replies = Observation['replies'];

/**
 * The nodes are asked as soon as the pods are known, while Kubernetes tells the rest.
 * @throws AppError when Kubernetes can't be read; never because of a Redis node.
 */
export async function observe(
  ports: ReadPorts,
  cluster: ClusterRef,
  options: ObserveOptions & { readonly leaveOut?: readonly FactsPart[] },
): Promise<Observation> {
  let asked: Promise<Asked> | null = null;
  const onPods = (pods: readonly PodFacts[]): void => {
    asked = askAndExplain(ports, pods, options);
    // Heard below, unless Kubernetes fails first.
    asked.catch(() => undefined);
  };
  const kube = await ports.kube.readFacts(cluster, options.signal, { leaveOut: options.leaveOut ?? [], onPods });
  const { replies, troubles } = await (asked ?? askAndExplain(ports, kube.pods, options));
  const { explain, deadlineMs } = options;
  const more = explain === undefined ? {} : await explainDisks(explain, kube, replies, troubles, deadlineMs);
  return observation(ports, cluster, { ...kube, ...more }, replies);
}

/**
 * As `observe`, for who is going to change something: what may not be read is not taken for what is not there.
 *
 * @throws AppError `forbidden`, too
 */
export async function observeToChange(
  ports: ReadPorts,
  cluster: ClusterRef,
  options: ObserveOptions,
): Promise<Observation> {
  const seen = await observe(ports, cluster, options);
  const blind = seen.kube.gaps.find((gap) => !HIDE_NOTHING.has(gap.what));
  if (blind === undefined) return seen;
  throw new AppError(
    `The ${blind.what} of ${cluster.name} can't be read: what is not seen may be there, so nothing is changed`,
    {
      code: 'forbidden',
      exitCode: EXIT.refused,
      cause: new Error(blind.why),
      hint: `Ask the cluster's administrator for the right to get and list ${blind.what} in this namespace`,
    },
  );
}

/** Hosts, and a Lease without which nothing is run, but a plan can be shown. */
const HIDE_NOTHING: ReadonlySet<string> = new Set(['nodes', 'leases']);

interface Asked {
  readonly replies: Replies;
  readonly troubles: readonly TroubleFacts[];
}

/** Side by side, so that an explanation costs no time of its own while a node is silent. */
async function askAndExplain(ports: ReadPorts, pods: readonly PodFacts[], options: ObserveOptions): Promise<Asked> {
  const { explain, deadlineMs } = options;
  const [replies, troubles] = await Promise.all([
    askPods(ports, pods, options),
    explain === undefined ? [] : explainPods(explain, pods, deadlineMs),
  ]);
  return { replies, troubles };
}

/** As `observe`, with facts that were read already. */
export async function observePods(
  ports: ReadPorts,
  cluster: ClusterRef,
  kube: KubeFacts,
  options: ObserveOptions,
): Promise<Observation> {
  return observation(ports, cluster, kube, await askPods(ports, kube.pods, options));
}

function observation(ports: ReadPorts, cluster: ClusterRef, kube: KubeFacts, replies: Replies): Observation {
  return { schema: 1, cluster, observedAt: new Date(ports.clock.now()).toISOString(), kube, replies };
}

function askPods(ports: ReadPorts, pods: readonly PodFacts[], options: ObserveOptions): Promise<Replies> {
  // How many at once, and whose turn it is, is the port's business: it knows who is silent.
  return Promise.all(pods.map(async (pod) => ({ pod: pod.name, reply: await askPod(ports, pod, options) })));
}

async function askPod(ports: ReadPorts, pod: PodFacts, options: ObserveOptions): Promise<NodeReply> {
  const notRunning = whyNotAsked(pod);
  if (notRunning !== null) return { kind: 'unreachable', why: 'not-running', detail: notRunning };
  const { deadlineMs, withConfig = false, countKeys = false } = options;
  const reply = await ports.redis.ask(pod, { deadlineMs, withConfig, countKeys });
  if (reply.kind === 'answered' || reply.why !== 'refused' || pod.ready) return reply;
  const waitsFor = await guardLine(ports.kube, pod);
  return waitsFor === null ? reply : { kind: 'unreachable', why: 'guard-waiting', detail: waitsFor };
}

/** null = worth asking. */
function whyNotAsked(pod: PodFacts): string | null {
  const { state, reason } = pod.container;
  if (pod.phase === 'Running' && state === 'running') return null;
  if (pod.host === null) return 'not scheduled yet';
  return reason ?? (state === 'unknown' ? `pod is ${pod.phase}` : `container is ${state}`);
}

/** A server that is not there while its guard is: the last line in which the guard says what it waits for. */
async function guardLine(kube: ReadPorts['kube'], pod: PodFacts): Promise<string | null> {
  const lines = await kube.logTail(pod.name, pod.container.name, GUARD_LINES);
  const last = lines.findLast((line) => line.startsWith('guard: waiting'));
  return last === undefined ? null : last.slice('guard:'.length).trim();
}
