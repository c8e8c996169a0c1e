/** Which node id belongs to a pod that did not answer: the one that gossip announces at the pod's address. */
import type { GossipNode, KubeFacts, PodFacts } from '../model/observation.ts';
import { isFailed } from './gossip.ts';
import type { Gossip } from './gossip.ts';
import { nodeServiceOf, selects } from './services.ts';

/** Addresses at which a pod may be announced, the likeliest first: its own Service, a Service only for it, its own IP. */
export function addressesOfPod(pod: PodFacts, kube: KubeFacts): string[] {
  const own = nodeServiceOf(pod, kube);
  const alone = kube.services.filter(
    (service) =>
      selects(service.selector, pod.labels) &&
      kube.pods.filter((one) => selects(service.selector, one.labels)).length === 1,
  );
  const services = own === undefined ? alone : [own, ...alone];
  const ips = [...services.map((service) => service.clusterIP), pod.ip];
  return [...new Set(ips)].filter((ip) => ip !== '' && ip !== 'None');
}

/** Pod name -> id, for all pods that have one: their own word, else gossip. An id is never given to two pods by gossip. */
export function identifyPods(kube: KubeFacts, gossip: Gossip): Map<string, string> {
  const out = new Map(gossip.answered.map(({ pod, answer }) => [pod, answer.myId]));
  const taken = new Set(out.values());
  const lines = [...gossip.majorityLines.values()].sort(byLikelihood);
  for (const pod of kube.pods) {
    if (out.has(pod.name)) continue;
    const line = findLine(
      pod,
      kube,
      lines.filter((one) => !taken.has(one.nodeId)),
    );
    if (line === undefined) continue;
    out.set(pod.name, line.nodeId);
    taken.add(line.nodeId);
  }
  return out;
}

/** Two ids at one address: the living one, then the newer one. */
function byLikelihood(a: GossipNode, b: GossipNode): number {
  return Number(isFailed(a)) - Number(isFailed(b)) || b.slots.length - a.slots.length || b.configEpoch - a.configEpoch;
}

function findLine(pod: PodFacts, kube: KubeFacts, lines: readonly GossipNode[]): GossipNode | undefined {
  for (const ip of addressesOfPod(pod, kube)) {
    const atIp = lines.filter((line) => line.ip === ip);
    const found = atIp.find((line) => line.port === pod.port) ?? atIp[0];
    if (found !== undefined) return found;
  }
  // Announced host names start with the pod's name where they come from a headless Service.
  return lines.find((line) => line.hostname?.split('.')[0] === pod.name);
}
