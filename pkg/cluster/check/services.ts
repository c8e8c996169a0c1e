/** Each node's own Service leads to its pod and to no other (I13). Selectors are compared, as endpoints follow from them. */
import { changedLabels, labelAgain } from '../evidence/changed-labels.ts';
import { NODE_LABEL } from '../model/labels.ts';
import { nodeServiceOf, selects } from '../interpret/services.ts';
import { isUnread, type KubeFacts, type PodFacts, type ServiceFacts } from '../model/observation.ts';
import type { Problem } from '../model/problem.ts';
import type { Check, CheckContext } from './context.ts';
import { listNames, makeProblem } from './wording.ts';

/** Before addresses are judged: what a Service leads to goes by this label. */
export const checkNodeLabels: Check = ({ state, observation }) =>
  changedLabels(observation.kube).map((changed) => {
    const { name, namespace } = state.cluster;
    const { pod, is, made } = changed;
    const has = is === null ? 'has no label name' : `has the label name=${is}`;
    const sentence = `${pod} ${has}, and its StatefulSet gives it name=${made}: other nodes reach it by an address that its next start does not have.`;
    const repair = `${labelAgain(changed, namespace)}, and so for each pod that is named here; then kubectl redis fix ${name}.`;
    return makeProblem('pod-label-changed', name, { sentence, nodes: [pod], repair });
  });

/** Whom this was said of: their addresses, and that they are missing, follow from it. */
export function relabelledPods(found: readonly Problem[]): ReadonlySet<string> {
  return new Set(found.flatMap(({ code, nodes }) => (code === 'pod-label-changed' ? nodes : [])));
}

export const checkServices: Check = (context, found) => {
  const { kube } = context.observation;
  if (context.state.origin !== 'ours' || isUnread(kube, 'services')) return [];
  const ofPods = kube.pods.flatMap((pod) => checkPod(context, pod));
  // A copy of a pod on the same claim is one fault, and its way out is that of the claim.
  const onOneClaim = found.filter(({ code }) => code === 'claim-shared').map(({ nodes }) => new Set(nodes));
  const isCopied = ({ nodes }: Problem): boolean => onOneClaim.some((pods) => nodes.every((pod) => pods.has(pod)));
  return [...ofPods, ...twoPods(context).filter((two) => !isCopied(two)), ...clientService(context)];
};

function checkPod(context: CheckContext, pod: PodFacts): Problem[] {
  const { kube } = context.observation;
  const cluster = context.state.cluster.name;
  const service = nodeServiceOf(pod, kube);
  const name = pod.labels[NODE_LABEL];
  if (name === undefined) return [];
  if (service === undefined) {
    const sentence = `Service ${name} is missing: the address that ${pod.name} announces leads nowhere.`;
    const announced = context.state.nodes.find((node) => node.pod === pod)?.announced ?? null;
    const address =
      announced === null ? 'the ClusterIP in its template' : `clusterIP ${announced.replace(/:\d+$/, '')}`;
    const repair = `Make Service ${name} again with ${address}, and ports and selector as those of the other nodes.`;
    return [
      makeProblem('service-missing', cluster, { subject: `Service/${name}`, sentence, nodes: [pod.name], repair }),
    ];
  }
  const faults = [
    ...(selects(service.selector, pod.labels) ? [] : [`its selector does not pick ${pod.name}`]),
    ...faultsOf(service),
  ];
  if (faults.length === 0) return [];
  const sentence = `Service ${name} does not lead to ${pod.name} as it must: ${listNames(faults)}.`;
  return [makeProblem('service-wrong', cluster, { subject: `Service/${name}`, sentence, nodes: [pod.name] })];
}

function faultsOf(service: ServiceFacts): string[] {
  const faults: string[] = [];
  if (!service.publishNotReadyAddresses)
    faults.push('publishNotReadyAddresses is false, so a node that starts cannot be reached');
  for (const port of ['tcp-redis', 'tcp-bus'])
    if (!service.ports.some((one) => one.name === port)) faults.push(`port ${port} is missing`);
  return faults;
}

/** A finished pod has no endpoint; a Terminating one has. */
function picked(service: ServiceFacts, kube: KubeFacts): string[] {
  return kube.pods
    .filter((pod) => pod.phase !== 'Succeeded' && pod.phase !== 'Failed' && selects(service.selector, pod.labels))
    .map((pod) => pod.name);
}

function twoPods(context: CheckContext): Problem[] {
  const { kube } = context.observation;
  const names = new Set(kube.pods.map((pod) => pod.labels[NODE_LABEL]));
  return kube.services
    .filter((service) => names.has(service.name) && service.name !== context.state.cluster.name)
    .flatMap((service) => {
      const pods = picked(service, kube);
      if (pods.length < 2) return [];
      const sentence = `Service ${service.name} leads to ${listNames(pods)}: two nodes behind one address.`;
      const subject = `Service/${service.name}`;
      return [makeProblem('service-two-pods', context.state.cluster.name, { subject, sentence, nodes: pods })];
    });
}

function clientService(context: CheckContext): Problem[] {
  const { kube } = context.observation;
  const { name } = context.state.cluster;
  const service = kube.services.find((one) => one.name === name);
  if (service === undefined) return [];
  const pods = picked(service, kube);
  const left = kube.pods.filter((pod) => !pods.includes(pod.name) && pod.phase === 'Running').map((pod) => pod.name);
  if (left.length === 0) return [];
  const sentence = `Service ${name}, the clients' entry, does not pick ${listNames(left)}.`;
  return [makeProblem('service-wrong', name, { subject: `Service/${name}`, sentence, nodes: left })];
}
