/** A small cluster that is broken and mended round after round, and what of its keys there must still be. */
import { slotOfKey } from '../../../cmd/slot-lookup.ts';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import { containsSlot, type SlotRanges } from '../../../pkg/cluster/model/slots.ts';
import type { RedisCommand } from '../../../pkg/engine/ports.ts';
import { USUAL } from '../broken/all-states.ts';
import { lostKeys, whatIsCrooked } from '../broken/holds.ts';
import { serverAt } from '../broken/moves.ts';
import { startScene, type Scene } from '../broken/scene.ts';
import { podNameOf, podOf, rolesOf, type Role } from '../disturbed/roles.ts';
import { putPod } from '../disturbed/silent.ts';

export interface World {
  readonly scene: Scene;
  readonly pods: Scene['kube']['pods'];
  /** All keys as a replica that fell behind has them, by its index; who is not here has all. */
  readonly snapshots: Map<number, ReadonlyMap<string, string>>;
  /** Servers whose volume is gone, and whose guard waits. */
  readonly wiped: Set<number>;
}

export interface Shard {
  readonly primary: Role;
  readonly replicas: readonly Role[];
}

const NODE_TIMEOUT_MS = 1_000;

export async function createWorld(binary: string, replicas: number): Promise<World> {
  const scene = await startScene({ ...USUAL, binary, replicas, nodeTimeoutMs: NODE_TIMEOUT_MS });
  spread(scene);
  return { scene, pods: scene.kube.pods, snapshots: new Map(), wiped: new Set() };
}

/** Each on a host of its own, so that nobody hands a role over for where a node stands. */
function spread(scene: Scene): void {
  const hosts = scene.kube.pods.map(({ name }) => ({
    name: `host-of-${name}`,
    zone: null,
    ready: true,
    schedulable: true,
  }));
  const pods = scene.kube.pods.map((pod) => ({ ...pod, host: `host-of-${pod.name}` }));
  scene.kube = { ...scene.kube, pods, hosts };
}

export async function shardsOf(scene: Scene): Promise<readonly Shard[]> {
  const roles = await rolesOf(scene);
  return roles
    .filter(({ role, slots }) => role === 'primary' && slots.length > 0)
    .map((primary) => ({ primary, replicas: roles.filter((one) => one.primary === primary.index) }));
}

/**
 * Ends a node with its volume; its guard waits. What nobody else of the shard has is lost with it, whatever `fix` does.
 * @returns how many keys that are
 */
export async function loseVolume({ scene, snapshots, wiped }: World, shard: Shard, index: number): Promise<number> {
  const { address } = serverAt(scene, index);
  await scene.wipe(index);
  wiped.add(index);
  scene.wires.frozen.delete(address);
  const name = podNameOf(scene, index);
  const id = scene.ids[index]?.slice(0, 8) ?? '';
  scene.logs.set(name, [
    `guard: waiting for the cluster to let go of node ${id} at ${address}: this volume has no data, and other nodes still show it`,
  ]);
  scene.changePod(index, (pod) => ({ ...pod, ready: false }));
  const left = [shard.primary, ...shard.replicas].map((role) => role.index).filter((one) => !wiped.has(one));
  if (left.some((one) => !snapshots.has(one))) return 0;
  // Who lost its link later has all that those before it have.
  const best = [...snapshots].filter(([one]) => left.includes(one)).at(-1)?.[1] ?? new Map<string, string>();
  return expectOnly(scene, shard.primary.slots, best);
}

function expectOnly({ keys }: Scene, slots: SlotRanges, known: ReadonlyMap<string, string>): number {
  let gone = 0;
  for (const [key, value] of Array.from(keys)) {
    const then = known.get(key);
    if (!containsSlot(slots, slotOfKey(key)) || then === value) continue;
    gone += 1;
    if (then === undefined) keys.delete(key);
    else keys.set(key, then);
  }
  return gone;
}

/** As a guard does: the empty node starts once nobody shows its id any more as an owner of slots, nor as somebody who is followed. */
export async function startEmptied({ scene, pods, wiped }: World): Promise<void> {
  const roles = await rolesOf(scene);
  if (roles.length === 0) return;
  for (const index of Array.from(wiped)) {
    const { address } = serverAt(scene, index);
    const holds = roles.some(({ answer: { view } }) => {
      const ids = view.filter(({ ip }) => ip === address).map(({ nodeId }) => nodeId);
      return view.some(
        (line) => (ids.includes(line.nodeId) && line.slots.length > 0) || ids.includes(line.primaryId ?? ''),
      );
    });
    if (holds) continue;
    await scene.restart(index);
    wiped.delete(index);
    scene.logs.delete(podNameOf(scene, index));
    const pod = pods.find(({ name }) => name === podNameOf(scene, index));
    if (pod !== undefined && podOf(scene, index) !== undefined) putPod(scene, pod);
    const [id] = await scene.at(index, ['CLUSTER', 'MYID']);
    scene.ids[index] = String(id);
  }
}

/** What is not as it should be, values of keys left out. */
export async function crooked(scene: Scene): Promise<readonly string[]> {
  return whatIsCrooked(scene, interpret(await scene.observe()));
}

export interface Difference {
  readonly key: string;
  readonly slot: number;
  /** null = it is not there. */
  readonly is: string | null;
}

/** Keys that are not as they must be, with what their owners say now. */
export async function differences(scene: Scene): Promise<readonly Difference[]> {
  const keys = await lostKeys(scene);
  const shards = await shardsOf(scene);
  return Promise.all(
    keys.map(async (key): Promise<Difference> => {
      const slot = slotOfKey(key);
      const owner = shards.find(({ primary }) =>
        primary.answer.view.some((line) => line.nodeId === primary.nodeId && containsSlot(line.slots, slot)),
      );
      const read: RedisCommand = ['GET', key];
      const [value] = owner === undefined ? [null] : await scene.at(owner.primary.index, read);
      return { key, slot, is: typeof value === 'string' || Buffer.isBuffer(value) ? value.toString() : null };
    }),
  );
}

/** From now on what is there is what must be there. */
export function accept({ scene, snapshots }: World, found: readonly Difference[]): void {
  snapshots.clear();
  for (const { key, is } of found) {
    if (is === null) scene.keys.delete(key);
    else scene.keys.set(key, is);
  }
}
