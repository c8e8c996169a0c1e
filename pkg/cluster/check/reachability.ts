/** Nodes that were not heard: one problem for each root cause, the pods on a dead host together. */
import { goesWithPod, readsLog } from '../evidence/persistence.ts';
import { sharedClaims } from '../evidence/shared-claims.ts';
import { INJECTED_ANNOTATION } from '../model/labels.ts';
import { isUnread, type PodFacts, type UnreachableReason } from '../model/observation.ts';
import { recordOf } from '../model/record.ts';
import type { Problem } from '../model/problem.ts';
import type { ClusterNode } from '../model/state.ts';
import { readGuard, refusedStart } from '../wire/guard.ts';
import { podsBeyond } from '../interpret/injected.ts';
import type { Code } from './codes.ts';
import type { Check, CheckContext } from './context.ts';
import { loginRepair } from './logins.ts';
import { bringsBackMissing } from './pods.ts';
import { wayOutOfShared } from './shared-claim.ts';
import { isStopped } from './stopped.ts';
import { wayOfRefused } from './refused-start.ts';
import { wayBack } from './way-back.ts';
import { count, listNames, makeProblem, slotsText } from './wording.ts';

const CODE_OF: Readonly<Record<UnreachableReason, Code>> = {
  'no-pod': 'pod-missing',
  'not-running': 'pod-not-running',
  'guard-waiting': 'guard-waiting',
  tunnel: 'tunnel-broken',
  refused: 'node-unreachable',
  timeout: 'node-unreachable',
  auth: 'password-refused',
  permission: 'permission-missing',
  loading: 'node-loading',
  'not-cluster': 'cluster-mode-off',
  error: 'node-unreachable',
};

/** What all pods have in common may have a repair of its own; the way to them is the cause of the rest. */
const SILENT_TOGETHER: Partial<Record<Code, string>> = {
  'password-refused': 'accepts the password',
  'permission-missing': 'may be asked',
  'cluster-mode-off': 'is in cluster mode',
};

function commonCode(silent: readonly ClusterNode[]): Code {
  const codes = new Set(silent.map((node) => CODE_OF[node.unreachable?.why ?? 'error']));
  const [code] = codes;
  return codes.size === 1 && code !== undefined && code in SILENT_TOGETHER ? code : 'cannot-ask';
}

/** Not one answer: one problem, whatever the reasons. Nothing else can be said about the cluster then. */
export const checkSilence: Check = (context) => {
  const { state } = context;
  if (context.answered.length > 0) return [];
  if (isStopped(state, context.observation.kube)) return [stopped(context)];
  const silent = state.nodes.filter((node) => node.unreachable !== null);
  const names = silent.map(context.nameOf);
  const cluster = state.cluster.name;
  const why = listNames(
    silent.map((node) => `${context.nameOf(node)}: ${reasonFor(context, node)}`),
    3,
  );
  const certain = silent.every((node) => context.isDown(node));
  if (!certain) {
    const code = commonCode(silent);
    const sentence = `None of the ${count(silent.length, 'pod')} of ${cluster} ${SILENT_TOGETHER[code] ?? 'could be asked'} (${why}).`;
    const [first] = silent;
    const repair = code === 'cannot-ask' || first === undefined ? null : loginRepair(context, first);
    return [makeProblem(code, cluster, { sentence, nodes: names, ...(repair === null ? {} : { repair }) })];
  }
  if (!state.formed && state.origin === 'ours') return [];
  const sentence =
    silent.length === 0
      ? `${cluster} has no pods; no data is served.`
      : `None of the ${count(silent.length, 'pod')} of ${cluster} runs (${why}); no data is served.`;
  return [makeProblem('cluster-down', cluster, { sentence, nodes: names })];
};

function stopped(context: CheckContext): Problem {
  const { state, observation, kubectl } = context;
  const { name } = state.cluster;
  const { statefulSets, claims } = observation.kube;
  const volumes = claims.length === 0 ? 'no volume is left' : `its data is kept on ${count(claims.length, 'volume')}`;
  const sentence =
    statefulSets.length === 0
      ? `${name} was deleted; ${volumes}.`
      : `${name} sleeps: its StatefulSets are scaled to zero; ${volumes}.`;
  const isGone =
    statefulSets.length === 0 && claims.length === 0 && !isUnread(observation.kube, 'persistentvolumeclaims');
  if (isGone) {
    const repair = `Nothing is left to start it with, unless a PersistentVolume was retained. kubectl redis delete ${name} --purge-data removes what is left of it.`;
    return makeProblem('stopped', name, { sentence, repair });
  }
  const wake = kubectl(`scale statefulset -l kubectl-redis.io/cluster=${name} --replicas=1`);
  const config = recordOf(observation.kube, state.cluster).spec?.config ?? null;
  const keys =
    readsLog({ config }) === false
      ? 'what its servers saved last (appendonly no is recorded)'
      : 'the keys on its volumes';
  const repair = `kubectl redis create ${name} starts it again with ${keys}${statefulSets.length === 0 ? '' : `, and so does ${wake}`}.`;
  return makeProblem('stopped', name, { sentence, repair });
}

