/**
 * The failure matrix, made worse: every broken state again, and one more thing is wrong. Whatever `fix` makes of it, no key is lost that it
 * did not name, and that nobody agreed to; it ends; and what it leaves, it says. $FIX_SEED makes a run happen again, $FIX_SAMPLE says how
 * many of all combinations a file tries, or `all`; $FIX_SHOW tells each story.
 */
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { slotOfKey } from '../../../cmd/slot-lookup.ts';
import type { Repair } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import { containsSlot, unionRanges, type SlotRanges } from '../../../pkg/cluster/model/slots.ts';
import { AppError } from '../../../pkg/errors.ts';
import { BINARIES, type Binary } from '../../redis/move/servers.ts';
import { STATES, sceneOf } from '../broken/all-states.ts';
import { mend, policyOf, type Mended } from '../broken/mend.ts';
import { startScene, type Scene } from '../broken/scene.ts';
import type { BrokenState } from '../broken/state.ts';
import { recordRun } from '../long-runs.ts';
import { poll } from '../redis-server.ts';
import { seededRandom } from '../seeded-random.ts';
import { mendUntilNothing, wakeAll } from './bring-back.ts';
import { forgetWhatIsGone, keysLost } from './kept-keys.ts';
import { KINDS, disturb, type Kind } from './one-more.ts';
import { podNameOf, podOf } from './roles.ts';
import type { Disturbance } from './silent.ts';

const SEED = Number(process.env['FIX_SEED'] ?? Date.now() % 1_000_000);
const SAMPLE = process.env['FIX_SAMPLE'] ?? '';
const SHOW = process.env['FIX_SHOW'] !== undefined;
const TEST_MS = 600_000;
/** Of one `fix`, whoever is silent. */
const ENDS_WITHIN_MS = 240_000;

interface Combination {
  readonly state: BrokenState;
  readonly kind: Kind;
  readonly seed: number;
}

interface Tally {
  tried: number;
  repaired: number;
  left: number;
  agreed: number;
}

/** @param sample how many are tried unless $FIX_SAMPLE says otherwise */
export function testWorse(title: string, kinds: readonly Kind[], sample: number): void {
  let scene: Scene | null = null;
  afterEach(async () => {
    await scene?.stop();
    scene = null;
  });

  describe.each(BINARIES)(`${title}, $name, seed ${SEED}`, (binary) => {
    const chosen = sampleOf(kinds, SAMPLE === 'all' ? Infinity : Number(SAMPLE === '' ? sample : SAMPLE));
    const tally: Tally = { tried: 0, repaired: 0, left: 0, agreed: 0 };
    const startedAt = performance.now();
    test.each(chosen.map((one) => [`${one.state.row} ${one.state.name}, and: ${one.kind}`, one] as const))(
      '%s',
      async (_, one) => {
        const of = await startScene(sceneOf(one.state, binary.server));
        scene = of;
        await tryOne(of, one, binary, tally);
      },
      TEST_MS,
    );
    afterAll(() => {
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      const run = { what: `worse: ${kinds.join(', ')}`, server: binary.name, seed: SEED, seconds, ...tally };
      console.log(JSON.stringify(run));
      if (SAMPLE === 'all' && tally.tried === chosen.length) recordRun(run);
    });
  });
}

function sampleOf(kinds: readonly Kind[], count: number): readonly Combination[] {
  const random = seededRandom(SEED * KINDS.length + KINDS.indexOf(kinds[0] ?? 'frozen'));
  const possible = STATES.flatMap((state) =>
    kinds.filter((kind) => kind !== 'behind' || (state.scene?.replicas ?? 0) > 0).map((kind) => ({ state, kind })),
  );
  const all = possible.map((one) => ({ ...one, seed: Math.floor(random() * 2 ** 31), lot: random() }));
  if (count >= all.length) return all;
  return all.toSorted((a, b) => a.lot - b.lot).slice(0, count);
}

