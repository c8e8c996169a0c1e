/**
 * A replica that somebody wrote to, on real servers: its link is up and its offset that of its primary, and it has not its keys. Nothing of
 * ours gives it the role; and no replica that is well is taken for one while clients write, delete and let keys expire.
 */
import { afterEach, describe, expect, test } from '@jest/globals';
import { check } from '../../../pkg/cluster/check/check.ts';
import { evidenceOf } from '../../../pkg/cluster/evidence/evidence.ts';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import type { Step } from '../../../pkg/cluster/model/plan.ts';
import { chooseFailover } from '../../../pkg/cluster/plan/failover.ts';
import { systemClock } from '../../../pkg/engine/clock.ts';
import type { KubePort, RedisCommand } from '../../../pkg/engine/ports.ts';
import { applyStep } from '../../../pkg/engine/steps/apply.ts';
import { USUAL } from '../../support/broken/all-states.ts';
import { FULL_SLOTS, keysOf, startScene, type Scene } from '../../support/broken/scene.ts';
import { NO_POLICY } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import { whatIsWrong } from '../../support/broken/holds.ts';
import { mend } from '../../support/broken/mend.ts';
import { codeOf } from '../../support/code-of.ts';
import { poll } from '../../support/redis-server.ts';
import { POLITE } from '../../support/move-cluster.ts';
import { specOf } from '../../support/spec.ts';
import { BINARIES } from '../move/servers.ts';

const PRIMARY = 0;
const REPLICA = 3;
const LOOKS = 60;
const KEYS_AT_ONCE = 200;

let scene: Scene | null = null;
afterEach(async () => {
  await scene?.stop();
  scene = null;
});

const incomplete = async (of: Scene): Promise<readonly string[]> => {
  const observation = await of.observe();
  return check(interpret(observation), observation).flatMap(({ code, sentence }) =>
    code === 'replica-incomplete' ? [sentence] : [],
  );
};

/** What `check` says is to be done about it. */
const hints = async (of: Scene): Promise<string> => {
  const observation = await of.observe();
  const found = check(interpret(observation), observation);
  return found.flatMap(({ code, repair }) => (code === 'replica-incomplete' ? [repair] : [])).join();
};

const inStep = (of: Scene): Promise<true> =>
  poll('the replica has heard all', 20_000, async () => {
    const [own] = await of.at(REPLICA, ['INFO', 'replication']);
    const [theirs] = await of.at(PRIMARY, ['INFO', 'replication']);
    const offset = /^slave_repl_offset:(\d+)/m.exec(String(own))?.[1];
    const linked = String(own).includes('master_link_status:up');
    return linked && offset === /^master_repl_offset:(\d+)/m.exec(String(theirs))?.[1] ? true : null;
  });

async function handOver(of: Scene): Promise<void> {
  const end = (index: number): { nodeId: string; pod: string } => ({
    nodeId: of.ids[index] ?? '',
    pod: `redis-${index + 1}-0`,
  });
  const step: Step = { kind: 'failover', node: end(REPLICA), primary: end(PRIMARY), reason: 'the test says so' };
  const deps = { kube: {} as KubePort, redis: of.port, clock: systemClock, spec: specOf(), report: () => undefined };
  const { signal } = new AbortController();
  await applyStep(
    {
      ...deps,
      signal,
      podsTimeoutMs: 1000,
      resume: '',
      ownsObjects: false,
      moving: { mover: of.port.mover, limits: POLITE },
    },
    step,
    await of.observe(),
  );
}

