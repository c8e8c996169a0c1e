/** Reads how both ends of a move see the cluster, when both can take part in one. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { parseClusterInfo } from '../parse/cluster-info.ts';
import { parseClusterNodes } from '../parse/cluster-nodes.ts';
import { parsePongs } from '../parse/last-heard.ts';
import type { GossipNode } from '../../cluster/model/observation.ts';
import { COMMAND_DEADLINE_MS, stopIfAborted } from './context.ts';
import type { MoveContext } from './context.ts';
import { mustAll } from './node-line.ts';
import type { NodeLine } from './node-line.ts';

/** A node that has just started or joined says `fail` for two seconds. */
const READY_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 50;
/** Nodes ask each other at least every half of cluster-node-timeout. */
const HEARD_WITHIN_MS = 30_000;

export interface Views {
  readonly source: readonly GossipNode[];
  readonly target: readonly GossipNode[];
}

export async function viewsOfEnds({ source, target }: MoveContext): Promise<Views> {
  const [atSource, atTarget] = await Promise.all([viewOf(source), viewOf(target)]);
  return { source: atSource, target: atTarget };
}

/** @throws AppError when the node refuses to tell, or can't be asked */
export async function viewOf(line: NodeLine): Promise<readonly GossipNode[]> {
  return parseClusterNodes(await askNodes(line));
}

async function askNodes(line: NodeLine): Promise<string> {
  const replies = await line.send([['CLUSTER', 'NODES']], COMMAND_DEADLINE_MS);
  mustAll(line, replies, 'CLUSTER NODES');
  return String(replies[0]);
}

/** Law L10: before its own state is ok, a target refuses keys. @throws AppError `target-not-ready` */
export async function awaitTarget(context: MoveContext): Promise<void> {
  const { target } = context;
  const until = performance.now() + READY_WITHIN_MS;
  for (;;) {
    const [reply] = await target.send([['CLUSTER', 'INFO']], COMMAND_DEADLINE_MS);
    if (!(reply instanceof Error) && parseClusterInfo(String(reply)).state === 'ok') return;
    if (performance.now() > until) {
      throw new AppError(`${target.end.pod.name} has not said that its cluster is ok for ${READY_WITHIN_MS / 1000} s`, {
        code: 'target-not-ready',
        ...(reply instanceof Error ? { cause: reply } : {}),
        hint: 'Look at kubectl redis status, mend what it shows, and run the same command again',
      });
    }
    stopIfAborted(context);
    await delay(LOOK_EVERY_MS);
  }
}

/**
 * After a MIGRATE that the target did not answer: until it answers us, and the source has heard it anew. Our way to it is not the source's,
 * which may be cut alone; and as long as it is, each MIGRATE keeps the source from answering anybody.
 *
 * @throws AppError `target-silent`, or as awaitTarget
 */
export async function awaitHeard(context: MoveContext): Promise<void> {
  const { source, target } = context;
  await awaitTarget(context);
  const until = performance.now() + HEARD_WITHIN_MS;
  const before = await heardAt(context);
  for (;;) {
    const now = await heardAt(context);
    // Whoever is not in the source's view any more will be refused by it.
    if (now === null || before === null || now > before) return;
    if (performance.now() > until)
      throw new AppError(
        `${source.end.pod.name} has not heard ${target.end.pod.name} for ${HEARD_WITHIN_MS / 1000} s`,
        {
          code: 'target-silent',
          hint: 'Nothing is lost. See that nothing is in the way between the two, then run the same command again: it goes on from here',
        },
      );
    stopIfAborted(context);
    await delay(LOOK_EVERY_MS);
  }
}

/** When the source last heard the target, by the source's clock; null = it does not know it. */
async function heardAt({ source, target }: MoveContext): Promise<number | null> {
  return parsePongs(await askNodes(source)).get(target.end.nodeId) ?? null;
}
