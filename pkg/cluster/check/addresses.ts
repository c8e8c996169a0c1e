/**
 * Every node is known at an address that leads to it (I6). Ours: the ClusterIP of its own Service, nothing else. Foreign: any
 * address that can be its own; an address that we cannot place counts as wrong only where it does not work.
 */
import { addressesOfPod } from '../interpret/identity.ts';
import { nodeServiceOf } from '../interpret/services.ts';
import { compareNatural } from '../natural-order.ts';
import type { GossipNode } from '../model/observation.ts';
import type { Problem } from '../model/problem.ts';
import type { ClusterNode } from '../model/state.ts';
import { announcesAnother } from './announce.ts';
import type { Check, CheckContext } from './context.ts';
import { relabelledPods } from './services.ts';
import { count, listNames, makeProblem } from './wording.ts';

interface Sighting {
  readonly viewer: string;
  readonly line: GossipNode;
}

export const checkAddresses: Check = (context, found) => {
  // Their addresses are right by a label that is wrong, or the other way round.
  const relabelled = relabelledPods(found);
  const sightings = sightingsById(context);
  const out: Problem[] = [];
  const stale: { node: ClusterNode; ips: string[] }[] = [];
  for (const [nodeId, seen] of sightings) {
    const node = context.byId.get(nodeId);
    if (node === undefined || node.pod === null || relabelled.has(node.pod.name)) continue;
    const blind = seen.filter(({ line }) => line.ip === '' || line.flags.includes('noaddr'));
    if (blind.length > 0) out.push(addressUnknown(context, node, blind));
    const isWrong = judgeOf(context, node);
    const wrong = seen.filter(({ line }) => line.ip !== '' && isWrong(line));
    if (wrong.length > 0) stale.push({ node, ips: [...new Set(wrong.map(({ line }) => line.ip))] });
  }
  return [...out, ...mismatches(context, stale), ...podIps(context, stale)];
};

/** What the others say of each id. */
function sightingsById(context: CheckContext): Map<string, Sighting[]> {
  const out = new Map<string, Sighting[]>();
  for (const { nodeId, pod, answer } of context.answered) {
    for (const line of answer.view) {
      if (line.nodeId === nodeId || line.flags.includes('handshake')) continue;
      const list = out.get(line.nodeId) ?? [];
      out.set(line.nodeId, list);
      list.push({ viewer: pod, line });
    }
  }
  return out;
}

/** Made once a node: there are as many lines about it as nodes. */
function judgeOf(context: CheckContext, node: ClusterNode): (line: GossipNode) => boolean {
  const { kube } = context.observation;
  const { pod } = node;
  if (pod === null) return () => false;
  const service = context.state.origin === 'ours' ? nodeServiceOf(pod, kube) : undefined;
  if (service !== undefined) return (line) => line.ip !== service.clusterIP;
  const own = new Set(addressesOfPod(pod, kube));
  return (line) => !line.linkUp && node.reply?.kind === 'answered' && !own.has(line.ip);
}

function addressUnknown(context: CheckContext, node: ClusterNode, blind: readonly Sighting[]): Problem {
  const name = context.nameOf(node);
  const viewers = blind.map((one) => one.viewer);
  const ip = node.pod === null ? '' : (addressesOfPod(node.pod, context.observation.kube)[0] ?? '');
  const sentence = `${listNames(viewers)} ${viewers.length === 1 ? 'does' : 'do'} not know the address of ${name}.`;
  const repair = `${context.redisCli(viewers[0] ?? name, `CLUSTER MEET ${ip} ${node.pod?.port ?? 6379}`)}; check first that ${name} answers there.`;
  return makeProblem('address-unknown', context.state.cluster.name, { sentence, nodes: [name, ...viewers], repair });
}

function mismatches(context: CheckContext, stale: readonly { node: ClusterNode; ips: string[] }[]): Problem[] {
  if (stale.length === 0) return [];
  const { kube } = context.observation;
  const names = stale.map(({ node }) => context.nameOf(node)).sort(compareNatural);
  const own = (node: ClusterNode): string =>
    node.pod === null ? '' : (addressesOfPod(node.pod, kube)[0] ?? 'unknown');
  const each = stale
    .toSorted((a, b) => compareNatural(context.nameOf(a.node), context.nameOf(b.node)))
    .map(({ node, ips }) => `${context.nameOf(node)} at ${ips.join(' and ')} instead of ${own(node)}`);
  const sentence = `${count(stale.length, 'node')} ${stale.length === 1 ? 'is known at an address that is not its own' : 'are known at addresses that are not their own'}: ${listNames(each, 3)}.`;
  const [first] = stale;
  const repair =
    context.state.origin === 'ours' && first !== undefined
      ? `${context.redisCli(context.nameOf(first.node), `CONFIG SET cluster-announce-ip ${own(first.node)}`)}${stale.length === 1 ? '' : ', and so on each of them'}; then put it into the template of its StatefulSet, too.`
      : 'On each replica CLUSTER MEET the pod IP of its primary, then on one node CLUSTER MEET the pod IPs of all others, after comparing CLUSTER MYID of each.';
  return [makeProblem('address-mismatch', context.state.cluster.name, { sentence, nodes: names, repair })];
}

/** One remark for the whole cluster; nothing is wrong as long as pods restart one by one. */
function podIps(context: CheckContext, stale: readonly { node: ClusterNode }[]): Problem[] {
  const wrong = new Set(stale.map((one) => one.node));
  const services = new Set(context.observation.kube.services.map((service) => service.clusterIP));
  const names = context.answered
    .filter(({ node, nodeId }) => {
      const address = context.gossip.addresses.get(nodeId);
      const ip = node.gossip === null ? '' : (context.gossip.majorityLines.get(nodeId)?.ip ?? node.gossip.ip);
      if (announcesAnother(context, node)) return false;
      return address !== '' && ip !== '' && ip === node.pod?.ip && !services.has(ip) && !wrong.has(node);
    })
    .map((one) => one.pod);
  if (names.length === 0) return [];
  const who =
    names.length === context.answered.length
      ? `All ${names.length} nodes announce their pod IPs`
      : `${listNames(names)} announce${names.length === 1 ? 's' : ''} pod IPs`;
  const sentence = `${who}: a restart of all pods at once would not heal by itself.`;
  return [makeProblem('pod-ip-announced', context.state.cluster.name, { sentence, nodes: names })];
}