describe.each(BINARIES)('a replica that was written to, $name', ({ server }) => {
  test.each<readonly [string, RedisCommand[], RegExp]>([
    ['emptied', [['FLUSHALL']], /has 0 keys, \d+ fewer than its primary redis-1-0, and is not behind/],
    [
      'short of what it evicted by itself',
      [
        ['CONFIG', 'SET', 'maxmemory-policy', 'allkeys-random'],
        ['CONFIG', 'SET', 'replica-ignore-maxmemory', 'no'],
        ['CONFIG', 'SET', 'maxmemory', 1_000_000],
      ],
      /keys?, \d+ fewer than its primary redis-1-0, and is not behind/,
    ],
  ])(
    '%s: it is named, and does not get the role',
    async (_, commands, says) => {
      const of = await startScene({ ...USUAL, replicas: 1, binary: server });
      scene = of;
      await inStep(of);
      expect(await incomplete(of)).toEqual([]);
      await of.at(REPLICA, ['CONFIG', 'SET', 'replica-read-only', 'no'], ['READONLY'], ...commands);
      await poll('it is named', 20_000, async () => (says.test((await incomplete(of)).join()) ? true : null));
      const state = interpret(await of.observe());
      const choice = chooseFailover(
        { state, evidence: evidenceOf(state, of.kube) },
        { who: 'redis-1-0', to: null, how: 'coordinated' },
      );
      expect(choice).toMatchObject({ kind: 'refused', code: 'replica-incomplete' });
      expect(await codeOf(handOver(of))).toBe('replica-incomplete');
      expect(String((await of.at(PRIMARY, ['ROLE']))[0])).toContain('master');
      // The way out that is named: started again, it copies anew.
      await of.servers[REPLICA]?.stop();
      await of.restart(REPLICA);
      await inStep(of);
      expect(await incomplete(of)).toEqual([]);
      await handOver(of);
      expect(String((await of.at(REPLICA, ['ROLE']))[0])).toContain('master');
    },
    120_000,
  );

  test('that the servers let lead: its old primary has the keys, and fix lets it lead again', async () => {
    const of = await startScene({ ...USUAL, replicas: 1, binary: server });
    scene = of;
    await inStep(of);
    await of.at(REPLICA, ['CONFIG', 'SET', 'replica-read-only', 'no'], ['FLUSHALL']);
    await of.at(REPLICA, ['CLUSTER', 'FAILOVER']);
    const named = async (): Promise<boolean> => {
      const observation = await of.observe();
      return check(interpret(observation), observation).some(({ code }) => code === 'primary-incomplete');
    };
    await poll('it is named', 30_000, async () => ((await named()) ? true : null));
    const { plan, error } = await mend(of, NO_POLICY);
    expect([error, plan.left.map(({ problem }) => problem.code)]).toEqual([null, ['replica-incomplete']]);
    expect(await whatIsWrong(of)).toEqual([]);
  }, 120_000);

  test('with snapshots alone it goes on as it is when its pod is made anew: with an empty volume, which is named, it copies', async () => {
    const of = await startScene({ ...USUAL, replicas: 1, binary: server });
    scene = of;
    for (const index of of.servers.keys()) {
      of.directives.set(index, [['appendonly', 'no']]);
      await of.at(index, ['CONFIG', 'SET', 'appendonly', 'no']);
    }
    await inStep(of);
    await of.at(REPLICA, ['CONFIG', 'SET', 'replica-read-only', 'no'], ['FLUSHALL'], ['SAVE']);
    await of.at(REPLICA, ['CONFIG', 'SET', 'replica-read-only', 'yes']);
    await poll('it is named', 20_000, async () => ((await incomplete(of)).length > 0 ? true : null));
    const hint = await hints(of);
    expect(hint).toContain('delete pvc data-redis-4-0 --wait=false, then kubectl -n default delete pod redis-4-0');
    expect(hint).not.toContain('RESET');
    // Its pod alone made anew, with its volume: the servers agree to go on where it was.
    await of.servers[REPLICA]?.stop();
    await of.restart(REPLICA);
    await inStep(of);
    await poll('it is named still', 20_000, async () => ((await incomplete(of)).length > 0 ? true : null));
    // With its claim: killed in the middle it is empty, or not yet a node.
    await of.wipe(REPLICA);
    await of.restart(REPLICA);
    await of.servers[REPLICA]?.stop();
    await of.restart(REPLICA);
    const { error } = await mend(of, NO_POLICY);
    expect(error).toBeNull();
    await inStep(of);
    expect([await incomplete(of), await whatIsWrong(of)]).toEqual([[], []]);
    const [held, all] = [await of.at(REPLICA, ['DBSIZE']), await of.at(PRIMARY, ['DBSIZE'])];
    expect(held).toEqual(all);
    const { plan } = await mend(of, NO_POLICY);
    expect(plan.repairs.map(({ code }) => code)).toEqual([]);
  }, 180_000);

  test('none is, while clients write, delete, flush a part and let keys expire', async () => {
    const of = await startScene({ ...USUAL, replicas: 1, binary: server });
    scene = of;
    await inStep(of);
    const writing = new AbortController();
    const [slot = 0] = FULL_SLOTS;
    const [tagged = ''] = keysOf(slot);
    const tag = /\{.*\}/.exec(tagged)?.[0] ?? `{${tagged}}`;
    const names = Array.from({ length: KEYS_AT_ONCE }, (_, n) => `${tag}${n}`);
    const clients = (async () => {
      while (!writing.signal.aborted) {
        await of.at(PRIMARY, ['MSET', ...names.flatMap((name) => [name, '1'])]);
        await of.at(PRIMARY, ...names.slice(0, 50).map((name): RedisCommand => ['PEXPIRE', name, 1]));
        await of.at(PRIMARY, ['UNLINK', ...names.slice(100)]);
        await of.at(PRIMARY, ['DEL', ...names]);
      }
    })();
    const said: string[] = [];
    for (let look = 0; look < LOOKS; look++) said.push(...(await incomplete(of)));
    writing.abort();
    await clients;
    expect(said).toEqual([]);
  }, 120_000);
});
