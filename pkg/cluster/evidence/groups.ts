/**
 * Which pods know each other, over any number of hops. The main group is the cluster. A group beside it that holds no key is
 * on its way in (or was never joined); one that holds keys is another cluster.
 */
import type { Member } from './members.ts';

type Viewer = Pick<Member, 'nodeId' | 'answer'>;

export interface Groups {
  readonly main: readonly string[];
  /** Ids of pods that hold no key and are not joined. */
  readonly outside: ReadonlySet<string>;
  /** Groups of ids beside the main one that hold keys. */
  readonly others: readonly (readonly string[])[];
}

export function groupMembers(members: readonly Viewer[]): Groups {
  const keys = new Map(members.map(({ nodeId, answer }) => [nodeId, answer.info.keys]));
  const keysIn = (ids: readonly string[]): number => ids.reduce((sum, id) => sum + (keys.get(id) ?? 0), 0);
  const groups = componentsOf(members).sort((a, b) => b.length - a.length || keysIn(b) - keysIn(a));
  const [main = [], ...rest] = groups;
  return {
    main,
    outside: new Set(rest.filter((ids) => keysIn(ids) === 0).flat()),
    others: rest.filter((ids) => keysIn(ids) > 0),
  };
}

/** Union of everything that any view ties together; handshakes tie nothing yet. */
function componentsOf(members: readonly Viewer[]): string[][] {
  const parents = new Map<string, string>();
  const rootOf = (id: string): string => {
    let root = id;
    for (let up = parents.get(root); up !== undefined && up !== root; up = parents.get(root)) root = up;
    parents.set(id, root);
    return root;
  };
  for (const { nodeId, answer } of members) {
    for (const line of answer.view)
      if (!line.flags.includes('handshake')) parents.set(rootOf(line.nodeId), rootOf(nodeId));
  }
  const groups = new Map<string, string[]>();
  for (const id of new Set(members.map((one) => one.nodeId))) {
    const root = rootOf(id);
    const list = groups.get(root) ?? [];
    groups.set(root, list);
    list.push(id);
  }
  return [...groups.values()];
}
