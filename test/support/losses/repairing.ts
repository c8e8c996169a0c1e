/** How a round is repaired: what the plan names as lost, what of it somebody agrees to, what changes meanwhile, and the run itself. */
import { NO_POLICY, type FixPlan, type FixPolicy, type Repair } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import { normalizeRanges, unionRanges, type SlotRanges } from '../../../pkg/cluster/model/slots.ts';
import { prepareFailover, runFailover } from '../../../pkg/engine/failover.ts';
import { prepareFix } from '../../../pkg/engine/fix.ts';
import { AppError, reasonOf } from '../../../pkg/errors.ts';
import { CLUSTER, hastyClock, isChange, mend, mendKilled, portsOf, type Mended } from '../broken/mend.ts';
import { write } from '../disturbed/behind.ts';
import { pick } from '../disturbed/one-more.ts';
import { podNameOf, podOf, rolesOf } from '../disturbed/roles.ts';
import { SILENCES, silence } from '../disturbed/silent.ts';
import type { Broken } from './breaking.ts';
import { shardsOf, type World } from './world.ts';

export const HASTE = hastyClock(5, 2);

export interface Repaired {
  /** Slots whose keys may be gone: a repair named them, and somebody agreed. */
  readonly agreed: SlotRanges;
  /** The most keys that it named; null = it could not know. */
  readonly keysNamed: number | null;
  /** It left, or refused, what loses keys or what can't be. */
  readonly refused: boolean;
  readonly killed: boolean;
  readonly changed: boolean;
  readonly failover: boolean;
  /** Codes of errors that runs ended with. */
  readonly errors: readonly string[];
  /** A sentence where the plan itself is wrong. */
  readonly wrong: string | null;
}

interface Agreement {
  slots: SlotRanges;
  keys: number | null;
}

const signal = new AbortController().signal;

export async function repairByFix(world: World, broken: Broken, random: () => number): Promise<Repaired> {
  const { scene } = world;
  const ports = portsOf(scene, HASTE);
  const shown = await prepareFix(ports, { cluster: CLUSTER, policy: NO_POLICY, mover: scene.port.mover, signal });
  const unasked = shown.plan.repairs.filter(({ loses }) => loses !== null);
  const policy = policyFor(shown.plan, random);
  broken.story.push(planInWords(shown.plan), `policy: ${JSON.stringify(policy)}`);
  const changes = random() < 0.4 ? random() : null;
  let changed = false;
  const change = async (): Promise<void> => {
    if (changes === null || changed) return;
    changed = true;
    broken.story.push(`meanwhile: ${await changeSomething(world, broken, random)}`);
  };
  // After the plan was shown, at the first question, or just before something is sent.
  if (changes !== null && changes < 0.35) await change();
  const last = changes !== null && changes > 0.7;
  const run: typeof scene.port.run = async (pod, commands, deadlineMs, fence) => {
    if (commands.some(isChange)) await change();
    return scene.port.run(pod, commands, deadlineMs, fence);
  };
  const acted = last ? { ...scene, port: { ...scene.port, run } } : scene;
  const agreement: Agreement = { slots: [], keys: 0 };
  const consent = async (repair: Repair): Promise<boolean> => {
    if (!last) await change();
    agree(agreement, repair.loses);
    broken.story.push(`asked: ${repair.title}; loses ${repair.loses?.sentence ?? 'nothing'}`);
    return true;
  };
  const as = { clock: HASTE, consent };
  const errors: string[] = [];
  let killed = false;
  if (random() < 0.25) {
    const when = random() < 0.5 ? 'before' : 'after';
    killed = await mendKilled(acted, policy, 1 + Math.floor(random() * 2), when, as).catch((error: unknown) => {
      errors.push(codeOf(error));
      return false;
    });
  }
  const mended = await mend(acted, policy, Infinity, as);
  broken.story.push(mendedInWords(mended));
  if (mended.error !== null) errors.push(codeOf(mended.error));
  return {
    agreed: agreement.slots,
    keysNamed: agreement.keys,
    refused: mended.plan.left.some(({ problem }) => problem.severity === 'critical'),
    killed,
    changed,
    failover: false,
    errors,
    wrong:
      unasked.length === 0 ? null : `without a policy it plans to lose: ${unasked.map(({ title }) => title).join()}`,
  };
}

