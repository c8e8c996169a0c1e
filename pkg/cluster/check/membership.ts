/** The ids that nodes know are the ids of the pods, once each (I5). */
import type { Problem } from '../model/problem.ts';
import { countSlots, unionRanges } from '../model/slots.ts';
import type { SlotRanges } from '../model/slots.ts';
import type { ClusterNode } from '../model/state.ts';
import { leftoverOf, wayBackOf } from '../evidence/leftovers.ts';
import type { Check, CheckContext } from './context.ts';
import { count, listNames, makeProblem, slotsText } from './wording.ts';

export const checkDuplicateIds: Check = ({ state, answered }) => {
  const pods = new Map<string, string[]>();
  for (const { nodeId, pod } of answered) pods.set(nodeId, [...(pods.get(nodeId) ?? []), pod]);
  return [...pods]
    .filter(([, names]) => names.length > 1)
    .map(([nodeId, names]) => {
      const sentence = `${listNames(names)} have one node id (${nodeId.slice(0, 8)}): a volume was cloned.`;
      return makeProblem('duplicate-node-id', state.cluster.name, { sentence, nodes: names });
    });
};

/** Pods that hold keys and do not know each other. Empty nodes that are not joined are `node-not-joined`. */
export const checkSplit: Check = ({ state, groups, nameOfId }) => {
  if (groups.others.length === 0) return [];
  const named = [groups.main, ...groups.others].map((ids) => ids.map(nameOfId));
  const sentence = `The pods belong to ${named.length} clusters that do not know each other: ${named.map((names) => listNames(names)).join('; ')}.`;
  return [makeProblem('clusters-split', state.cluster.name, { sentence, nodes: named.flat() })];
};

export const checkGhosts: Check = (context) => {
  const tied = new Set(context.missing.map((one) => one.node));
  const ghosts = context.state.nodes.filter((node) => node.pod === null && !tied.has(node));
  const gone = ghosts.filter((node) => context.evidence.lifeOf(node).kind === 'dead');
  // It may be that of a pod that was not heard and that no address tells apart.
  const nameless = context.state.nodes.some((node) => node.pod !== null && node.nodeId === null);
  const unsure = ghosts.filter((node) => !gone.includes(node));
  const failed = unsure.filter((node) => node.slots.length > 0 && context.isDown(node));
  const alive = nameless ? [] : unsure.filter((node) => !failed.includes(node));
  return [
    // What only its replica remembers is told of the replica (replica-orphaned).
    ...gone
      .filter((node) => node.slots.length > 0 && !context.forgotten.has(node.nodeId ?? ''))
      .map((node) => slotsWithoutNode(context, node)),
    ...failed.filter(({ nodeId }) => !context.forgotten.has(nodeId ?? '')).map((node) => ownerFailed(context, node)),
    ...oneProblem(context, 'unknown-node', alive),
    ...oneProblem(
      context,
      'ghost-node',
      gone.filter((node) => node.slots.length === 0),
    ),
  ];
};

function slotsWithoutNode(context: CheckContext, node: ClusterNode): Problem {
  const name = context.nameOf(node);
  const sentence = `${slotsText(node.slots)} belong${countSlots(node.slots) === 1 ? 's' : ''} to ${name} at ${node.announced ?? 'an unknown address'}, an id that no pod has.`;
  return makeProblem('slots-without-node', context.state.cluster.name, {
    sentence: sentence.charAt(0).toUpperCase() + sentence.slice(1),
    nodes: [name],
    slots: node.slots,
    repair: repairOfLost(context, name, node),
  });
}

/** Whichever pod it was, if any: nobody serves them. */
function ownerFailed(context: CheckContext, node: ClusterNode): Problem {
  const name = context.nameOf(node);
  const sentence = `${name} at ${node.announced ?? 'an unknown address'}, a primary, is down (no pod answers as this node): ${slotsText(node.slots)} ${countSlots(node.slots) === 1 ? 'is' : 'are'} not served.`;
  return makeProblem('primary-down', context.state.cluster.name, {
    sentence,
    nodes: [name],
    slots: node.slots,
    repair: repairOfLost(context, name, node),
  });
}

function repairOfLost(context: CheckContext, name: string, node: ClusterNode): string {
  const { evidence, state } = context;
  const succession = evidence.successionOf(node);
  const leftover = leftoverOf(state, node);
  const { best } = succession;
  if (best?.member == null && leftover !== null) return `No replica of ${name} answers. ${wayBackOf(state, leftover)}.`;
  if (best?.member == null)
    return `No replica of ${name} answers. If its volume still exists, bring the pod back with it; do not CLUSTER FORGET it before.`;
  const loss = evidence.lossOf(succession, best);
  if (loss !== null)
    return `If its volume still exists, bring the pod back with it: ${best.member.pod} in its place would lose ${loss.sentence}.`;
  return `${context.redisCli(best.member.pod, 'CLUSTER FAILOVER FORCE')} (it has ${best.keys ?? 'an unknown number of'} keys); only then CLUSTER FORGET ${node.nodeId ?? ''} on every node.`;
}

function oneProblem(
  context: CheckContext,
  code: 'unknown-node' | 'ghost-node',
  nodes: readonly ClusterNode[],
): Problem[] {
  if (nodes.length === 0) return [];
  const cluster = context.state.cluster.name;
  const names = nodes.map(context.nameOf);
  const slots = nodes.reduce<SlotRanges>((sofar, node) => unionRanges(sofar, node.slots), []);
  const places = nodes.map((node) => `${context.nameOf(node)} at ${node.announced ?? 'an unknown address'}`);
  const state = code === 'ghost-node' ? 'gone' : 'alive';
  const owns =
    slots.length === 0 ? '' : `; ${slotsText(slots)} ${nodes.length === 1 ? 'belong to it' : 'belong to them'}`;
  const sentence = `The cluster knows ${count(nodes.length, 'node')} that no pod has (${state}): ${listNames(places)}${owns}.`;
  const [id, which] = nodes.length === 1 ? [nodes[0]?.nodeId ?? '', 'that id'] : ['each of these ids', 'one of them'];
  const forget = `Where no pod can come back with ${which}: CLUSTER FORGET ${id} on every node within 60 seconds.`;
  const leftover = nodes.flatMap((node) => leftoverOf(context.state, node) ?? [])[0];
  const back = leftover === undefined ? undefined : `${wayBackOf(context.state, leftover)}.`;
  const repair = back ?? (code === 'ghost-node' ? forget : undefined);
  return [makeProblem(code, cluster, { sentence, nodes: names, slots, ...(repair === undefined ? {} : { repair }) })];
}

export const checkJoined: Check = ({ state, groups, nameOfId }) => {
  const names = [...groups.outside].map(nameOfId);
  if (names.length === 0) return [];
  const sentence = `${listNames(names)} ${names.length === 1 ? 'is' : 'are'} not part of the cluster: ${names.length === 1 ? 'it does' : 'they do'} not know the others.`;
  return [makeProblem('node-not-joined', state.cluster.name, { sentence, nodes: names })];
};

export const checkHandshakes: Check = ({ state, answered }) => {
  const pods = answered
    .filter(({ answer }) => answer.view.some((line) => line.flags.includes('handshake')))
    .map((one) => one.pod);
  if (pods.length === 0) return [];
  const sentence = `${listNames(pods)} ${pods.length === 1 ? 'is' : 'are'} in the middle of a handshake.`;
  return [makeProblem('handshake', state.cluster.name, { sentence, nodes: pods })];
};
