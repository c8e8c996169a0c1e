/** Every slot has one owner, is not open, and its keys are where it is (I1, I3, I4). */
import { compareNatural } from '../natural-order.ts';
import type { Problem } from '../model/problem.ts';
import { containsSlot, countSlots, normalizeRanges, rangesFromSlots } from '../model/slots.ts';
import { strayKeysOf } from '../evidence/strays.ts';
import { unusedVolumes, wayBackOfVolumes } from '../evidence/leftovers.ts';
import { mayReturn } from '../evidence/succession.ts';
import type { Check, CheckContext } from './context.ts';
import { count, listNames, makeProblem, slotsText } from './wording.ts';

export const checkCoverage: Check = ({ state, missing }) => {
  if (state.uncovered.length === 0) return [];
  const number = countSlots(state.uncovered);
  const nobody = `${count(number, 'slot')} ${number === 1 ? 'belongs' : 'belong'} to nobody: ${slotsText(state.uncovered)}`;
  // Of pods that are only away it is said that they are.
  const volumes = missing.length > 0 ? null : unusedVolumes(state);
  if (volumes !== null) {
    const sentence = `${nobody}; their keys may be on the volume of ${volumes}.`;
    const parts = { sentence, slots: state.uncovered, repair: `${wayBackOfVolumes(state)}.` };
    return [makeProblem('slots-uncovered', state.cluster.name, parts)];
  }
  const sentence = `${nobody}.`;
  const again = `kubectl redis create ${state.cluster.name} finishes a cluster whose forming was interrupted. Otherwise find who holds keys of these slots and CLUSTER ADDSLOTS there.`;
  const repair = state.origin === 'ours' ? { repair: again } : {};
  return [makeProblem('slots-uncovered', state.cluster.name, { sentence, slots: state.uncovered, ...repair })];
};

/**
 * Two that claim a slot themselves, or one that claims what others still name a silent node for, or an owner that denies it. Where only
 * somebody else's view is wrong, that view is the problem (`views-differ`).
 *
 * A silent node with an older config epoch is a rival, too: it hears of the newer one when it is back, and deletes its keys. Unless the
 * other one has followed it, and so has its keys.
 */
export const checkContested: Check = (context, found) => {
  if (found.some((problem) => problem.code === 'clusters-split')) return [];
  const groups = new Map<
    string,
    {
      ownerIds: readonly string[];
      claimants: number;
      rivals: readonly string[];
      newer: boolean;
      ranges: { start: number; end: number }[];
    }
  >();
  const followed = new Set(
    context.gossip.distinctLines.map(({ nodeId, role, primaryId }) => `${role} ${nodeId} ${primaryId}`),
  );
  const hasFollowed = (id: string, other: string): boolean => followed.has(`replica ${id} ${other}`);
  for (const { range, ownerIds } of context.state.contested) {
    const claiming = ownerIds.filter((id) => containsSlot(context.gossip.ownLines.get(id)?.slots ?? [], range.start));
    const silent = ownerIds.filter((id) => !context.gossip.ownLines.has(id));
    const stronger = silent.filter((id) => containsSlot(context.byId.get(id)?.slots ?? [], range.start));
    const newer = stronger.length > 0;
    const mayHaveKeys = (id: string): boolean =>
      mayStillCome(context, id) && !claiming.some((claimant) => hasFollowed(claimant, id));
    const rivals = claiming.length === 0 ? [] : newer ? stronger : silent.filter(mayHaveKeys);
    if (claiming.length + rivals.length === 1 || (claiming.length === 0 && silent.length > 0)) continue;
    const who = claiming.length === 0 ? ownerIds : [...claiming, ...rivals].sort();
    const key = `${who.join()} ${rivals.join()} ${newer}`;
    const group = groups.get(key) ?? { ownerIds: who, claimants: claiming.length, rivals, newer, ranges: [] };
    groups.set(key, group);
    group.ranges.push(range);
  }
  return [...groups.values()].map(({ ownerIds, claimants, rivals, newer, ranges }) => {
    const names = ownerIds.map(context.nameOfId).sort(compareNatural);
    const slots = normalizeRanges(ranges);
    if (rivals.length > 0) return ofSilent(context, names, rivals.map(context.nameOfId), slots, newer);
    return claimants > 1 ? contested(context, names, slots) : unclaimed(context, names, slots);
  });
};

