/**
 * What `fix` and `failover` say that they lose, and what is lost, on clusters whose primaries go while replicas are behind and others are
 * silent, again and again. $FIX_SEED makes a run happen again, $FIX_ROUNDS makes it long, on $FIX_LANES clusters side by side;
 * $FIX_REPLAY=SEED,REPLICAS is one round of it on a new cluster, and $FIX_SHOW tells each story. On the system's server; with
 * $REDIS_SERVER_EXTRA on those, too.
 */
import { describe, expect, test } from '@jest/globals';
import { recordRun } from '../../support/long-runs.ts';
import { noFindings, runRounds } from '../../support/losses/rounds.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { BINARIES } from '../move/servers.ts';

const ROUNDS = Number(process.env['FIX_ROUNDS'] ?? 12);
const SEED = Number(process.env['FIX_SEED'] ?? Date.now() % 1_000_000);
const LANES = Number(process.env['FIX_LANES'] ?? 3);
const REPLAY = process.env['FIX_REPLAY'] ?? '';
/** As many rounds make a run whose result is written down. */
const LONG_RUN = 200;

describe.each(BINARIES)('what is said to be lost, and what is lost, $name', ({ server, name }) => {
  const [replayed = 0, replicas = 1] = REPLAY.split(',').map(Number);
  test(
    REPLAY === '' ? `${ROUNDS} rounds, seed ${SEED}` : `round ${REPLAY}`,
    async () => {
      const startedAt = performance.now();
      const findings = noFindings();
      const random = seededRandom(SEED);
      const seeds = Array.from({ length: ROUNDS }, () => Math.floor(random() * 2 ** 31));
      const lanes = Array.from({ length: LANES }, (_, lane) => seeds.filter((_one, at) => at % LANES === lane));
      if (REPLAY === '') await Promise.all(lanes.map((lane) => runRounds(server, lane, findings)));
      else await runRounds(server, [replayed], findings, replicas);
      const seconds = Math.round((performance.now() - startedAt) / 1000);
      const { tally, faults, errors } = findings;
      const run = { what: 'losses', server: name, seed: SEED, seconds, ...tally, faults: faults.length };
      console.log([JSON.stringify(run), ...[...errors].map(([what, times]) => `${times} times ${what}`)].join('\n'));
      expect(faults.join('\n\n')).toBe('');
      expect(tally.void).toBeLessThanOrEqual(Math.max(2, ROUNDS / 10));
      if (ROUNDS >= LONG_RUN) recordRun(run);
    },
    180_000 + ROUNDS * 40_000,
  );
});
