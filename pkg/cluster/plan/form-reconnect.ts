/**
 * Nodes that know each other by id and look for each other at addresses that are gone: all Services (or, where pod IPs are
 * announced, all pods) got new ones at once. That never heals by itself. The ids of the pods are the record; in this order:
 *
 * 1. each replica meets its primary's pod, so that its replication is pointed anew (FAILURES 1.2: gossip alone leaves it where
 *    it was, on every Redis);
 * 2. one node meets all others that it can't find, and gossip tells them of each other;
 * 3. a replica whose replication still looks elsewhere is told to replicate the very primary that it has.
 *
 * Nobody is ever forgotten here: an id that can't be found is not one that is gone.
 */
import type { GossipNode } from '../model/observation.ts';
import type { Step } from '../model/plan.ts';
import type { Member } from '../evidence/members.ts';

const DOWN_FLAGS: ReadonlySet<string> = new Set(['fail', 'fail?', 'noaddr']);

/**
 * Whether `seeker` knows `sought` and looks for it where it can't be. What a node announces by its configuration is compared;
 * where it announces nothing, a pod's IP may lawfully differ from what others use, so there only a broken link counts.
 */
export function looksElsewhere(seeker: Member, sought: Member): boolean {
  const line = lineOf(seeker, sought);
  if (line === undefined) return false;
  if (line.ip === '' || line.flags.includes('noaddr')) return true;
  const podIp = sought.node.pod?.ip ?? '';
  if (line.ip === podIp) return false;
  const announced = sought.answer.config?.['cluster-announce-ip'] ?? '';
  if (announced !== '') return line.ip !== announced;
  return podIp !== '' && (!line.linkUp || line.flags.some((flag) => DOWN_FLAGS.has(flag)));
}

function lineOf(seeker: Member, sought: Member): GossipNode | undefined {
  const { nodeId } = sought.step;
  const line = seeker.answer.view.find((other) => other.nodeId === nodeId);
  return line === undefined || line.flags.includes('handshake') ? undefined : line;
}

/** Step 1: also where the primary can still find the replica, because gossip might be quicker than the primary's ping. */
export function reconnectReplicaSteps(members: readonly Member[]): Step[] {
  const byId = new Map(members.map((member) => [member.step.nodeId, member]));
  return members.flatMap((replica) => {
    const primary = byId.get(replica.node.primaryId ?? '');
    return primary !== undefined && looksElsewhere(replica, primary) ? [meetAgain(replica, primary)] : [];
  });
}

/** Step 2. A node that can find the first one will tell it its address by itself. */
export function reconnectNodeSteps(members: readonly Member[]): Step[] {
  const seed = members.find((member) => member.node.slots.length > 0) ?? members[0];
  if (seed === undefined) return [];
  return members
    .filter((other) => other !== seed && looksElsewhere(seed, other) && looksElsewhere(other, seed))
    .map((other) => meetAgain(seed, other));
}

/** Step 3: its link is down, and it looks for its primary at another address than the one by which it knows it. */
export function repointSteps(members: readonly Member[]): Step[] {
  const byId = new Map(members.map((member) => [member.step.nodeId, member]));
  return members.flatMap((replica): Step[] => {
    const primary = byId.get(replica.node.primaryId ?? '');
    // A view can name anybody, the replica itself included; servers follow nobody but a primary.
    if (primary?.node.role !== 'primary' || looksElsewhere(replica, primary)) return [];
    const { primaryLinkUp, primaryHost } = replica.answer.info;
    const known = lineOf(replica, primary)?.ip ?? '';
    if (primaryLinkUp !== false || primaryHost === null || known === '' || primaryHost === known) return [];
    const reason = `its replication looks for ${primary.step.pod} at ${primaryHost}`;
    return [{ kind: 'replicate', node: replica.step, primary: primary.step, reason }];
  });
}

/**
 * The primary at the top of the line of replicas in which it stands. After a failover, who missed the news follows the old primary, a replica
 * by now: that gives its data on, and leads nobody to a place from which an election would take it.
 * @returns null where that is not known, or does not answer
 */
export function topOf(byId: ReadonlyMap<string, Member>, replica: Member): Member | null {
  const seen = new Set<string>();
  let at: Member | undefined = replica;
  while (at !== undefined && at.node.role === 'replica' && !seen.has(at.step.nodeId)) {
    seen.add(at.step.nodeId);
    at = byId.get(at.node.primaryId ?? '');
  }
  return at?.node.role === 'primary' ? at : null;
}

/** Replicas of replicas are attached to the primary at the top. */
export function chainSteps(members: readonly Member[]): Step[] {
  const byId = new Map(members.map((member) => [member.step.nodeId, member]));
  return members.flatMap((replica): Step[] => {
    if (replica.node.role !== 'replica' || replica.node.slots.length > 0) return [];
    const top = topOf(byId, replica);
    if (top === null || top.step.nodeId === replica.node.primaryId) return [];
    return [{ kind: 'replicate', node: replica.step, primary: top.step, reason: 'it follows a replica' }];
  });
}

function meetAgain(node: Member, other: Member): Step {
  const at = lineOf(node, other)?.ip || 'no address';
  const reason = `${node.step.pod} looks for ${other.step.pod} at ${at}`;
  return { kind: 'meet', node: node.step, other: other.step, otherUid: other.uid, reason };
}
