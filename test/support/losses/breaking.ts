/** What goes wrong in a round: by chance a replica falls behind, its primary goes, somebody else is silent, or all of it at once. */
import { poll } from '../redis-server.ts';
import { loseLink, write } from '../disturbed/behind.ts';
import { pick } from '../disturbed/one-more.ts';
import { podNameOf, rolesOf, type Role } from '../disturbed/roles.ts';
import { SILENCES, silence, type Disturbance } from '../disturbed/silent.ts';
import { loseVolume, shardsOf, type Shard, type World } from './world.ts';

export interface Broken {
  readonly shard: Shard;
  readonly story: string[];
  /** In the order in which they were done. */
  readonly disturbances: Disturbance[];
  /** Keys that nobody can bring back, because their last volume is gone. */
  readonly gone: number;
}

const HOUR = 3_600;
const AGES = [20, 90, HOUR, 30 * HOUR] as const;

export async function breakByChance(world: World, random: () => number): Promise<Broken> {
  const { scene } = world;
  const shards = await shardsOf(scene);
  const shard = pick(random, shards);
  if (shard === null) throw new Error('there is no shard to break');
  const story: string[] = [];
  const disturbances: Disturbance[] = [];
  let gone = 0;
  const add = (one: Disturbance): void => {
    disturbances.push(one);
    story.push(one.says);
  };
  const others = (): readonly Role[] =>
    shards
      .flatMap(({ primary, replicas }) => [primary, ...replicas])
      .filter(({ index }) => index !== shard.primary.index && !disturbances.some((one) => one.index === index));
  const silenceAnother = async (among: readonly Role[]): Promise<void> => {
    const [who, how] = [pick(random, among), pick(random, SILENCES)];
    if (who === null || how === null) return;
    // A replica whose process has ended misses what is written from then on.
    const known = world.snapshots;
    if (who.role === 'replica' && how !== 'frozen' && how !== 'tunnel' && !known.has(who.index))
      known.set(who.index, new Map(scene.keys));
    add(await silence(scene, who.index, how));
  };
  if (random() < 0.1) await silenceAnother(others());
  if (random() < 0.8) for (const one of await fallBehind(world, shard, disturbances, random)) add(one);
  if (random() < 0.3) add(await holdBack(world, shard));
  if (random() < 0.35) {
    const near = new Set(shard.replicas.map(({ index }) => index));
    await silenceAnother(random() < 0.4 ? others().filter(({ index }) => near.has(index)) : others());
  }
  if (random() < 0.9 || disturbances.length === 0) {
    const how = pick(random, [...SILENCES, 'volume'] as const) ?? 'crashed';
    if (how === 'volume') {
      gone = await loseVolume(world, shard, shard.primary.index);
      story.push(`${podNameOf(scene, shard.primary.index)} has lost its volume, and with it ${gone} keys`);
    } else add(await silence(scene, shard.primary.index, how));
  }
  if (random() < 0.15) await silenceAnother(others().filter(({ role }) => role === 'primary'));
  if (random() < 0.7) await untilSeen(world, shard, random() < 0.5);
  return { shard, story, disturbances, gone };
}

/** One of its replicas, sometimes another after it; each lacks what is written then. */
async function fallBehind(
  { scene, snapshots }: World,
  { primary, replicas }: Shard,
  disturbances: readonly Disturbance[],
  random: () => number,
): Promise<readonly Disturbance[]> {
  const done: Disturbance[] = [];
  const fit = replicas.filter(({ index, linkUp }) => linkUp && !disturbances.some((one) => one.index === index));
  const count = Math.min(fit.length, random() < 0.4 ? 2 : 1);
  let ageSeconds = (pick(random, AGES) ?? HOUR) * 2;
  for (const replica of fit.toSorted(() => random() - 0.5).slice(0, count)) {
    const by = replicas.length === 1 && random() < 0.5 ? 'primary' : 'replica';
    const lost = await loseLink(scene, { replica, primary, ageSeconds, by });
    snapshots.set(replica.index, new Map(scene.keys));
    ageSeconds = Math.ceil(ageSeconds / 2);
    const { says } = await write(scene, primary, 3 + Math.floor(random() * 15), random);
    done.push({ ...lost, says: `${lost.says}; ${says}` });
  }
  return done;
}

/** Its replicas are not elected by themselves: whoever leads is told to. */
async function holdBack({ scene }: World, { replicas }: Shard): Promise<Disturbance> {
  const tell = async (word: 'yes' | 'no'): Promise<void> => {
    for (const { index } of replicas.filter((one) => word === 'yes' || !scene.directives.has(one.index)))
      await scene.at(index, ['CONFIG', 'SET', 'cluster-replica-no-failover', word]).catch(() => null);
  };
  await tell('yes');
  return { index: -1, says: 'its replicas wait to be told', back: () => tell('no') };
}

/** Until somebody doubts the primary, or has it down for failed; not for long. */
async function untilSeen({ scene }: World, { primary }: Shard, failed: boolean): Promise<void> {
  await poll(
    'it is seen down',
    4_000,
    async () => {
      const roles = await rolesOf(scene);
      const flags = roles
        .flatMap(({ answer }) => answer.view.filter(({ nodeId }) => nodeId === primary.nodeId))
        .flatMap((line) => line.flags);
      return flags.includes('fail') || (!failed && flags.includes('fail?')) ? true : null;
    },
    100,
  ).catch(() => null);
}
