/** A healthy cluster of real servers: check names nothing, fix plans nothing and touches nothing. */
import { afterEach, expect, test } from '@jest/globals';
import { NO_POLICY } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import { USUAL } from '../../support/broken/all-states.ts';
import { whatIsWrong } from '../../support/broken/holds.ts';
import { codesOf, mend } from '../../support/broken/mend.ts';
import { startScene, type Scene } from '../../support/broken/scene.ts';
import { poll } from '../../support/redis-server.ts';
import { BINARIES } from '../move/servers.ts';

let scene: Scene | null = null;
afterEach(async () => {
  await scene?.stop();
  scene = null;
});

test.each(BINARIES)('a healthy cluster, $name', async ({ server }) => {
  const of = await startScene({ ...USUAL, replicas: 1, binary: server });
  scene = of;
  const named = await poll('no problem', 10_000, async () => ((await codesOf(of)).length === 0 ? [] : null)).catch(() =>
    codesOf(of),
  );
  expect(named).toEqual([]);
  const { error, batches, plan } = await mend(of, { ...NO_POLICY, takeover: true, forgetStrangers: true });
  expect([error, batches, plan]).toEqual([null, [], { repairs: [], left: [] }]);
  await poll('whole', 10_000, async () => ((await whatIsWrong(of)).length === 0 ? true : null)).catch(() => null);
  expect(await whatIsWrong(of)).toEqual([]);
});
