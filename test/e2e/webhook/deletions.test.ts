/**
 * Pods of a StatefulSet that the webhook made nodes of are deleted at random while the cluster is written to: gently, by force,
 * with their volumes. No acknowledged write that a replica had is lost.
 *
 *   E2E_DELETIONS=N   how many pods; 15 when left out, 100 in `test/run long`
 *   E2E_SEED=N        the same choices again
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Observation, PodFacts } from '../../../pkg/cluster/model/observation.ts';
import { seededRandom } from '../../support/seeded-random.ts';
import { isWhole, openTriedCluster, type TriedCluster } from '../../support/survival/tried-cluster.ts';
import { applySample, describeWebhook, installWebhook, type Webhook } from '../../support/webhook.ts';

const NODES = 6;
const DELETIONS = Number(process.env['E2E_DELETIONS'] ?? '15');
const SEED = Number(process.env['E2E_SEED'] ?? String(Date.now() % 1_000_000));
const KINDS = ['gently', 'by force', 'with its volume'] as const;
type Kind = (typeof KINDS)[number];
/** After so many everything is read back. */
const READ_BACK = 10;
const WHOLE_MS = 120_000;

describeWebhook('pods deleted at random', () => {
  let webhook: Webhook | undefined;
  let tried: TriedCluster | undefined;
  beforeAll(async () => {
    webhook = await installWebhook();
    tried = await openTriedCluster({ masters: 3, replicas: 1, bring: (env) => applySample(env, 'stateful-set.yaml') });
  }, 360_000);
  afterAll(async () => {
    await tried?.close();
    await webhook?.close();
  }, 60_000);

  async function remove(cluster: TriedCluster, pod: PodFacts, kind: Kind): Promise<void> {
    if (kind === 'with its volume') {
      await cluster.kubectl('delete', 'pvc', `data-${pod.name}`, '--wait=false');
    }
    const force = kind === 'gently' ? [] : ['--grace-period=0', '--force'];
    await cluster.kubectl('delete', 'pod', pod.name, '--wait=false', ...force);
  }

  test(
    `${DELETIONS} pods, volumes of theirs among what is lost: no replicated write is`,
    async () => {
      if (tried === undefined) throw new Error('there is no cluster');
      const random = seededRandom(SEED);
      const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
      const counts: Record<Kind, number> = { gently: 0, 'by force': 0, 'with its volume': 0 };
      const seconds: number[] = [];
      for (let n = 1; n <= DELETIONS; n++) {
        const pod = pick(await tried.pods());
        // Every kind is among the first ones.
        const kind = KINDS[n <= KINDS.length ? n - 1 : Math.floor(random() * KINDS.length)] ?? 'gently';
        counts[kind] += 1;
        await remove(tried, pod, kind);
        const isBack = ({ kube, ...rest }: Observation): boolean =>
          kube.pods.length === NODES && kube.pods.every(({ uid }) => uid !== pod.uid) && isWhole({ kube, ...rest });
        // With one replica a shard loses writes where the second of its nodes goes before the first is back.
        seconds.push(await tried.untilSeen(`${pod.name} deleted ${kind}, number ${n}, seed ${SEED}`, isBack, WHOLE_MS));
        if (n % READ_BACK === 0 || n === DELETIONS) {
          await tried.settle(`${n} pods deleted at random (seed ${SEED})`, { 'slowest return': Math.max(...seconds) });
        }
      }
      expect(counts['with its volume']).toBeGreaterThan(0);
    },
    DELETIONS * (WHOLE_MS / 2) + 120_000,
  );
});
