/** What else can be wrong with a cluster that is broken already: done to a node by chance, once or in two parts around a plan. */
import type { Binary } from '../../redis/move/servers.ts';
import { untilPrimary } from '../broken/moves.ts';
import type { Scene } from '../broken/scene.ts';
import { poll } from '../redis-server.ts';
import { loseLink, write } from './behind.ts';
import { podNameOf, podOf, rolesOf, type Role } from './roles.ts';
import { silence, type Disturbance, type Silence } from './silent.ts';

export const KINDS = ['frozen', 'tunnel', 'loading', 'pending', 'behind', 'thinks'] as const;
export type Kind = (typeof KINDS)[number];

export interface OneMore {
  /** Done before anybody looks. */
  readonly before: readonly Disturbance[];
  /** Done while a person reads the plan; null = nothing. */
  readonly meanwhile: (() => Promise<Disturbance | null>) | null;
}

/** Ways in which a process ends, and is started again when it comes back. */
const RESTARTS: readonly Silence[] = ['loading', 'pending', 'crashed', 'missing'];

export async function disturb(scene: Scene, kind: Kind, binary: Binary, random: () => number): Promise<OneMore> {
  if (kind === 'thinks') return think(scene, binary, random);
  if (kind === 'behind') return { before: await leaveBehind(scene, random), meanwhile: null };
  const silent = await silenceOne(scene, kind, binary, random);
  return { before: silent === null ? [] : [silent], meanwhile: null };
}

export function pick<T>(random: () => number, items: readonly T[]): T | null {
  return items[Math.floor(random() * items.length)] ?? null;
}

/** null = nobody is left who could fall silent. */
async function silenceOne(
  scene: Scene,
  how: Silence,
  binary: Binary,
  random: () => number,
): Promise<Disturbance | null> {
  const roles = (await rolesOf(scene)).filter(({ index }) => podOf(scene, index) !== undefined);
  const keeps = await Promise.all(
    roles.map(async ({ index }) => !RESTARTS.includes(how) || (await survives(scene, index, binary))),
  );
  const chosen = pick(
    random,
    roles.filter((_, at) => keeps[at]),
  );
  return chosen === null ? null : silence(scene, chosen.index, how);
}

/** Servers that move slots by themselves delete keys of slots that they do not own when they are started again. */
async function survives(scene: Scene, index: number, { atomic }: Binary): Promise<boolean> {
  const server = scene.servers[index];
  if (!atomic || server === undefined) return true;
  const reply = await scene.direct.ask(server.pod, { deadlineMs: 5_000, countKeys: true });
  if (reply.kind !== 'answered') return false;
  const { info, keysInOwnSlots } = reply.answer;
  return info.role === 'replica' || info.keys === keysInOwnSlots;
}

const HOUR = 3_600;

/** A replica falls hours behind; then, by chance, its primary goes. */
async function leaveBehind(scene: Scene, random: () => number): Promise<Disturbance[]> {
  const roles = await rolesOf(scene);
  const replica = pick(
    random,
    roles.filter(({ primary, linkUp }) => primary !== null && linkUp),
  );
  const primary = roles.find(({ index }) => index === replica?.primary);
  if (replica === null || primary === undefined) return [];
  const alone = roles.filter((role) => role.primary === primary.index).length === 1;
  const ageSeconds = HOUR * (1 + Math.floor(random() * 40));
  const lost = await loseLink(scene, { replica, primary, ageSeconds, by: alone ? 'primary' : 'replica' });
  const { says } = await write(scene, primary, 12, random);
  const link = { ...lost, says: `${lost.says}; ${says}` };
  const how = pick(random, ['crashed', 'pending', 'missing', 'frozen', 'loading', 'tunnel', null] as const);
  return how === null ? [link] : [link, await silence(scene, primary.index, how)];
}

/** Somebody comes back, goes, or leads in another's place while a person reads. */
async function think(scene: Scene, binary: Binary, random: () => number): Promise<OneMore> {
  const kind = pick(random, ['returns', 'leaves', 'hands over'] as const);
  const away = pick(random, ['frozen', 'tunnel', 'crashed', 'pending', 'missing'] as const) ?? 'frozen';
  if (kind === 'returns') {
    const silent = await silenceOne(scene, away, binary, random);
    const back = async (): Promise<Disturbance | null> => {
      await silent?.back();
      return (
        silent && { ...silent, says: `${podNameOf(scene, silent.index)} came back`, back: () => Promise.resolve() }
      );
    };
    return { before: silent === null ? [] : [silent], meanwhile: back };
  }
  if (kind === 'leaves') return { before: [], meanwhile: () => silenceOne(scene, away, binary, random) };
  return { before: [], meanwhile: () => handOver(scene, random) };
}

async function handOver(scene: Scene, random: () => number): Promise<Disturbance | null> {
  const roles = await rolesOf(scene);
  const leads = ({ primary }: Role): boolean =>
    roles.some(({ index, role }) => index === primary && role === 'primary');
  const replica = pick(
    random,
    roles.filter((role) => role.linkUp && leads(role)),
  );
  if (replica === null) return null;
  const { index } = replica;
  await poll('it was let in', 10_000, async () => {
    await scene.at(index, ['CLUSTER', 'FAILOVER']);
    await untilPrimary(scene, index);
    return true;
  }).catch(() => null);
  return { index, says: `${podNameOf(scene, index)} was told to lead`, back: () => Promise.resolve() };
}
