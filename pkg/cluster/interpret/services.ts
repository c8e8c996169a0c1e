/** Which Service is whose. */
import type { KubeFacts, PodFacts, ServiceFacts } from '../model/observation.ts';
import { NODE_LABEL } from '../model/labels.ts';

/** Whether a Service's selector picks an object with these labels; an empty selector picks nothing. */
export function selects(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  const keys = Object.keys(selector);
  return keys.length > 0 && keys.every((key) => labels[key] === selector[key]);
}

/** The pod's own Service: the one that is called like its label `name`. */
export function nodeServiceOf(pod: Pick<PodFacts, 'labels'>, kube: KubeFacts): ServiceFacts | undefined {
  const name = pod.labels[NODE_LABEL];
  return name === undefined ? undefined : kube.services.find((service) => service.name === name);
}
