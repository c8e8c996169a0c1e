/** When a node last heard others: the sixth field of their lines of CLUSTER NODES, by the node's own clock (TIME). */
import type { GossipNode } from '../../cluster/model/observation.ts';

/**
 * @param nodes the reply to CLUSTER NODES that `view` was parsed from
 * @param time the reply to TIME: seconds and microseconds, as text
 * @returns milliseconds by node id; null where the time is not known
 */
export function parseLastHeard(
  nodes: string,
  view: readonly GossipNode[],
  time: unknown,
): Readonly<Record<string, number>> | null {
  const nowMs = millisecondsOf(time);
  if (nowMs === null) return null;
  const heard: Record<string, number> = {};
  const silent = new Set(view.filter(isSilent).map(({ nodeId }) => nodeId));
  if (silent.size === 0) return heard;
  for (const [nodeId, pongMs] of parsePongs(nodes)) {
    // 0: never since it started.
    if (silent.has(nodeId) && pongMs > 0) heard[nodeId] = Math.max(0, nowMs - pongMs);
  }
  return heard;
}

/** When the node that gave this reply to CLUSTER NODES last heard each node, by its own clock: milliseconds since 1970 by id; 0 = never. */
export function parsePongs(nodes: string): ReadonlyMap<string, number> {
  return new Map(
    nodes.split('\n').flatMap((line) => {
      const [nodeId = '', , , , , pong] = line.split(' ');
      const pongMs = Number(pong);
      return Number.isFinite(pongMs) ? [[nodeId, pongMs]] : [];
    }),
  );
}

function isSilent({ flags, linkUp }: GossipNode): boolean {
  return !linkUp || flags.some((flag) => flag === 'fail' || flag === 'fail?' || flag === 'noaddr');
}

function millisecondsOf(time: unknown): number | null {
  if (!Array.isArray(time)) return null;
  const [seconds, microseconds] = time.map(Number);
  if (seconds === undefined || microseconds === undefined || !Number.isFinite(seconds + microseconds)) return null;
  return seconds * 1000 + Math.floor(microseconds / 1000);
}
