/**
 * Nodes that others of their cluster do not know. A handshake is one-sided for as long as it lasts: whoever was met looks for the other
 * one at its announced address, and lets go of it where nobody is found there in time (a Service that still leads to the pod before).
 * Then one knows all and is known to nobody, and neither gossip nor time mends that: nobody listens to strangers.
 */
import type { Step } from '../model/plan.ts';
import type { Member } from '../evidence/members.ts';

type MeetStep = Extract<Step, { kind: 'meet' }>;

/** One MEET for each node that somebody misses, and only between nodes that know somebody in common (law L2). */
export function meetUnknown(members: readonly Member[]): MeetStep[] {
  return members.flatMap((other) => {
    const blind = members.find(
      (member) => member !== other && !member.knows.has(other.step.nodeId) && shareSomebody(member, other),
    );
    if (blind === undefined) return [];
    const reason = `${blind.step.pod} does not know ${other.step.pod}`;
    return [{ kind: 'meet', node: blind.step, other: other.step, otherUid: other.uid, reason }];
  });
}

function shareSomebody(one: Member, other: Member): boolean {
  return [...one.knows].some((id) => other.knows.has(id));
}
