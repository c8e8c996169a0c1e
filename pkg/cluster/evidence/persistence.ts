/** Whether the keys of a node outlive its process, and which shards would lose theirs when it stops. */
import { formatRanges } from '../model/slots.ts';
import { keysInWords, type Loss } from '../model/loss.ts';
import type { ClusterNode, Shard } from '../model/state.ts';
import type { Evidence } from './evidence.ts';

export type Kept = 'yes' | 'no' | 'unknown';

export interface Keeping {
  readonly kept: Kept;
  /** Why, as the end of a sentence in brackets. */
  readonly by: string;
}

/**
 * An append-only file keeps them; without one a server that is asked to stop writes a snapshot where it has save points (SHUTDOWN,
 * https://redis.io/docs/latest/commands/shutdown/). A volume of the pod's own goes with the pod.
 * @param config what the cluster's nodes are told, for one that can't be asked; null = not known
 */
export function keepingOf(node: ClusterNode, config: Readonly<Record<string, string>> | null): Keeping {
  if (node.pod?.ephemeralData === true) return { kept: 'no', by: 'its data is on a volume that goes with the pod' };
  if (node.reply?.kind === 'answered') {
    const { answer } = node.reply;
    if (answer.info.aofEnabled) return { kept: 'yes', by: 'appendonly yes' };
    const save = answer.config?.['save'];
    if (save === undefined) return { kept: 'unknown', by: 'appendonly no, and its save points are not known' };
    return save === ''
      ? { kept: 'no', by: 'appendonly no, save ""' }
      : { kept: 'yes', by: `appendonly no, save ${save}` };
  }
  if (config === null) return { kept: 'unknown', by: "it can't be asked" };
  // What `create` renders unless people say otherwise.
  const appendOnly = config['appendonly'] ?? 'yes';
  if (appendOnly !== 'no') return { kept: 'yes', by: 'appendonly yes, as it is recorded' };
  const save = config['save'] ?? '""';
  return /^("")?$/.test(save.trim())
    ? { kept: 'no', by: 'appendonly no, as it is recorded' }
    : { kept: 'yes', by: `save ${save}, as it is recorded` };
}

/**
 * What is gone when all nodes of the shard have stopped; null = nothing that is known of. What a replica keeps on disk does not help: it
 * copies its primary when both are back, and that one starts empty.
 */
export function lossOfStopping(
  { name, slots, primary }: Shard,
  { nameOf }: Pick<Evidence, 'nameOf'>,
  config: Readonly<Record<string, string>> | null,
): Loss | null {
  if (slots.length === 0 || primary === null || primary.pod === null || primary.keys === 0) return null;
  const keeping = keepingOf(primary, config);
  if (keeping.kept === 'yes') return null;
  const verb = keeping.kept === 'no' ? 'keeps none on disk' : 'may keep none on disk';
  return {
    slots,
    keys: primary.keys,
    seconds: null,
    sentence: `${keysInWords(primary.keys)} of shard ${name}, slots ${formatRanges(slots)}: ${nameOf(primary)} ${verb} (${keeping.by})`,
  };
}
