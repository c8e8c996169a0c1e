/** Reads how both ends of a move see the cluster, when both can take part in one. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { parseClusterInfo } from '../parse/cluster-info.ts';
import { parseClusterNodes } from '../parse/cluster-nodes.ts';
import type { GossipNode } from '../../cluster/model/observation.ts';
import { COMMAND_DEADLINE_MS, stopIfAborted } from './context.ts';
import type { MoveContext } from './context.ts';
import { mustAll } from './node-line.ts';
import type { NodeLine } from './node-line.ts';

/** A node that has just started or joined says `fail` for two seconds. */
const READY_WITHIN_MS = 20_000;
const LOOK_EVERY_MS = 50;

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
  const replies = await line.send([['CLUSTER', 'NODES']], COMMAND_DEADLINE_MS);
  mustAll(line, replies, 'CLUSTER NODES');
  return parseClusterNodes(String(replies[0]));
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
