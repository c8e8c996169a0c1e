/** A replica that has lost its primary a while ago, and lacks what was written since. */
import { slotOfKey } from '../../../cmd/slot-lookup.ts';
import { containsSlot } from '../../../pkg/cluster/model/slots.ts';
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
  const before = [...(scene.directives.get(index) ?? [])];
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
  await poll('the link is down', 20_000, async () => {
    const [info] = await scene.at(index, ['INFO', 'replication']);
    return /master_link_status:down/.test(String(info)) ? true : null;
  });
  const { address } = serverAt(scene, index);
  scene.wires.linkAges.set(address, ageSeconds);
  return {
    index,
    says: `${podNameOf(scene, index)} has lost its link ${ageSeconds} s ago (by its ${by})`,
    back: async () => {
      scene.wires.linkAges.delete(address);
      scene.directives.set(index, before);
      // The primary may be away, or another one by now.
      const restored = [['ACL', 'SETUSER', 'default', '+@all'] as const];
      if (by === 'primary') await scene.at(primary.index, ...restored).catch(() => null);
      await scene
        .at(
          index,
          ['CONFIG', 'SET', 'masterauth', password ?? ''],
          ['CONFIG', 'SET', 'cluster-replica-no-failover', 'no'],
        )
        .catch(() => null);
    },
  };
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
  await scene.at(primary.index, ...[...values].map(([key, value]): RedisCommand => ['SET', key, value]));
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
