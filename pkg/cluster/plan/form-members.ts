/**
 * The nodes that a cluster is formed of, and what must not be joined: nodes that know strangers (law L2), nodes that hold keys
 * and belong to no cluster yet (FAILURES 1.35), slots that two of them claim.
 */
import type { Member } from '../evidence/members.ts';
import type { GossipNode, UnreachableReason } from '../model/observation.ts';
import type { Plan } from '../model/plan.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { giveItsOwnVolume, refuseContested } from './contested.ts';

/** The first reason not to go on, or null. */
export function refuseForming(members: readonly Member[], state: ClusterState): Plan | null {
  return (
    refuseSilent(state) ??
    refuseStrangers(members, state) ??
    refuseKeys(members, state) ??
    refuseContested(members, state)
  );
}

export function refuse(code: string, sentence: string, hint: string): Plan {
  return { kind: 'refused', code, sentence, hint };
}

function refuseSilent(state: ClusterState): Plan | null {
  const silent = state.nodes.find((node) => node.pod !== null && node.reply?.kind !== 'answered');
  if (silent === undefined) return null;
  const why = silent.unreachable === null ? 'no answer' : `${silent.unreachable.why}: ${silent.unreachable.detail}`;
  return refuse(
    silenceCode(silent, 'node-silent'),
    `${silent.pod?.name} can't be asked (${why})`,
    `Look at it with kubectl describe pod ${silent.pod?.name} and kubectl logs ${silent.pod?.name}, then run the same command again`,
  );
}

/** No answer that waiting brings: a person has to change a password or a configuration. */
const LASTING: ReadonlySet<UnreachableReason> = new Set(['auth', 'permission', 'not-cluster']);

/** @returns `passing` for a silence that may end by itself, else what the node refused */
export function silenceCode({ unreachable }: ClusterNode, passing: string): string {
  return unreachable !== null && LASTING.has(unreachable.why) ? unreachable.why : passing;
}

/** Law L2: never join a node that knows anybody, or is just being introduced to anybody, who is not one of our pods. */
function refuseStrangers(members: readonly Member[], state: ClusterState): Plan | null {
  const ids = new Set(members.map((member) => member.step.nodeId));
  const addresses = new Set(members.flatMap((member) => [member.node.pod?.ip ?? '', member.node.gossip?.ip ?? '']));
  const isOurs = (other: GossipNode): boolean =>
    // The id in a handshake is a random one until the other has answered.
    other.flags.includes('handshake') ? addresses.has(other.ip) : ids.has(other.nodeId);
  for (const member of members) {
    const stranger = member.answer.view.find((other) => !isOurs(other));
    if (stranger === undefined) continue;
    const at = stranger.ip === '' ? 'an unknown address' : `${stranger.ip}:${stranger.port}`;
    return refuse(
      'foreign-node',
      `${member.step.pod} knows node ${stranger.nodeId.slice(0, 8)} at ${at}, which is no pod of ${state.cluster.name}`,
      `If a pod of ${state.cluster.name} is missing, bring it back; a node that is gone for good kubectl redis fix ${state.cluster.name} has forgotten, where nothing is lost by it. ${giveItsOwnVolume(member.step.pod, state.cluster)}`,
    );
  }
  return null;
}

/** A fresh node with keys would lose them as a replica, or strand them as a primary. */
export function refuseKeys(members: readonly Member[], state: ClusterState): Plan | null {
  const full = members.find(
    (member) =>
      member.knows.size === 1 &&
      member.node.slots.length === 0 &&
      member.answer.info.keys > 0 &&
      member.answer.info.role === 'primary',
  );
  if (full === undefined) return null;
  return refuse(
    'node-not-empty',
    `${full.step.pod} holds ${full.answer.info.keys} keys and belongs to no cluster yet`,
    `They may be the only copy: save what you need from it first. Then run FLUSHALL on it, and kubectl redis create ${state.cluster.name} again`,
  );
}