/** Runs right after checkSilence: whatever that found is about all pods. */
export const checkReachability: Check = (context, found) => {
  if (found.length > 0) return [];
  const beyond = new Set(podsBeyond(context.state, context.observation.kube).map(({ pod }) => pod));
  const silent = context.state.nodes.filter(
    (node) => node.pod !== null && node.unreachable !== null && !beyond.has(node.pod.name),
  );
  // Of one that was forgotten, the replica that still remembers it is the problem.
  const owns = (node: ClusterNode): boolean => node.slots.length > 0 && !context.forgotten.has(node.nodeId ?? '');
  const down = silent.filter((node) => owns(node) && context.isDown(node));
  const rest = silent.filter((node) => !down.includes(node));
  const lost = context.missing.flatMap(({ pod, node, scaledDown }) =>
    node !== null && owns(node)
      ? [
          {
            pod,
            node,
            reason: scaledDown === null ? 'its pod is missing' : `its StatefulSet is scaled to ${scaledDown.has}`,
          },
        ]
      : [],
  );
  return [
    ...down.map((node) => primaryDown(context, node, context.nameOf(node), reasonFor(context, node))),
    ...lost.map(({ pod, node, reason }) => primaryDown(context, node, pod, reason)),
    ...onDeadHosts(context, rest),
    ...rest.filter((node) => !isOnDeadHost(context, node)).map((node) => silentNode(context, node)),
  ];
};

function primaryDown(context: CheckContext, node: ClusterNode, name: string, reason: string): Problem {
  const { cluster } = context.state;
  const refused = refusedStart(node.unreachable);
  const wayOut = refused === null ? '' : ` ${wayOfRefused(context, node, refused)}`;
  const repair = `${repairOfPrimary(context, name, node)}${wayOut}`;
  const sentence = `${name}, a primary, is down (${reason}): ${slotsText(node.slots)} ${isOne(node) ? 'is' : 'are'} not served.`;
  return makeProblem('primary-down', cluster.name, { sentence, nodes: [name], slots: node.slots, repair });
}

function repairOfPrimary(context: CheckContext, name: string, primary: ClusterNode): string {
  const { evidence } = context;
  const missing = context.missing.filter(({ pod }) => pod === name);
  const way = missing.length > 0 ? bringsBackMissing(context, missing) : context.kubectl(`describe pod ${name}`);
  const withKeys = readGuard(primary.unreachable)?.startWithKeys ?? null;
  const back = `Bring ${name} back with its volume (${withKeys ?? way})`;
  const succession = evidence.successionOf(primary);
  const { best } = succession;
  if (best?.member == null) return `${back}; no replica of it answers. Never assign its slots to others.`;
  const { pod } = best.member;
  if (evidence.majority.is === 'gone') return `${back}; ${pod} cannot be elected without a majority of primaries.`;
  const loss = evidence.lossOf(succession, best);
  if (loss !== null) return `${back} first: ${pod} in its place would lose ${loss.sentence}.`;
  return `${pod} takes over by itself within seconds. If it does not, and ${name} is dead for certain: ${context.redisCli(pod, 'CLUSTER FAILOVER FORCE')}`;
}

function isOne(node: ClusterNode): boolean {
  return node.slots.length === 1 && node.slots[0]?.start === node.slots[0]?.end;
}

function isOnDeadHost(context: CheckContext, node: ClusterNode): boolean {
  return context.observation.kube.hosts.some((host) => host.name === node.host && !host.ready);
}

function onDeadHosts(context: CheckContext, silent: readonly ClusterNode[]): Problem[] {
  const { cluster } = context.state;
  return context.observation.kube.hosts.flatMap((host) => {
    const nodes = silent.filter((node) => node.host === host.name).map(context.nameOf);
    if (host.ready || nodes.length === 0) return [];
    const sentence = `Host ${host.name} is not ready; ${listNames(nodes)} on it ${nodes.length === 1 ? 'does' : 'do'} not answer.`;
    return [makeProblem('host-not-ready', cluster.name, { sentence, nodes })];
  });
}

