/** All nodes see one cluster (I2); and owners have epochs of their own (I11). */
import { compareViews, describeDifference } from '../interpret/views.ts';
import type { Difference } from '../interpret/views.ts';
import type { Problem } from '../model/problem.ts';
import { intersectRanges } from '../model/slots.ts';
import type { Check, CheckContext } from './context.ts';
import { count, listNames, makeProblem } from './wording.ts';

interface OtherView {
  readonly names: readonly string[];
  readonly left: readonly Difference[];
}

/** Views of nodes that are of the cluster: how many have the first one, and the others with what nothing else explains. */
function viewsOf(
  context: CheckContext,
  found: readonly Problem[],
): { readonly majority: number; readonly others: readonly OtherView[] } {
  const groups = compareViews(context.gossip);
  const joined = groups.filter((group) => !group.nodeIds.every((id) => context.groups.outside.has(id)));
  const others = joined.slice(1).flatMap((group): OtherView[] => {
    const left = group.differences.filter((difference) => !isExplained(context, found, difference));
    return left.length === 0 ? [] : [{ names: group.nodeIds.map(context.nameOfId), left }];
  });
  return { majority: joined[0]?.nodeIds.length ?? 0, others };
}

/**
 * Nodes that do not answer, where they alone could tell all that views differ in: what a node owns, whom it follows and its epoch come with its
 * own messages, and nobody passes them on for it. Empty where anything of it ends by itself.
 */
export function silentTellers(context: CheckContext, found: readonly Problem[]): string[] {
  const tellers = viewsOf(context, found).others.flatMap(({ left }) => left.map(tellerOf));
  const silent = tellers.map((nodeId) => {
    const node = nodeId === null ? undefined : context.byId.get(nodeId);
    return node === undefined || node.reply?.kind === 'answered' ? null : context.nameOf(node);
  });
  return silent.includes(null) ? [] : [...new Set(silent.flatMap((name) => name ?? []))];
}

/** After what it ends, where `silentTellers` are. A sentence without its full stop. */
export function endsWith(silent: readonly string[]): string {
  const one = silent.length === 1;
  return `Only ${listNames(silent)} can tell that, and ${one ? 'does' : 'do'} not answer: it ends when ${one ? 'it does' : 'they do'}, or when ${one ? 'its' : 'their'} slots have another owner`;
}

/** null = others tell it, too. */
function tellerOf(difference: Difference): string | null {
  switch (difference.kind) {
    case 'role':
    case 'primary':
    case 'epoch':
      return difference.nodeId;
    case 'owner':
      // The owner claims its slots; where there is none any more, the former one says so.
      return difference.there ?? difference.here;
    // Gossip tells these of each other.
    case 'unknown-here':
    case 'unknown-there':
    case 'address':
      return null;
    default:
      return difference satisfies never;
  }
}

/** What is left of a difference when ghosts, strangers, disputed slots and wrong addresses have been told already. */
export const checkViews: Check = (context, found) => {
  const { majority, others } = viewsOf(context, found);
  if (others.length === 0) return [];
  const [first] = others;
  const total = context.answered.length;
  const said = listNames(
    (first?.left ?? []).map((one) => describeDifference(one, context.nameOfId)),
    3,
  );
  const more = others.length === 1 ? '' : `; ${count(others.length - 1, 'other view')} besides`;
  const sentence = `${majority} of ${count(total, 'node')} agree; ${listNames(first?.names ?? [])} not: ${said}${more}.`;
  const silent = silentTellers(context, found);
  const repair = silent.length === 0 ? {} : { repair: `${endsWith(silent)}.`, byHand: true };
  const nodes = others.flatMap((one) => one.names);
  return [makeProblem('views-differ', context.state.cluster.name, { sentence, nodes, ...repair })];
};

function isExplained(context: CheckContext, found: readonly Problem[], difference: Difference): boolean {
  const told = (code: string, name: string): boolean =>
    found.some((one) => one.code === code && one.nodes.includes(name));
  switch (difference.kind) {
    case 'unknown-here':
    case 'unknown-there':
      return context.byId.get(difference.nodeId)?.pod == null || context.groups.outside.has(difference.nodeId);
    case 'address':
      return ['address-mismatch', 'address-unknown'].some((code) => told(code, context.nameOfId(difference.nodeId)));
    case 'owner':
      return found.some(
        (one) =>
          ['slots-contested', 'slots-unclaimed'].includes(one.code) &&
          intersectRanges(one.slots, [difference.range]).length > 0,
      );
    case 'role':
    case 'primary':
    case 'epoch':
      return false;
    default:
      return difference satisfies never;
  }
}

export const checkEpochs: Check = (context) => {
  const epochs = new Map<number, string[]>();
  for (const node of context.state.nodes) {
    if (node.slots.length === 0 || node.gossip === null) continue;
    epochs.set(node.gossip.configEpoch, [...(epochs.get(node.gossip.configEpoch) ?? []), context.nameOf(node)]);
  }
  return [...epochs].flatMap(([epoch, names]) => {
    // One id in two pods is told as such.
    const distinct = [...new Set(names)];
    if (distinct.length < 2) return [];
    const sentence = `${listNames(distinct)} have one config epoch, ${epoch}.`;
    return [makeProblem('epoch-collision', context.state.cluster.name, { sentence, nodes: distinct })];
  });
};
