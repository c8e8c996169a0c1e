/**
 * What a person is told when nodes disagree: whose slots are, or who is of the cluster. What looks strange may be a view that is old, and then
 * what a person removed would be a good copy: so no sentence here tells to remove a pod or a volume, whatever the evidence.
 */
import { isApart } from '../evidence/forming.ts';
import { groupMembers } from '../evidence/groups.ts';
import type { Member } from '../evidence/members.ts';
import type { ClusterRef } from '../model/observation.ts';
import type { Plan, Step } from '../model/plan.ts';
import { containsSlot, countSlots } from '../model/slots.ts';
import type { ClusterState } from '../model/state.ts';

/**
 * Of nodes that are to be joined. @returns null when every slot has one owner in all views, and where none of the nodes knows another or holds a
 * key: who loses a slot then loses nothing, and forming settles it (`yieldSteps`).
 */
export function refuseContested(members: readonly Member[], state: ClusterState): Plan | null {
  const [first] = state.contested;
  if (first === undefined || isApart(state)) return null;
  const { name } = state.cluster;
  const range = `Slots ${first.range.start}-${first.range.end}`;
  const ids = first.ownerIds;
  const owners = ids.map((id) => nameOf(id, state)).join(' and ');
  const groups = groupMembers(members);
  const groupOf = (id: string): number => [groups.main, ...groups.others].findIndex((group) => group.includes(id));
  // Whoever is in no group is no pod, or a pod without a key: it tells nothing of another cluster.
  const apart = new Set(ids.map(groupOf).filter((group) => group >= 0)).size > 1;
  if (apart)
    return contested(
      `${range} are claimed by ${owners}, which do not know each other: joining them would delete the keys of one`,
      `kubectl redis nodes ${name} shows who knows whom, and kubectl redis check ${name} what is wrong. Remove no pod and no volume before you know whose keys they hold`,
    );
  const said = ids.length === 1 ? `are said to be of ${owners}, which denies it` : `are claimed by ${owners}`;
  return contested(
    `${range} ${said}: the nodes of ${name} do not agree yet whose they are, and who lost them would delete their keys`,
    `Views mostly settle within seconds. If they don't, kubectl redis check ${name} says who claims what, and kubectl redis fix ${name} settles it; no pod and no volume has to go for that`,
  );
}

/** One node keeps a slot that several were given before they were introduced to each other; the others give it up. */
export function yieldSteps(members: readonly Member[], state: ClusterState): Step[] {
  if (!isApart(state)) return [];
  return state.contested.flatMap(({ range }): Step[] => {
    const claims = ({ answer }: Member): boolean => answer.view.some(({ slots }) => containsSlot(slots, range.start));
    const claiming = members.filter(claims);
    // Who was given most leads its shard in any case: whoever else kept a slot would be a second owner there.
    const [owner] = claiming.toSorted((a, b) => countOwn(b) - countOwn(a));
    if (owner === undefined) return [];
    const reason = `${owner.step.pod} was given them, too, and none of the nodes holds a key`;
    const rivals = claiming.filter((member) => member !== owner);
    return rivals.map(({ step }): Step => ({
      kind: 'yield-slots',
      node: step,
      owner: owner.step,
      ranges: [range],
      reason,
    }));
  });
}

function countOwn({ answer }: Member): number {
  return answer.view.reduce((sum, { slots }) => sum + countSlots(slots), 0);
}

function contested(sentence: string, hint: string): Plan {
  return { kind: 'refused', code: 'slots-contested', sentence, hint };
}

/** `e-1-0 (8ec12204)`: people know their pods, and the nodes each other's ids. */
function nameOf(id: string, { nodes }: ClusterState): string {
  const pod = nodes.find(({ nodeId }) => nodeId === id)?.pod?.name;
  const short = id.slice(0, 8);
  return pod === undefined ? `${short}, which is no pod that answers` : `${pod} (${short})`;
}

/** Of a node that knows others who are not of the cluster. */
export function giveItsOwnVolume(pod: string, { name }: ClusterRef): string {
  return `kubectl redis nodes ${name} shows who knows whom. If ${pod} was given the volume of another cluster, give it one of its own, and keep the other one: it may be the only copy of what is on it`;
}
