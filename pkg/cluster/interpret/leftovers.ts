/** What is left of nodes that no pod is: the record may be older than they are, so it is not what tells them. Pure. */
import { compareNatural } from '../natural-order.ts';
import { NODE_LABEL } from '../model/labels.ts';
import type { ClusterRef, KubeFacts, ServiceFacts } from '../model/observation.ts';
import { nodeOfClaim, ordinalOfNode } from '../model/spec.ts';
import type { Leftover } from '../model/state.ts';
import { selects } from './services.ts';

/** Claims of the cluster that no pod of it mounts, and Services of nodes that lead to no pod; those of one node as one. */
export function findLeftovers({ name: cluster }: ClusterRef, kube: KubeFacts): Leftover[] {
  const mounted = new Set(kube.pods.flatMap(({ claims }) => claims));
  const services = new Map(kube.services.map((service) => [service.name, service]));
  const claims = kube.claims
    .filter(({ name }) => !mounted.has(name))
    .map(({ name: claim, setAside = false }): Leftover => {
      const node = nodeOfClaim(cluster, claim);
      const service = node === null ? undefined : services.get(node);
      return { node, claim, setAside, address: service === undefined ? null : addressOf(service, kube) };
    });
  const told = new Set(claims.map(({ node }) => node));
  const alone = kube.services
    .filter(({ name }) => ordinalOfNode(cluster, name) !== null && !told.has(name))
    .flatMap((service): Leftover[] => {
      const address = addressOf(service, kube);
      return address === null ? [] : [{ node: service.name, claim: null, setAside: false, address }];
    });
  return [...claims, ...alone].sort((a, b) => compareNatural(a.node ?? a.claim ?? '', b.node ?? b.claim ?? ''));
}

/** null where it is the address of a pod, or none. */
function addressOf({ name, clusterIP, selector }: ServiceFacts, { pods }: KubeFacts): string | null {
  if (clusterIP === '' || clusterIP === 'None') return null;
  const leads = pods.some((pod) => pod.labels[NODE_LABEL] === name || selects(selector, pod.labels));
  return leads ? null : clusterIP;
}
