/**
 * Whether the first MEET was sent. Evidence comes before any mark: a mark may come from a manifest that was applied again, and what is
 * decided by it may cost data. Where nobody can know, the cluster counts as formed: nothing of it is then made anew.
 */
import { ANNOUNCE_ANNOTATION } from '../model/labels.ts';
import type { KubeFacts, NodeAnswer, NodeReply, Observation, PodFacts } from '../model/observation.ts';
import type { ClusterRecord } from '../model/record.ts';
import { readGuard } from '../wire/guard.ts';

/** A StatefulSet's controller makes a claim right before the pod that it is for. */
const MADE_TOGETHER_MS = 10_000;

/**
 * | seen                                                                              | formed |
 * |-----------------------------------------------------------------------------------|--------|
 * | the record says so; a slot has an owner; a node of ours knows another             | yes    |
 * | of others, none of these                                                          | no     |
 * | NAME-state says no                                                                | no     |
 * | there is no volume, or all that there are can be seen to be empty                 | no     |
 * | else: nobody who may know can be asked                                            | yes    |
 *
 * @param anyOwned whether any view names an owner of any slot
 */
export function isFormed({ kube, replies }: Observation, record: ClusterRecord, anyOwned: boolean): boolean {
  if (record.formed === true || anyOwned) return true;
  if (record.shape === null) return false;
  if (replies.some(({ reply }) => reply.kind === 'answered' && knowsOthers(reply.answer))) return true;
  if (record.source === 'state' && record.formed === false) return false;
  return !isAllEmpty(kube, new Map(replies.map(({ pod, reply }) => [pod, reply])));
}

/** Whether it is certain that no volume holds anything of a cluster: none was formed, or nothing is left of it. */
export function isAllEmpty(kube: KubeFacts, replies: ReadonlyMap<string, NodeReply>): boolean {
  const empty = kube.pods.filter((pod) => isEmpty(kube, pod, replies.get(pod.name)));
  return empty.length === kube.pods.length && kube.claims.length <= empty.length;
}

/** Of a node that is just being introduced the other end is not known yet. */
export function knowsOthers({ view, myId }: Pick<NodeAnswer, 'view' | 'myId'>): boolean {
  return view.some(({ nodeId, flags }) => nodeId !== myId && !flags.includes('handshake'));
}

/** Was never in a cluster, and holds no key. */
export function isFresh(answer: NodeAnswer): boolean {
  return !knowsOthers(answer) && answer.info.keys === 0 && answer.view.every(({ slots }) => slots.length === 0);
}

/** Whether nothing of a cluster can be on the pod's volume. */
function isEmpty(kube: KubeFacts, pod: PodFacts, reply: NodeReply | undefined): boolean {
  if (reply?.kind === 'answered') return isFresh(reply.answer);
  if (readGuard(reply ?? null)?.emptyVolume === true) return true;
  return hasNeverServed(pod, reply) && isFirst(kube, pod);
}

/**
 * Its container never ran: a pod is Pending until the first of its containers does, and never again. Or it waits, with scripts of an older
 * version, for an address that its template does not say.
 */
function hasNeverServed(
  { phase, container, annotations, readsState }: PodFacts,
  reply: NodeReply | undefined,
): boolean {
  if (phase === 'Pending' || (container.state === 'waiting' && container.restarts === 0)) return true;
  const waits = reply?.kind === 'unreachable' && reply.why === 'guard-waiting';
  return waits && readsState !== true && annotations[ANNOUNCE_ANNOTATION] === undefined;
}

/** Whether its claim was made for this very pod, so that no other can have written to it. */
function isFirst({ claims }: KubeFacts, pod: PodFacts): boolean {
  const since = Date.parse(pod.createdAt) - MADE_TOGETHER_MS;
  return claims
    .filter(({ name }) => pod.claims.includes(name))
    .every(({ createdAt }) => createdAt !== undefined && Date.parse(createdAt) >= since);
}
