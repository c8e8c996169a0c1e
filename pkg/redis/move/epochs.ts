/**
 * Of two nodes that claim a slot, the one with the higher config epoch has it, and the other deletes its keys. A target takes a
 * higher one as it takes a slot, without asking anybody. A source that gets a yet higher one while it still claims the slot
 * would win it back, with the keys gone. It does so when its epoch turns out to be another node's, too; so it is
 * waited until the source's epoch is its own alone and known to everybody, because who knows it can't choose it.
 *
 * Seen under load, where slots went to and fro within a second: a slot whose owner each of two nodes took the other to be.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import type { GossipNode } from '../../cluster/model/observation.ts';
import { stopIfAborted } from './context.ts';
import type { MoveContext } from './context.ts';
import { viewOf } from './look.ts';

/** Gossip takes half a cluster-node-timeout at worst. */
const SETTLED_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 25;

/** @throws AppError `epochs-unsettled` */
export async function awaitSettledEpochs(context: MoveContext): Promise<void> {
  const { source, target, others } = context;
  const until = performance.now() + SETTLED_WITHIN_MS;
  for (;;) {
    const [ofSource, ofTarget, ...rest] = await Promise.all([
      viewOf(source),
      viewOf(target),
      // One that can't be asked can't be waited for.
      ...others.map((other) => viewOf(other).catch(() => [])),
    ]);
    if (areSettled(source.end.nodeId, [ofSource, ofTarget, ...rest])) return;
    if (performance.now() > until) {
      throw new AppError(`The nodes do not agree on the config epoch of ${source.end.pod.name}`, {
        code: 'epochs-unsettled',
        hint: 'Nothing was moved. Look at kubectl redis status, then run the same command again',
      });
    }
    stopIfAborted(context);
    await delay(LOOK_EVERY_MS);
  }
}

/** Whether all views give the node the same epoch, and nobody else. */
export function areSettled(nodeId: string, views: readonly (readonly GossipNode[])[]): boolean {
  const seen = views.filter((view) => view.length > 0);
  const epochs = new Set(seen.map((view) => view.find((node) => node.nodeId === nodeId)?.configEpoch));
  const [epoch] = epochs;
  if (epochs.size !== 1 || epoch === undefined) return false;
  return seen.every((view) =>
    view.every((node) => node.nodeId === nodeId || node.role !== 'primary' || node.configEpoch !== epoch),
  );
}
