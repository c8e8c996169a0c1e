/** A replica that has lost its primary a while ago, and lacks what was written since. */
import { slotOfKey } from '../../../cmd/slot-lookup.ts';
import { containsSlot } from '../../../pkg/cluster/model/slots.ts';
import { reasonOf } from '../../../pkg/errors.ts';
import type { RedisCommand } from '../../../pkg/engine/ports.ts';
import type { Scene } from '../broken/scene.ts';
import { serverAt } from '../broken/moves.ts';
import { poll, type Directive } from '../redis-server.ts';
import { podNameOf, rolesOf, type Role } from './roles.ts';
import type { Disturbance } from './silent.ts';

/** Only a person makes it lead; and by its masterauth it follows nobody until it is put right. */
const KEPT: readonly Directive[] = [['cluster-replica-no-failover', 'yes']];
const KEPT_APART: readonly Directive[] = [...KEPT, ['masterauth', 'wrong']];

export interface FallBehind {
  readonly replica: Role;
  readonly primary: Role;
  /** Added to the age of its link. */
  readonly ageSeconds: number;
  /** On the primary it is refused for all its replicas, else on the replica for every primary. */
  readonly by: 'primary' | 'replica';
}

/** Cuts its link. Nobody has written anything yet. */
export async function loseLink(scene: Scene, { replica, primary, ageSeconds, by }: FallBehind): Promise<Disturbance> {
  const { index } = replica;
  const { password } = scene.options;
  await scene.at(index, ['CONFIG', 'SET', 'cluster-replica-no-failover', 'yes']);
  scene.directives.set(index, by === 'primary' ? KEPT : KEPT_APART);
  if (by === 'primary') {
    await scene.at(
      primary.index,
      ['ACL', 'SETUSER', 'default', '-psync', '-sync', '-replconf'],
      ['CLIENT', 'KILL', 'TYPE', 'replica'],
    );
  } else {
    await scene.at(index, ['CONFIG', 'SET', 'masterauth', 'wrong'], ['CLIENT', 'KILL', 'TYPE', 'master']);
  }
  await poll('the link is down', 20_000, async () => ((await linkOf(scene, index)) === 'down' ? true : null));
  scene.wires.linkAges.set(serverAt(scene, index).address, ageSeconds);
  return {
    index,
    says: `${podNameOf(scene, index)} has lost its link ${ageSeconds} s ago (by its ${by})`,
    // Its age stays, and so does that it leads only where it is told to: for as long as it has not followed again.
    back: async () => {
      scene.directives.set(index, KEPT);
      // The primary may be away, or another one by now.
      const allowed = ['ACL', 'SETUSER', 'default', '+@all'] as const;
      if (by === 'primary') await scene.at(primary.index, allowed).catch(() => null);
      await scene.at(index, ['CONFIG', 'SET', 'masterauth', password ?? '']).catch(() => null);
    },
  };
}

async function linkOf(scene: Scene, index: number): Promise<'up' | 'down' | 'leads'> {
  const [info] = await scene.at(index, ['INFO', 'replication']);
  if (/^role:master/m.test(String(info))) return 'leads';
  return /master_link_status:up/.test(String(info)) ? 'up' : 'down';
}

/** Who fell behind and follows again, or leads by now, is as the others are. */
export async function forgetBehind(scene: Scene): Promise<void> {
  await Promise.all(
    [...scene.directives.keys()].map(async (index) => {
      const again = async (): Promise<true | null> => ((await linkOf(scene, index)) === 'down' ? null : true);
      const isAsBefore = await poll('it follows again', 15_000, again).catch(() => false);
      if (!isAsBefore) return;
      await scene.at(index, ['CONFIG', 'SET', 'cluster-replica-no-failover', 'no']);
      scene.directives.delete(index);
      scene.wires.linkAges.delete(serverAt(scene, index).address);
    }),
  );
}

export interface Written {
  /** Value of each key now. */
  readonly values: ReadonlyMap<string, string>;
  readonly says: string;
}

let writes = 0;

/**
 * Writes to slots of a primary, new keys and old ones, until every replica that has a link has them, too.
 * @throws when it does not lead any more, or its replicas do not follow
 */
export async function write(scene: Scene, primary: Role, count: number, random: () => number): Promise<Written> {
  const own = [...scene.keys.keys()].filter((key) => containsSlot(primary.slots, slotOfKey(key)));
  const values = new Map<string, string>();
  for (let i = 0; i < count && own.length > 0; i++) {
    const key = own[Math.floor(random() * own.length)] ?? '';
    const tag = /\{.*\}/.exec(key)?.[0] ?? '';
    writes += 1;
    values.set(random() < 0.3 ? key : `late:${writes}:${tag}`, `written ${writes}`);
  }
  if (values.size === 0) return { values, says: 'nothing to write' };
  const sets = [...values].map(([key, value]): RedisCommand => ['SET', key, value]);
  const refused = await scene.at(primary.index, ...sets).then(() => null, reasonOf);
  // Without a majority nobody writes; anything else is no server as it should be.
  if (refused?.includes('CLUSTERDOWN') === true) return { values: new Map(), says: 'it takes no writes' };
  if (refused !== null) throw new Error(refused);
  for (const [key, value] of values) scene.keys.set(key, value);
  await untilReceived(scene, primary);
  return { values, says: `${values.size} keys were written to ${podNameOf(scene, primary.index)}` };
}

/** All its replicas that have a link now. */
async function untilReceived(scene: Scene, primary: Role): Promise<void> {
  await poll('replicas have received it', 20_000, async () => {
    const roles = await rolesOf(scene);
    const followers = roles.filter((role) => role.primary === primary.index && role.linkUp);
    const [acknowledged] = await scene.at(primary.index, ['WAIT', followers.length, 1_000]);
    return Number(acknowledged) >= followers.length ? true : null;
  });
}
