/** What a simulation changes: the answers of the nodes, by pod; and the small changes that steps are made of. */
import type { GossipNode, NodeAnswer } from '../model/observation.ts';

export type Answers = Map<string, NodeAnswer>;

export function selfOf(answer: NodeAnswer): GossipNode[] {
  return answer.view.filter((node) => node.nodeId === answer.myId);
}

export function changeSelf(answers: Answers, pod: string, change: (self: GossipNode) => GossipNode): void {
  const answer = answers.get(pod);
  if (answer === undefined) return;
  answers.set(pod, { ...answer, view: answer.view.map((node) => (node.nodeId === answer.myId ? change(node) : node)) });
}

/** Keys that come, or go (below 0), with their slots. */
export function addKeys(answers: Answers, pod: string, keys: number): void {
  const answer = answers.get(pod);
  if (answer === undefined) return;
  const info = { ...answer.info, keys: answer.info.keys + keys };
  const keysInOwnSlots = answer.keysInOwnSlots === null ? null : answer.keysInOwnSlots + keys;
  answers.set(pod, { ...answer, info, keysInOwnSlots });
}

export function setConfig(answers: Answers, pod: string, name: string, value: string): void {
  const answer = answers.get(pod);
  if (answer !== undefined) answers.set(pod, { ...answer, config: { ...answer.config, [name]: value } });
}

/** Points a replica's replication at where it now knows its primary: told to replicate, or met by it; never by gossip alone. */
export function point(answers: Answers, pod: string): void {
  const answer = answers.get(pod);
  if (answer === undefined) return;
  const primaryId = selfOf(answer)[0]?.primaryId;
  const primaryHost = answer.view.find((line) => line.nodeId === primaryId)?.ip ?? null;
  answers.set(pod, { ...answer, info: { ...answer.info, primaryHost } });
}
