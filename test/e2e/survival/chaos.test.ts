/**
 * Everything at once: pods and hosts go while the cluster is scaled and restarted and written to; volumes are lost in between,
 * when the other copy is whole. What an operation that was hit could not finish, the same command does.
 *
 * What happens when is left to chance, so it is a part of `npm run test:long`; E2E_CHAOS=1 runs a short one.
 * CHAOS_SEED = the seed that a failed run printed.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import type { PodFacts } from '../../../pkg/cluster/model/observation.ts';
import { kubectl, type Ended } from '../../support/cli.ts';
import { openClusterEnv, until } from '../../support/cluster-env.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { away, createHosts, describeHosts, hostNames, LONG } from '../../support/survival/hosts.ts';
import { openTriedCluster, othersAreWhole, type TriedCluster } from '../../support/survival/tried-cluster.ts';

const SEED = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);
/** Each begins with the shape that the one before left. */
const OPERATIONS = [
  ['scale', 'redis', '--masters', '4', '--yes'],
  ['restart', 'redis', '--yes'],
  ['scale', 'redis', '--masters', '3', '--yes'],
  ['restart', 'redis', '--yes'],
] as const;
const ROUNDS = LONG ? 12 : OPERATIONS.length;
/** A command that was hit as often as this and still does not end well, does not end at all. */
const TRIES = 6;
/** An operation is under way for at least so long: it is hit somewhere in it. */
const HIT_WITHIN_MS = 8_000;

(LONG || process.env['E2E_CHAOS'] === '1' ? describeHosts : describe.skip)('chaos', () => {
  const hosts = createHosts();
  const random = seededRandom(SEED);
  let tried: TriedCluster;
  let stays = '';
  beforeAll(async () => {
    const env = await openClusterEnv();
    stays = (await hostNames(env))[0] ?? '';
    await env.close();
    tried = await openTriedCluster({ masters: 3, replicas: 1, host: stays });
  }, 240_000);
  afterEach(() => hosts.restore(tried.env), 240_000);
  afterAll(() => tried.close());

  const pick = <T>(from: readonly T[]): T => {
    const picked = from[Math.floor(random() * from.length)];
    if (picked === undefined) throw new Error('nothing to pick from');
    return picked;
  };
  const anyPod = async (): Promise<PodFacts> =>
    pick((await tried.pods()).filter((pod) => !pod.terminating && pod.host !== null));
  /** Away until the others have taken over, or until it is plain that without it there is no majority. */
  const hostGone = async (
    gone: (host: string) => Promise<void>,
    back: (host: string) => Promise<void>,
  ): Promise<void> => {
    const host = pick((await hostNames(tried.env)).filter((name) => name !== stays));
    const pods = new Set((await tried.pods()).filter((pod) => pod.host === host).map(({ name }) => name));
    await gone(host);
    await tried.untilSeen('the others', (seen) => othersAreWhole(seen, pods), 30_000).catch(() => undefined);
    await back(host);
  };
  const harm: Readonly<Record<string, () => Promise<unknown>>> = {
    'a pod deleted': async () => tried.kubectl('delete', 'pod', (await anyPod()).name, '--wait=false'),
    'a host crashed': () =>
      hostGone(
        (host) => hosts.crash(host),
        (host) => hosts.boot(host),
      ),
    'a pod deleted by force': async () =>
      kubectl(['delete', 'pod', (await anyPod()).name, '--grace-period=0', '--force'], tried.env),
    'a host cut off': () =>
      hostGone(
        (host) => hosts.cut(host),
        (host) => hosts.join(host),
      ),
  };

  /** Hits the command once, at a random moment, and lets the same command finish. */
  const hit = async (args: readonly string[], what: string): Promise<Ended> => {
    const hitAfterMs = random() * HIT_WITHIN_MS;
    const running = tried.run(...args);
    await Promise.race([running, new Promise((resolve) => setTimeout(resolve, hitAfterMs))]);
    await harm[what]?.();
    await until(
      () => kubectl(['wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=5s'], tried.env),
      (ended) => ended.code === 0,
      90_000,
    );
    let ended = await running;
    for (let tries = 1; ended.code !== 0 && tries < TRIES; tries++) {
      console.log(
        `${args.join(' ')} met "${what}" and ended with ${ended.code}: ${ended.stderr.trim().split('\n').slice(-3).join(' | ')}`,
      );
      await tried.whole(120_000).catch(() => undefined);
      ended = await tried.run(...args);
    }
    return ended;
  };

  test(
    `${ROUNDS} rounds, seed ${SEED}: no acknowledged and replicated write is lost, and it ends healthy`,
    async () => {
      const kinds = Object.keys(harm);
      const lost: string[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        const args = OPERATIONS[round % OPERATIONS.length] ?? OPERATIONS[0];
        const ended = await hit(args, kinds[round % kinds.length] ?? '');
        expect([args.join(' '), ended.code, ended.stderr]).toEqual([args.join(' '), 0, expect.any(String)]);
        await tried.whole(120_000);
        const { name } = await anyPod();
        lost.push(name);
        await tried.kubectl('delete', 'pvc', `data-${name}`, '--wait=false');
        await kubectl(['delete', 'pod', name, '--grace-period=0', '--force'], tried.env);
        await away({ short: 0, long: 10 });
        await tried.whole(120_000);
      }
      expect(lost).toHaveLength(ROUNDS);
      await tried.settle('operations hit by crashes, cuts and deletions, and volumes lost in between', {});
      const check = await tried.run('check', 'redis');
      expect([check.code, check.stdout]).toEqual([0, expect.any(String)]);
    },
    LONG ? 3_600_000 : 900_000,
  );
});