/** Its data may come back with it. */
function mayStillCome({ byId, evidence }: CheckContext, nodeId: string): boolean {
  const node = byId.get(nodeId);
  return node !== undefined && mayReturn({ life: evidence.lifeOf(node) });
}

function ofSilent(
  context: CheckContext,
  names: readonly string[],
  silent: readonly string[],
  slots: readonly { start: number; end: number }[],
  newer: boolean,
): Problem {
  const others = names.filter((name) => !silent.includes(name));
  const claim = `${listNames(others)} ${others.length === 1 ? 'says' : 'say'} that ${others.length === 1 ? 'it owns' : 'they own'} ${slotsText(slots)}`;
  const owns = newer ? 'owns by a newer config epoch' : 'owns as other nodes see it';
  const sentence = `${claim}, which ${listNames(silent)} ${owns}; ${listNames(silent)} can't be asked.`;
  return makeProblem('slots-contested', context.state.cluster.name, { sentence, nodes: names, slots });
}

function contested(
  context: CheckContext,
  names: readonly string[],
  slots: readonly { start: number; end: number }[],
): Problem {
  const sentence = `${listNames(names)} all say that they own ${slotsText(slots)}.`.replace(
    'all say',
    names.length === 2 ? 'both say' : 'all say',
  );
  return makeProblem('slots-contested', context.state.cluster.name, { sentence, nodes: names, slots });
}

function unclaimed(
  context: CheckContext,
  names: readonly string[],
  slots: readonly { start: number; end: number }[],
): Problem {
  const sentence = `Nodes name ${listNames(names)} as owner of ${slotsText(slots)}, which ${names.length === 1 ? 'denies it' : 'deny it'}.`;
  return makeProblem('slots-unclaimed', context.state.cluster.name, { sentence, nodes: names, slots });
}

/** Open slots by the pair of nodes, or by the one side that has the mark. */
export const checkOpenSlots: Check = (context) => {
  const groups = new Map<string, { from: string | null; to: string | null; slots: number[] }>();
  for (const { slot, migratingFrom: from, importingTo: to } of context.state.openSlots) {
    const group = groups.get(`${from}>${to}`) ?? { from, to, slots: [] };
    groups.set(`${from}>${to}`, group);
    group.slots.push(slot);
  }
  return [...groups.values()].map(({ from, to, slots }) => {
    const ranges = rangesFromSlots(slots);
    const [source, target] = [from === null ? null : context.nameOfId(from), to === null ? null : context.nameOfId(to)];
    const nodes = [source, target].filter((name) => name !== null);
    const which = slotsText(ranges);
    const verb = countSlots(ranges) === 1 ? 'is' : 'are';
    const text =
      source === null
        ? `importing on ${target ?? ''} and migrating nowhere`
        : `migrating on ${source} and importing nowhere`;
    const code = nodes.length === 2 ? 'slots-open' : 'slots-half-open';
    const sentence =
      nodes.length === 2 ? `${which} ${verb} open from ${nodes.join(' to ')}.` : `${which} ${verb} marked as ${text}.`;
    const capital = sentence.charAt(0).toUpperCase() + sentence.slice(1);
    return makeProblem(code, context.state.cluster.name, { sentence: capital, nodes, slots: ranges });
  });
};

/** Law L5: DBSIZE must be the sum over the node's own slots and those that it is importing. */
export const checkStrayKeys: Check = ({ state, answered }) =>
  answered.flatMap(({ pod, node, answer }) => {
    // Who did not count is another problem (`keys-not-counted`).
    const stray = strayKeysOf(answer) ?? 0;
    if (stray === 0 || node.role !== 'primary') return [];
    const sentence = `${pod} holds ${count(stray, 'key')} in slots that it does not own (${answer.info.keys} keys, ${answer.keysInOwnSlots ?? 0} in its slots).`;
    return [makeProblem('stray-keys', state.cluster.name, { sentence, nodes: [pod] })];
  });