async function tryOne(scene: Scene, { state, kind, seed }: Combination, binary: Binary, tally: Tally): Promise<void> {
  const random = seededRandom(seed);
  const { pods } = scene.kube;
  await state.build(scene);
  for (const key of scene.keys.keys()) if (state.lost?.(slotOfKey(key)) === true) scene.keys.delete(key);
  await forgetWhatIsGone(scene);
  const { before, meanwhile } = await disturb(scene, kind, binary, random);
  const disturbances = [...before];
  const story = [`seed ${SEED}`, ...before.map(({ says }) => says)];
  const change = async (when: string): Promise<void> => {
    const more = await meanwhile?.();
    if (more == null) return;
    disturbances.push(more);
    story.push(`${when}: ${more.says}`);
  };
  const agreed: { slots: SlotRanges; names: string[] } = { slots: [], names: [] };
  // Before the plan is run, or at its first question.
  let asked = random() < 0.5;
  if (asked) await change('before it ran');
  const consent = async ({ title, loses }: Repair): Promise<boolean> => {
    if (!asked) await change(`asked for "${title}"`);
    asked = true;
    if (loses === null) return true;
    agreed.slots = unionRanges(agreed.slots, loses.slots);
    agreed.names.push(loses.sentence);
    return true;
  };
  const mended = await mend(scene, policyOf(state), Infinity, { consent });
  story.push(inWords(mended));
  if (SHOW) console.log(`${state.row} ${state.name}, and ${kind}: ${story.join('\n  ')}`);
  expectEnded(story, mended);
  expectNamed(story, await stillSilent(scene, disturbances), mended);

  for (const one of disturbances.toReversed()) await one.back();
  await wakeAll(scene, pods);
  const last = await mendUntilNothing(scene);
  expect([story, last === null]).toEqual([story, false]);
  const lost = async (): Promise<readonly string[]> =>
    (await keysLost(scene)).filter((key) => !containsSlot(agreed.slots, slotOfKey(key)));
  const left = await poll('no key is lost', 15_000, async () => ((await lost()).length === 0 ? [] : null)).catch(lost);
  expect([story, agreed.names, left]).toEqual([story, agreed.names, []]);
  tally.tried += 1;
  tally[mended.plan.left.length === 0 ? 'repaired' : 'left'] += 1;
  if (agreed.names.length > 0) tally.agreed += 1;
}

function inWords({ error, batches, plan, elapsedMs }: Mended): string {
  const failed = error instanceof AppError ? `${error.code}: ${error.message} (${String(error.cause)})` : String(error);
  const left = plan.left.map(({ problem, why }) => `${problem.code} ${why}`);
  return `${(elapsedMs / 1000).toFixed(1)} s, ${failed}; done: ${batches.join(' | ')}; left: ${left.join(', ')}`;
}

/** And finds nothing to do right behind it. */
function expectEnded(story: readonly string[], { error, plan, elapsedMs }: Mended): void {
  expect([story, error]).toEqual([story, null]);
  expect([story, elapsedMs < ENDS_WITHIN_MS]).toEqual([story, true]);
  expect([story, plan.repairs.map(({ code, title }) => `${code}: ${title}`)]).toEqual([story, []]);
}

/** Names of pods that are silent for `fix` now. */
async function stillSilent(scene: Scene, disturbances: readonly Disturbance[]): Promise<readonly string[]> {
  const silent = await Promise.all(
    [...new Set(disturbances.map(({ index }) => index))].map(async (index) => {
      const pod = podOf(scene, index);
      const reply = pod === undefined ? null : await scene.port.ask(pod, { deadlineMs: 2_000 });
      return reply?.kind === 'answered' ? [] : [podNameOf(scene, index)];
    }),
  );
  return silent.flat();
}

/** Who could not be asked is in what was left, by name. */
function expectNamed(story: readonly string[], silent: readonly string[], { plan }: Mended): void {
  const said = plan.left.flatMap(({ problem, hint }) => [problem.sentence, ...problem.nodes, hint]).join('\n');
  expect([story, silent.filter((pod) => !said.includes(pod))]).toEqual([story, []]);
}
