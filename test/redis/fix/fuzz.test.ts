/**
 * `fix` on clusters that were broken by chance, again and again, with every key looked at behind each repair. $FIX_SEED makes a run
 * happen again, $FIX_ROUNDS makes it long. On the system's server; with $REDIS_SERVER_EXTRA on those, too.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import { NO_POLICY } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import { AppError } from '../../../pkg/errors.ts';
import { USUAL } from '../../support/broken/all-states.ts';
import { breakByChance, prepareChance } from '../../support/broken/chance.ts';
import { whatIsWrong } from '../../support/broken/holds.ts';
import { mend } from '../../support/broken/mend.ts';
import { startScene, type Scene } from '../../support/broken/scene.ts';
import { poll } from '../../support/redis-server.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { BINARIES } from '../move/servers.ts';

const ROUNDS = Number(process.env['FIX_ROUNDS'] ?? 30);
const SEED = Number(process.env['FIX_SEED'] ?? Date.now() % 1_000_000);
/** Some of the repairs are killed after their first batches, and begun anew. */
const KILLED = 0.3;

let scene: Scene | null = null;
afterEach(async () => {
  await scene?.stop();
  scene = null;
});

describe.each(BINARIES)('clusters broken by chance, $name', ({ server, name }) => {
  test(
    `${ROUNDS} rounds, seed ${SEED}`,
    async () => {
      const of = await startScene({ ...USUAL, binary: server, spare: 1, strangers: true });
      scene = of;
      await prepareChance(of);
      const random = seededRandom(SEED);
      const startedAt = performance.now();
      let faults = 0;
      let killed = 0;
      for (let round = 1; round <= ROUNDS; round++) {
        const said = await breakByChance(of, random);
        faults += said.length;
        const story = `round ${round} of seed ${SEED}: ${said.join('; ')}`;
        if (random() < KILLED) {
          killed++;
          await mend(of, NO_POLICY, Math.floor(random() * 2));
        }
        const { error, plan } = await mend(of, NO_POLICY);
        const outcome = error instanceof AppError ? `${error.code}: ${error.message} (${String(error.cause)})` : error;
        expect([story, outcome]).toEqual([story, null]);
        const left = await poll('whole', 15_000, async () => ((await whatIsWrong(of)).length === 0 ? [] : null)).catch(
          () => whatIsWrong(of),
        );
        expect([story, left, plan.repairs.map(({ code }) => code)]).toEqual([story, [], []]);
      }
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      console.log(`${name}: ${ROUNDS} rounds, ${faults} faults, ${killed} killed repairs, seed ${SEED}, ${seconds} s`);
    },
    120_000 + ROUNDS * 20_000,
  );
});
