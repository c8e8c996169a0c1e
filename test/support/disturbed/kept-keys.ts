/** Where every key is: with an owner that serves it, only kept by some server, or nowhere. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { slotOfKey } from '../../../cmd/slot-lookup.ts';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import { containsSlot } from '../../../pkg/cluster/model/slots.ts';
import { lostKeys } from '../broken/holds.ts';
import type { Scene } from '../broken/scene.ts';

/** Keys that clients miss, and keys of slots without an owner that answers which no server has. */
export async function keysLost(scene: Scene): Promise<readonly string[]> {
  const state = interpret(await scene.observe());
  const missed = await lostKeys(scene, state);
  const served = state.nodes.filter(({ reply }) => reply?.kind === 'answered').flatMap(({ slots }) => slots);
  const unserved = [...scene.keys.keys()].filter((key) => !containsSlot(served, slotOfKey(key)));
  if (unserved.length === 0) return missed;
  const kept = await keptKeys(scene);
  return [...missed, ...unserved.filter((key) => !kept.has(key))];
}

/** Takes out of the scene what no server has, and no volume of one that can't be asked: it was lost before anybody repaired. */
export async function forgetWhatIsGone(scene: Scene): Promise<void> {
  const asleep = scene.servers.some(
    ({ pid, dir, address }) =>
      (pid === -1 || scene.wires.frozen.has(address)) && existsSync(join(dir, 'appendonlydir')),
  );
  if (asleep) return;
  const kept = await keptKeys(scene);
  for (const key of scene.keys.keys()) if (!kept.has(key)) scene.keys.delete(key);
}

/** Keys of all servers that answer, also of slots that they do not own. */
async function keptKeys(scene: Scene): Promise<ReadonlySet<string>> {
  const all = await Promise.all(
    scene.servers.map(async ({ pid, pod, address }) => {
      if (pid === -1 || scene.wires.frozen.has(address)) return [];
      const [keys] = await scene.direct.run(pod, [['KEYS', '*']], 5_000).catch(() => [[]]);
      return Array.isArray(keys) ? keys.map(String) : [];
    }),
  );
  return new Set(all.flat());
}
