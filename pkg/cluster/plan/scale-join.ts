/** New nodes into the cluster: met by one that is of it, then each behind the primary of its shard. */
import type { Batch, Step } from '../model/plan.ts';
import type { Member } from '../evidence/members.ts';
import type { ScaleContext } from './scale-context.ts';

export function joinStage(context: ScaleContext): Batch[] {
  const meet = meetSteps(context);
  const replicate = replicateSteps(context);
  return [
    ...(meet.length > 0 ? [{ title: 'join the nodes', steps: meet }] : []),
    ...(replicate.length > 0 ? [{ title: 'attach the replicas', steps: replicate }] : []),
  ];
}

/** A member is whoever knows an owner of slots, is one, or is known by one: right after they met, one end knows before the other. */
export function isMember({ members }: Pick<ScaleContext, 'members'>, member: Member): boolean {
  const owners = members.filter(({ node }) => node.slots.length > 0);
  const { nodeId } = member.step;
  return owners.some((owner) => owner === member || member.knows.has(owner.step.nodeId) || owner.knows.has(nodeId));
}

/** Each new node meets one member; they take turns, and gossip does the rest. */
function meetSteps(context: ScaleContext): Step[] {
  const { members, shards } = context;
  const seeds = members.filter(({ node }) => node.slots.length > 0);
  const staying = shards.flatMap((shard) => shard.members);
  return staying
    .filter((member) => !isMember(context, member))
    .flatMap((member, index): Step[] => {
      const seed = seeds[index % seeds.length];
      if (seed === undefined) return [];
      const reason = `${member.step.pod} is new`;
      return [{ kind: 'meet', node: seed.step, other: member.step, otherUid: member.uid, reason }];
    });
}

/** Behind whoever leads the shard now, also if that is to go: only a replica in step can take over. */
function replicateSteps({ shards }: ScaleContext): Step[] {
  return shards.flatMap(({ name, head, members }) =>
    head === null
      ? []
      : members
          .filter((member) => member !== head && member.node.primaryId !== head.step.nodeId && isIdle(member))
          .map((member): Step => ({
            kind: 'replicate',
            node: member.step,
            primary: head.step,
            reason: `shard ${name}`,
          })),
  );
}

/** An owner of slots hands them over before it follows anybody. */
function isIdle({ node }: Member): boolean {
  return node.slots.length === 0;
}
