/** The counts that `slots` and `status` share. Pure. */
import { SLOT_COUNT, countSlots } from '../../pkg/cluster/model/slots.ts';
import type { ClusterState, Shard } from '../../pkg/cluster/model/state.ts';

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
  readonly contested: number;
  readonly answered: number;
  readonly viewsAgree: boolean;
}

export function summarizeSlots(state: ClusterState): SlotSummary {
  const answered = state.nodes.filter((node) => node.reply?.kind === 'answered').length;
  const owning = state.shards.filter((shard) => shard.slots.length > 0);
  const counted = owning.flatMap((shard) => keysOfShard(shard) ?? []);
  return {
    total: SLOT_COUNT,
    // With nobody to ask, nothing is known to be covered, whatever the merged map says.
    covered: answered === 0 ? 0 : SLOT_COUNT - countSlots(state.uncovered),
    shards: owning.length,
    keys: counted.length === 0 && owning.length > 0 ? null : counted.reduce((sum, keys) => sum + keys, 0),
    uncounted: owning.filter((shard) => keysOfShard(shard) === null).map((shard) => shard.name),
    open: new Set(state.openSlots.map(({ slot }) => slot)).size,
    contested: countSlots(state.contested.map(({ range }) => range)),
    answered,
    viewsAgree: state.views.length <= 1,
  };
}

/** Keys that its owners hold; null when the primary could not be asked. */
export function keysOfShard(shard: Shard): number | null {
  const owners = [shard.primary, ...shard.replicas].filter((node) => node !== null && node.slots.length > 0);
  return owners.reduce<number | null>((sum, node) => (sum === null || node?.keys == null ? null : sum + node.keys), 0);
}
