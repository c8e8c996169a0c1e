/** The counts that `slots` and `status` share. Pure. */
import { SLOT_COUNT, containsSlot, countSlots } from '../../pkg/cluster/model/slots.ts';
import type { ClusterState, Shard } from '../../pkg/cluster/model/state.ts';

/** Slots that more than one node counts as its own, and those that only others ascribe to different nodes. */
export interface ClaimedTwice {
  readonly contested: ClusterState['contested'];
  readonly disputed: ClusterState['contested'];
}

/**
 * Two nodes that both say "mine" will lose keys; a node that has not heard of a move yet is only late. The second is no
 * contest, though both give a slot two owners over all views.
 */
export function splitContested(state: ClusterState): ClaimedTwice {
  const known = splits.get(state) ?? split(state);
  splits.set(state, known);
  return known;
}

/** Every node's remarks ask for it. */
const splits = new WeakMap<ClusterState, ClaimedTwice>();

function split(state: ClusterState): ClaimedTwice {
  const ownRanges = new Map(
    state.nodes.flatMap((node) =>
      node.nodeId !== null && node.reply?.kind === 'answered' ? [[node.nodeId, node.gossip?.slots ?? []] as const] : [],
    ),
  );
  const contested: ClusterState['contested'][number][] = [];
  const disputed: ClusterState['contested'][number][] = [];
  for (const entry of state.contested) {
    const claiming = entry.ownerIds.filter((id) => containsSlot(ownRanges.get(id) ?? [], entry.range.start));
    if (claiming.length > 1) contested.push({ range: entry.range, ownerIds: claiming });
    else disputed.push(entry);
  }
  return { contested, disputed };
}

export interface SlotSummary {
  readonly total: number;
  readonly covered: number;
  /** Shards that own slots. */
  readonly shards: number;
  /** Keys of all primaries that answered; null when none did. */
  readonly keys: number | null;
  /** Names of shards whose primary could not be asked: their keys are not in `keys`. */
  readonly uncounted: readonly string[];
  readonly open: number;
  /** Claimed by two nodes at once. */
  readonly contested: number;
  /** Ascribed to different nodes by different views. */
  readonly disputed: number;
  readonly answered: number;
  readonly viewsAgree: boolean;
}

export function summarizeSlots(state: ClusterState): SlotSummary {
  const { contested, disputed } = splitContested(state);
  const answered = state.nodes.filter((node) => node.reply?.kind === 'answered').length;
  const owning = state.shards.filter((shard) => shard.slots.length > 0);
  const counted = owning.flatMap((shard) => keysOfShard(shard) ?? []);
  return {
    total: SLOT_COUNT,
    // With nobody to ask, nothing is known to be covered, whatever the merged map says.
    covered: answered === 0 ? 0 : SLOT_COUNT - countSlots(state.uncovered),
    shards: owning.length,
    keys:
      counted.length === 0 && (owning.length > 0 || state.formed) ? null : counted.reduce((sum, keys) => sum + keys, 0),
    uncounted: owning.filter((shard) => keysOfShard(shard) === null).map((shard) => shard.name),
    open: new Set(state.openSlots.map(({ slot }) => slot)).size,
    contested: countSlots(contested.map(({ range }) => range)),
    disputed: countSlots(disputed.map(({ range }) => range)),
    answered,
    viewsAgree: state.views.length <= 1,
  };
}

/** Keys that its owners hold; null when the primary could not be asked. */
export function keysOfShard(shard: Shard): number | null {
  const owners = [shard.primary, ...shard.replicas].filter((node) => node !== null && node.slots.length > 0);
  return owners.reduce<number | null>((sum, node) => (sum === null || node?.keys == null ? null : sum + node.keys), 0);
}
