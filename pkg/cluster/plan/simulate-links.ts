/** Which nodes hear of each other, by any chain of acquaintances: for `simulate`. */
import type { NodeAnswer } from '../model/observation.ts';

/** Who talks to whom: one end that knows where the other is suffices, because its ping tells where it is itself. */
export function linksOf(byId: ReadonlyMap<string, NodeAnswer>): ReadonlyMap<string, ReadonlySet<string>> {
  const links = new Map([...byId.keys()].map((id) => [id, new Set<string>()]));
  for (const [id, answer] of byId) {
    for (const { nodeId, ip } of answer.view) {
      const other = byId.get(nodeId);
      if (other === undefined || ip !== addressOf(other)) continue;
      links.get(id)?.add(nodeId);
      links.get(nodeId)?.add(id);
    }
  }
  return links;
}

/** All that can be reached from a node, itself included. */
export function reach(from: string, links: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const seen = new Set<string>([from]);
  const queue = [from];
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    for (const next of links.get(id) ?? []) {
      if (seen.has(next)) continue;
      seen.add(next);
      queue.push(next);
    }
  }
  return seen;
}

function addressOf({ view, myId }: NodeAnswer): string | undefined {
  return view.find((line) => line.nodeId === myId)?.ip;
}
