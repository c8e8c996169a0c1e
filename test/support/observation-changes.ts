/**
 * Tools to change an Observation; the faults made with them are in observation-faults.ts.
 * A change is a function; `changed(healthyObservation(), one, two)` applies them in order.
 */
import type {
  GossipNode,
  KubeFacts,
  NodeAnswer,
  NodeReply,
  Observation,
  PodFacts,
  ServiceFacts,
} from '../../pkg/cluster/model/observation.ts';

import { nodeIdOf } from './observation-seats.ts';

export type Change = (observation: Observation) => Observation;

export function changed(observation: Observation, ...changes: readonly Change[]): Observation {
  return changes.reduce((sofar, change) => change(sofar), observation);
}

export function changeKube(change: (kube: KubeFacts) => KubeFacts): Change {
  return (observation) => ({ ...observation, kube: change(observation.kube) });
}

export function changePod(pod: string, change: (facts: PodFacts) => PodFacts): Change {
  return changeKube((kube) => ({ ...kube, pods: kube.pods.map((one) => (one.name === pod ? change(one) : one)) }));
}

export function changeService(name: string, change: (facts: ServiceFacts) => ServiceFacts): Change {
  return changeKube((kube) => ({
    ...kube,
    services: kube.services.map((one) => (one.name === name ? change(one) : one)),
  }));
}

export function changeReply(pod: string, change: (reply: NodeReply) => NodeReply): Change {
  return (observation) => ({
    ...observation,
    replies: observation.replies.map((one) => (one.pod === pod ? { pod, reply: change(one.reply) } : one)),
  });
}

/** Changes what a pod answered; a pod that did not answer stays as it is. */
export function changeAnswer(pod: string, change: (answer: NodeAnswer) => NodeAnswer): Change {
  return changeReply(pod, (reply) => (reply.kind === 'answered' ? { ...reply, answer: change(reply.answer) } : reply));
}

/** Changes lines of all views; `null` drops the line. `viewer` is the pod whose view it is. */
export function changeLines(change: (line: GossipNode, viewer: string) => GossipNode | null): Change {
  return (observation) =>
    changed(
      observation,
      ...observation.replies.map(({ pod }) =>
        changeAnswer(pod, (answer) => ({
          ...answer,
          view: answer.view.map((line) => change(line, pod)).filter((line) => line !== null),
        })),
      ),
    );
}

/** The node id that a pod answers with. */
export function idOf(observation: Observation, pod: string): string {
  const reply = observation.replies.find((one) => one.pod === pod)?.reply;
  if (reply?.kind === 'answered') return reply.answer.myId;
  // Of one that does not answer (any more), as the generator gave it.
  const [, ordinal, ours] = /-(\d+)(-0)?$/.exec(pod) ?? [];
  if (ordinal === undefined) throw new Error(`${pod} does not answer in this observation`);
  return nodeIdOf(Number(ordinal) + (ours === undefined ? 1 : 0));
}