function silentNode(context: CheckContext, node: ClusterNode): Problem {
  const { cluster } = context.state;
  const name = context.nameOf(node);
  const code = codeFor(context, node);
  const claims = context.kubectl(`describe pvc ${unboundClaims(context, node.pod).join(' ')}`);
  const repairs: Partial<Record<Code, string>> = {
    'pod-not-running': `${context.kubectl(`describe pod ${name}`)} says why.`,
    'start-refused': wayOfRefused(context, node, refusedStart(node.unreachable) ?? 'unknown'),
    'guard-waiting': repairOfWaiting(context, name),
    'claim-unbound': `${claims} says what the claim waits for.`,
    'node-unreachable': `${context.kubectl(`logs ${name}`)}; kubectl redis nodes shows whether its peers see it.`,
  };
  const known =
    code === 'pod-not-running' ? wayBack(context, node) : (loginRepair(context, node) ?? toInject(context, node));
  const repair = known ?? repairs[code];
  const sentence = `${name}${roleText(node)} ${verbFor(code)} (${reasonFor(context, node)})${seenBy(context, node)}.`;
  return makeProblem(code, cluster.name, { sentence, nodes: [name], ...(repair === undefined ? {} : { repair }) });
}

/** Another pod on its volume does not end: then it waits for ever. */
function repairOfWaiting(context: CheckContext, name: string): string {
  const shared = sharedClaims(context.state).find(({ pods }) => pods.some((pod) => pod.name === name));
  if (shared !== undefined) return `${wayOutOfShared(context, shared)}.`;
  return `Mostly none: it starts by itself. ${context.kubectl(`logs ${name}`)} says what it waits for.`;
}

/** A pod of a cluster that is injected, which was made while nobody completed it; null = it is not. */
function toInject(
  { state, observation: { kube }, kubectl }: CheckContext,
  { pod, unreachable }: ClusterNode,
): string | null {
  if (pod === null || unreachable?.why !== 'not-cluster' || state.origin === 'ours') return null;
  const isInjected = recordOf(kube, state.cluster).nodes.length > 0;
  if (!isInjected || pod.annotations[INJECTED_ANNOTATION] !== undefined) return null;
  return `It was made without the webhook: kubectl redis webhook status says whether that is there; then ${kubectl(`delete pod ${pod.name}`)} has it made again${goesWithPod(pod) ? '; its data goes with the pod: save first what is needed of it' : ''}.`;
}

function codeFor(context: CheckContext, node: ClusterNode): Code {
  if (node.pod?.terminating === true) return 'pod-terminating';
  if (unboundClaims(context, node.pod).length > 0) return 'claim-unbound';
  return refusedStart(node.unreachable) === null ? CODE_OF[node.unreachable?.why ?? 'error'] : 'start-refused';
}

function verbFor(code: Code): string {
  const verbs: Partial<Record<Code, string>> = {
    'pod-terminating': 'is being deleted',
    'claim-unbound': 'waits for its volume',
    'pod-not-running': 'does not run',
    'guard-waiting': 'waits before it starts',
    'start-refused': 'must not start as it is',
    'tunnel-broken': 'could not be reached through the API server',
    'password-refused': 'refuses the password',
    'permission-missing': 'does not let itself be asked',
    'cluster-mode-off': 'is not in cluster mode',
    'node-loading': 'is loading its data',
    'pod-missing': 'has no pod',
  };
  return verbs[code] ?? 'does not answer';
}

function roleText(node: ClusterNode): string {
  return node.role === 'unknown' ? '' : `, a ${node.role},`;
}

/** An owner of slots that only we cannot reach goes on serving: say so. */
function seenBy(context: CheckContext, node: ClusterNode): string {
  return node.slots.length > 0 && !context.isDown(node)
    ? `; its peers see it and send ${slotsText(node.slots)} to it`
    : '';
}

function unboundClaims(context: CheckContext, pod: PodFacts | null): string[] {
  return context.observation.kube.claims
    .filter((claim) => claim.phase !== 'Bound' && pod?.claims.includes(claim.name) === true)
    .map((claim) => claim.name);
}

/** Why it was not heard, in a few words: what Kubernetes knows first, then what the attempt said. */
function reasonFor(context: CheckContext, node: ClusterNode): string {
  const { pod, unreachable } = node;
  const host = node.host ?? '';
  if (isOnDeadHost(context, node)) return `its host ${host} is not ready`;
  const claims = unboundClaims(context, pod);
  if (claims.length > 0) return `claim ${claims.join(', ')} is not bound`;
  if (pod !== null && pod.container.reason !== null)
    return context.troubleOf(pod.name)?.sentence ?? pod.container.reason;
  if (pod !== null && pod.phase !== 'Running') return pod.phase;
  return unreachable === null ? 'not asked' : unreachable.detail || unreachable.why;
}
