/** What must hold when everything is right again, asked of the servers themselves. */
import { slotOfKey } from '../../../cmd/slot-lookup.ts';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import type { PodFacts } from '../../../pkg/cluster/model/observation.ts';
import { containsSlot } from '../../../pkg/cluster/model/slots.ts';
import type { ClusterState } from '../../../pkg/cluster/model/state.ts';
import type { RedisCommand } from '../../../pkg/engine/ports.ts';
import { poll } from '../redis-server.ts';
import type { Scene } from './scene.ts';

/** Sentences, one for each thing that is wrong; none = whole. */
export async function whatIsWrong(scene: Scene): Promise<string[]> {
  const state = interpret(await scene.observe());
  const lost = await lostKeys(scene, state);
  const keys = lost.length === 0 ? [] : [`${lost.length} keys lost or wrong: ${lost.slice(0, 3).join(', ')}`];
  return [...whatIsCrooked(scene, state), ...keys];
}

/** As whatIsWrong, but for the values of keys. */
export function whatIsCrooked(scene: Scene, state: ClusterState): string[] {
  const wrong: string[] = [];
  if (state.uncovered.length > 0) wrong.push(`slots without an owner: ${JSON.stringify(state.uncovered)}`);
  if (state.contested.length > 0) wrong.push(`contested slots: ${JSON.stringify(state.contested)}`);
  if (state.openSlots.length > 0) wrong.push(`open slots: ${state.openSlots.map(({ slot }) => slot).join()}`);
  const isLost = (text: string): boolean => scene.lostIds.some((id) => text.includes(id.slice(0, 8)));
  for (const { differences } of state.views.slice(1)) {
    const real = differences.filter((line) => !isLost(line));
    if (real.length > 0) wrong.push(`a view differs: ${real.join('; ')}`);
  }
  for (const node of state.nodes) {
    if (node.pod === null && !isLost(node.nodeId ?? '')) wrong.push(`a ghost: ${node.nodeId?.slice(0, 8)}`);
    if (node.reply?.kind !== 'answered') {
      if (node.pod !== null || node.slots.length > 0) wrong.push(`${node.pod?.name ?? node.nodeId} does not answer`);
      continue;
    }
    const { info, keysInOwnSlots, clusterInfo } = node.reply.answer;
    const name = node.pod?.name ?? '';
    if (keysInOwnSlots !== null && info.keys !== keysInOwnSlots)
      wrong.push(`${name} holds ${info.keys} keys, ${keysInOwnSlots} in its slots`);
    if (info.role === 'replica' && info.primaryLinkUp !== true) wrong.push(`${name} has no link to its primary`);
    if (clusterInfo.state !== 'ok') wrong.push(`${name} says ${clusterInfo.state}`);
  }
  wrong.push(...misplaced(scene, state));
  return wrong;
}

/** Every replica follows an owner of slots, and every owner has as many as it should; pods that are gone for good are not made here. */
function misplaced({ options, lostIds }: Scene, state: ClusterState): string[] {
  const owners = state.nodes.filter((node) => node.slots.length > 0);
  const lone = state.nodes.filter(
    (node) => node.pod !== null && node.role === 'replica' && !owners.some(({ nodeId }) => nodeId === node.primaryId),
  );
  const short = owners.filter(
    ({ nodeId }) => state.nodes.filter(({ primaryId }) => primaryId === nodeId).length < options.replicas,
  );
  const idle = state.nodes.filter((node) => node.pod !== null && node.role === 'primary' && node.slots.length === 0);
  return [
    ...lone.map(({ pod }) => `${pod?.name} follows no owner of slots`),
    ...(lostIds.length > 0 ? [] : short.map(({ pod }) => `${pod?.name} has too few replicas`)),
    ...idle.map(({ pod }) => `${pod?.name} is a primary of nothing`),
  ];
}

/**
 * Keys that clients miss: the owner of their slot answers, and does not have them, or has them otherwise than it should. Those of a
 * node that is down, or of slots without an owner, are not served, and not lost for that.
 */
export async function lostKeys(scene: Scene, known?: ClusterState): Promise<string[]> {
  const state = known ?? interpret(await scene.observe());
  const served = await Promise.all(
    state.nodes.map(async ({ slots, pod, reply }) => {
      if (pod === null || reply?.kind !== 'answered') return [];
      const keys = [...scene.keys].filter(([key]) => containsSlot(slots, slotOfKey(key)));
      const asked = keys.map(([key, value]): RedisCommand =>
        value.includes(',') ? ['LRANGE', key, 0, -1] : ['GET', key],
      );
      if (asked.length === 0) return [];
      const replies = await readable(scene, pod, asked);
      return keys.map(([key, value], i) => [key, isDown(replies[i]) || String(replies[i]) === value] as const);
    }),
  );
  // Of two pods with one node id, a volume and its clone, one will do.
  const good = new Set(served.flat().flatMap(([key, isGood]) => (isGood ? [key] : [])));
  return [...new Set(served.flat().map(([key]) => key))].filter((key) => !good.has(key));
}

/** Replies, without refusals of a node that is not sure of the cluster for a moment: those are asked for again. */
async function readable(scene: Scene, pod: PodFacts, asked: readonly RedisCommand[]): Promise<readonly unknown[]> {
  let last: readonly unknown[] = [];
  return poll(`${pod.name} serves reads`, 5_000, async () => {
    last = await scene.port.run(pod, asked, 10_000);
    return last.some(isDown) ? null : last;
  }).catch(() => last);
}

function isDown(reply: unknown): boolean {
  return reply instanceof Error && reply.message.startsWith('CLUSTERDOWN');
}
