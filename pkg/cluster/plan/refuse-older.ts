/**
 * Slots do not go to a server of an older version than their keys were packed by: it refuses every key (law L14), and the slots would stay
 * open, which holds up the very restart that would make the target new. In the middle of an upgrade they go the other way.
 */
import { nameOfNode } from '../model/list-names.ts';
import type { ServerInfo } from '../model/observation.ts';
import type { Plan } from '../model/plan.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { refuse } from './form-members.ts';
import { restartCommand } from './restart-command.ts';
import { takesKeysOf } from './server-version.ts';

/** Node ids of the ends of a move. */
export interface Pair {
  readonly from: string;
  readonly to: string;
}

/** Whether the target can't take what the source packs; of one that does not answer that is not known. */
export function goesToOlder(source: Pick<ClusterNode, 'reply'>, target: Pick<ClusterNode, 'reply'>): boolean {
  const [from, to] = [serverOf(source), serverOf(target)];
  return from !== null && to !== null && !takesKeysOf(to, from);
}

function serverOf({ reply }: Pick<ClusterNode, 'reply'>): ServerInfo | null {
  return reply?.kind === 'answered' ? reply.answer.info : null;
}

/**
 * The first move that could bring no key, or null. For whatever is about to move slots, before any of them is opened.
 * @param moves that are planned anew
 * @param open those that an interrupted move left open
 * @param way of the restart that makes the target new: `first` what makes it possible again, as a command and what it does, null = it is
 *   possible; `image` that is recorded, null = not known
 */
export function refuseOlderTarget(
  state: ClusterState,
  moves: readonly Pair[],
  open: readonly Pair[],
  { first, image }: { readonly first: string | null; readonly image: string | null } = { first: null, image: null },
): Plan | null {
  const { name } = state.cluster;
  const byId = new Map(state.nodes.map((node) => [node.nodeId, node]));
  const older = (pairs: readonly Pair[]): string | null => {
    for (const { from, to } of pairs) {
      const [source, target] = [byId.get(from), byId.get(to)];
      if (source !== undefined && target !== undefined && goesToOlder(source, target)) return inWords(source, target);
    }
    return null;
  };
  const restart = restartCommand(name, image, state.nodes);
  const after = first === null ? '' : `${first}; then `;
  const left = older(open);
  if (left !== null)
    return refuse(
      'target-older',
      `Slots were left open on their way to an older server, which takes no key of them: ${left}`,
      `kubectl redis fix ${name} takes them back; then ${after}${restart} finishes the upgrade`,
    );
  const planned = older(moves);
  if (planned === null) return null;
  return refuse(
    'target-older',
    `Slots would have to go to an older server, which takes no key of them: ${planned}`,
    `${after}${restart} finishes the upgrade first; then run the same command again`,
  );
}

function inWords(source: ClusterNode, target: ClusterNode): string {
  const [from, to] = [source, target].map((node) => {
    const server = serverOf(node);
    return `${nameOfNode(node)} runs ${server?.product ?? '?'} ${server?.version ?? '?'}`;
  });
  return `${from ?? ''}, and ${to ?? ''}`;
}
