/** Rounds: break, repair, bring everything back, repair again, and compare what was said to be lost with what is lost. */
import { containsSlot, formatRanges, unionRanges } from '../../../pkg/cluster/model/slots.ts';
import { NO_POLICY, type FixPolicy } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import type { Mended } from '../broken/mend.ts';
import { mendUntilNothing, wakeAll } from '../disturbed/bring-back.ts';
import { poll } from '../redis-server.ts';
import { seededRandom } from '../seeded-random.ts';
import { breakByChance, type Broken } from './breaking.ts';
import { HASTE, namedIn, repairByFailover, repairByFix, type Repaired } from './repairing.ts';
import { accept, createWorld, crooked, differences, startEmptied, type Difference, type World } from './world.ts';

export interface Tally {
  rounds: number;
  /** Nothing was lost, and nothing left that keeps slots from being served. */
  repaired: number;
  /** It waits for nodes that are away, or for consent. */
  refused: number;
  /** Loss was named and agreed to, and there was one. */
  saidAndLost: number;
  /** And there was none. */
  saidAndKept: number;
  /** Keys whose last volume was lost. */
  lostWithVolumes: number;
  keysSaidAndLost: number;
  failovers: number;
  killed: number;
  changed: number;
  /** Rounds in which the cluster could not be broken as wished. */
  void: number;
}

export interface Findings {
  readonly tally: Tally;
  /** Errors by code, and why rounds are void. */
  readonly errors: Map<string, number>;
  readonly faults: string[];
}

export function noFindings(): Findings {
  const none = { saidAndLost: 0, saidAndKept: 0, lostWithVolumes: 0, keysSaidAndLost: 0, failovers: 0, killed: 0 };
  const tally = { rounds: 0, repaired: 0, refused: 0, ...none, changed: 0, void: 0 };
  return { tally, errors: new Map(), faults: [] };
}

const WORLD_LASTS = 25;
const WHOLE_WITHIN_MS = 40_000;
/** Of rounds that were replayed, and of all where it is asked for. */
const SHOW = process.env['FIX_SHOW'] !== undefined;

/** @param seeds of the rounds, each on the cluster that the one before left */
export async function runRounds(
  binary: string,
  seeds: readonly number[],
  findings: Findings,
  replicas: number | null = null,
): Promise<void> {
  let world: World | null = null;
  let age = 0;
  try {
    for (const seed of seeds) {
      const random = seededRandom(seed);
      if (world === null) {
        age = 0;
        world = await createWorld(binary, replicas ?? (seed % 2 === 0 ? 2 : 1));
      }
      const whole = await tryRound(world, seed, random, findings);
      age += 1;
      if (whole && age < WORLD_LASTS) continue;
      await world.scene.stop();
      world = null;
    }
  } finally {
    await world?.scene.stop();
  }
}

/** @returns whether the cluster is good for another one */
async function tryRound(world: World, seed: number, random: () => number, findings: Findings): Promise<boolean> {
  const { tally, errors, faults } = findings;
  tally.rounds += 1;
  const name = `round ${seed} with ${world.scene.options.replicas} replicas`;
  let broken: Broken;
  try {
    broken = await breakByChance(world, random);
  } catch (error) {
    count(errors, `void: ${String(error)}`);
    tally.void += 1;
    return false;
  }
  try {
    const fault = await finishRound(world, broken, random, findings);
    if (SHOW) console.log(`${name}: ${[...broken.story, fault ?? 'well'].join('\n  ')}`);
    if (fault === null) return true;
    faults.push([name, ...broken.story, fault].join('\n  '));
  } catch (error) {
    count(errors, `void: ${String(error)}`);
    if (SHOW) console.log(`${name}: ${[...broken.story, String(error)].join('\n  ')}`);
    tally.void += 1;
  }
  return false;
}

/** @returns what is wrong; null = nothing */
async function finishRound(
  world: World,
  broken: Broken,
  random: () => number,
  findings: Findings,
): Promise<string | null> {
  const { scene } = world;
  const repaired = await (random() < 0.2 ? repairByFailover : repairByFix)(world, broken, random);
  for (const code of repaired.errors) count(findings.errors, code);
  if (repaired.wrong !== null) return repaired.wrong;
  for (const one of broken.disturbances.splice(0).toReversed()) await one.back();
  await wakeAll(scene, world.pods);
  // A guard that waits is no server that runs.
  for (const index of world.wiped) scene.changePod(index, (pod) => ({ ...pod, ready: false }));
  let last: Mended | null = null;
  const whole = (policy: FixPolicy): Promise<readonly string[]> =>
    poll('whole', WHOLE_WITHIN_MS, async () => {
      await startEmptied(world);
      last = await mendUntilNothing(scene, () => startEmptied(world), { clock: HASTE }, policy);
      return world.wiped.size === 0 && (await crooked(scene)).length === 0 ? [] : null;
    }).catch(() => crooked(scene));
  let left = await whole(NO_POLICY);
  // A primary's volume is gone, and of its replicas one is behind and one was started again: that is for a person to decide.
  const named = left.length === 0 || last === null ? [] : namedIn((last as Mended).plan);
  if (named.length > 0) {
    broken.story.push(`at the end agreed to ${formatRanges(named)}`);
    left = await whole({ ...NO_POLICY, acceptDataLoss: named });
  }
  const agreed = unionRanges(repaired.agreed, named);
  const lost = await differences(scene);
  const unsaid = lost.filter(({ slot }) => !containsSlot(agreed, slot));
  if (unsaid.length > 0) return `LOST AND NOT SAID: ${inWords(unsaid)}; ${left.join('; ')}`;
  const missing = lost.filter(({ is }) => is === null).length;
  if (repaired.keysNamed !== null && named.length === 0 && missing > repaired.keysNamed)
    return `FEWER SAID THAN LOST: ${missing} keys are missing, ${repaired.keysNamed} were named`;
  if (last === null) return 'ENDLESS: fix goes on and on';
  if (left.length > 0) return `NOT WHOLE: ${left.join('; ')}`;
  countRound(findings.tally, { ...repaired, agreed }, lost, broken.gone);
  accept(world, lost);
  return null;
}

function countRound(tally: Tally, repaired: Repaired, lost: readonly Difference[], gone: number): void {
  if (repaired.agreed.length > 0) tally[lost.length > 0 ? 'saidAndLost' : 'saidAndKept'] += 1;
  else tally[repaired.refused ? 'refused' : 'repaired'] += 1;
  tally.keysSaidAndLost += lost.length;
  tally.lostWithVolumes += gone;
  if (repaired.failover) tally.failovers += 1;
  if (repaired.killed) tally.killed += 1;
  if (repaired.changed) tally.changed += 1;
}

function count(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

function inWords(lost: readonly Difference[]): string {
  const some = lost.slice(0, 5).map(({ key, slot, is }) => `${key} (slot ${slot}) is ${is ?? 'not there'}`);
  return `${lost.length} keys: ${some.join(', ')}`;
}