/** `failover --force` or `--takeover`, on the shard that is broken. */
export async function repairByFailover(world: World, broken: Broken, random: () => number): Promise<Repaired> {
  const { scene } = world;
  const { primary, replicas } = broken.shard;
  const ports = portsOf(scene, HASTE);
  const heir = pick(random, replicas);
  const named = podOf(scene, primary.index) === undefined || random() < 0.5 ? heir?.index : primary.index;
  const how = random() < 0.6 ? 'force' : 'takeover';
  const wish = { who: podNameOf(scene, named ?? primary.index), to: null, how } as const;
  const agreement: Agreement = { slots: [], keys: 0 };
  const errors: string[] = [];
  let changed = false;
  try {
    const { goal, loss } = await prepareFailover(ports, { cluster: CLUSTER, wish, signal });
    broken.story.push(`failover ${wish.who} --${how}: would lose ${loss?.sentence ?? 'nothing'}`);
    const agreed = loss === null ? [] : (pick(random, [loss.slots, loss.slots, partOf(loss.slots), []]) ?? []);
    if (random() < 0.3) {
      changed = true;
      broken.story.push(`meanwhile: ${await changeSomething(world, broken, random)}`);
    }
    if (loss !== null && agreed === loss.slots) agree(agreement, loss);
    broken.story.push(`agreed to ${JSON.stringify(agreed)}`);
    if (goal !== null)
      await runFailover(ports, { cluster: CLUSTER, goal, agreed, shown: null, report: () => undefined, signal });
  } catch (error) {
    errors.push(codeOf(error));
    broken.story.push(`${codeOf(error)}: ${String(error)}`);
  }
  const common = { killed: false, changed, failover: true, errors, wrong: null };
  return { agreed: agreement.slots, keysNamed: agreement.keys, refused: errors.length > 0, ...common };
}

function agree(agreement: Agreement, loss: Repair['loses']): void {
  if (loss === null) return;
  agreement.slots = unionRanges(agreement.slots, loss.slots);
  agreement.keys = agreement.keys === null || loss.keys === null ? null : agreement.keys + loss.keys;
}

/** All slots whose loss a plan asks consent for. */
export function namedIn({ left }: FixPlan): SlotRanges {
  return left
    .flatMap(({ flag }) => (flag === null ? [] : rangesIn(flag)))
    .reduce<SlotRanges>((sum, one) => unionRanges(sum, [one]), []);
}

/** From the flags that the plan names: none, exactly those, or a part of the slots. */
function policyFor(plan: FixPlan, random: () => number): FixPolicy {
  const flags = plan.left.flatMap(({ flag }) => flag ?? []);
  const named = namedIn(plan);
  const takeover = {
    ...NO_POLICY,
    takeover: random() < (flags.some((flag) => flag.includes('--takeover')) ? 0.7 : 0.2),
  };
  const dice = random();
  if (named.length === 0 || dice < 0.2) return takeover;
  return { ...takeover, acceptDataLoss: dice < 0.8 ? named : partOf(named) };
}

function rangesIn(flag: string): SlotRanges {
  const typed = /--accept-data-loss (\S+)/.exec(flag)?.[1] ?? '';
  return typed
    .split(',')
    .filter((word) => word !== '')
    .map((word) => {
      const [start = 0, end = start] = word.split('-').map(Number);
      return { start, end };
    });
}

/** Half of the first range is left out. */
function partOf(slots: SlotRanges): SlotRanges {
  return normalizeRanges(
    slots.flatMap((range, at) => {
      if (at > 0) return [range];
      const middle = Math.floor((range.start + range.end) / 2);
      return range.start === range.end ? [] : [{ start: middle + 1, end: range.end }];
    }),
  );
}

/** Somebody who is away comes back, or another one goes. */
async function changeSomething(world: World, { disturbances }: Broken, random: () => number): Promise<string> {
  const { scene } = world;
  const away = pick(random, disturbances);
  if (away !== null && random() < 0.6) {
    disturbances.splice(disturbances.indexOf(away), 1);
    await away.back();
    const written = random() < 0.5 ? await writeAgain(world, random) : '';
    return `no more: ${away.says}${written}`;
  }
  const [who, how] = [pick(random, await rolesOf(scene)), pick(random, SILENCES)];
  const known = disturbances.some(({ index }) => index === who?.index);
  if (who === null || how === null || known) return 'nothing';
  const silent = await silence(scene, who.index, how);
  disturbances.push(silent);
  return silent.says;
}

/** Clients are back as soon as a primary is. */
async function writeAgain({ scene }: World, random: () => number): Promise<string> {
  const shard = pick(random, await shardsOf(scene));
  if (shard === null) return '';
  const { says } = await write(scene, shard.primary, 4, random);
  return `; ${says}`;
}

function codeOf(error: unknown): string {
  return error instanceof AppError ? error.code : String(error);
}

function planInWords({ repairs, left }: FixPlan): string {
  const does = repairs.map(({ code, title, loses }) => `${code}: ${title}${loses === null ? '' : ' (loses)'}`);
  const leaves = left.map(({ problem, why, flag }) => `${problem.code} ${flag ?? why}`);
  return `shown: ${does.join(' | ')}; left: ${leaves.join(', ')}`;
}

function mendedInWords({ error, batches, plan, elapsedMs }: Mended): string {
  const failed = error === null ? 'ended' : `${codeOf(error)} (${reasonOf(error)})`;
  const left = plan.left.map(({ problem, why, hint }) => `${problem.code} ${why} [${hint.slice(0, 160)}]`);
  return `${failed} after ${(elapsedMs / 1000).toFixed(1)} s: ${batches.join(' | ')}; left: ${left.join(', ')}`;
}
