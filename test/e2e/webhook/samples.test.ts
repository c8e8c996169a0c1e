/** Each of manifests/samples: `kubectl apply` and `kubectl redis create` make a cluster, which survives what happens to pods. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { CLUSTER_LABEL } from '../../../pkg/cluster/model/labels.ts';
import type { Observation, PodFacts } from '../../../pkg/cluster/model/observation.ts';
import type { KubeObject } from '../../../pkg/engine/ports.ts';
import { until } from '../../support/cluster-env.ts';
import { isWhole, openTriedCluster, type TriedCluster } from '../../support/survival/tried-cluster.ts';
import { applySample, describeWebhook, installWebhook, type Webhook } from '../../support/webhook.ts';

const NODES = 6;
const isWholeAgain = (seen: Observation, gone: ReadonlySet<string>): boolean =>
  seen.kube.pods.length === NODES && seen.kube.pods.every(({ uid }) => !gone.has(uid)) && isWhole(seen);

/** How all pods of a sample are made anew. With data in an emptyDir, one after the other: together they would take it with them. */
type Restart = (tried: TriedCluster) => Promise<void>;

const allAtOnce: Restart = async (tried) => {
  await tried.kubectl('delete', 'pods', '-l', 'kubectl-redis.io/cluster=redis', '--wait=false');
};
const rollout =
  (workload: string): Restart =>
  async (tried) => {
    await tried.kubectl('rollout', 'restart', workload);
    await tried.kubectl('rollout', 'status', workload, '--timeout=300s');
  };
const oneByOne: Restart = async (tried) => {
  for (const pod of await tried.pods()) {
    await tried.kubectl('delete', 'pod', pod.name, '--wait=false');
    await tried.untilSeen(`${pod.name} replaced`, (seen) => isWholeAgain(seen, new Set([pod.uid])), 120_000);
  }
};

function allowedBy({ status }: KubeObject): number | undefined {
  return (status as { readonly disruptionsAllowed?: number } | undefined)?.disruptionsAllowed;
}

interface Sample {
  readonly file: string;
  /** Of the cluster. */
  readonly name: string;
  /** Whether its data go with its pods. */
  readonly ephemeral: boolean;
  readonly restarts: Readonly<Record<string, Restart>>;
}

const SAMPLES: readonly Sample[] = [
  {
    file: 'replica-sets.yaml',
    name: 'redis',
    ephemeral: true,
    restarts: { 'pods deleted one by one': oneByOne },
  },
  {
    file: 'stateful-set.yaml',
    name: 'redis',
    ephemeral: false,
    restarts: { 'all pods deleted at once': allAtOnce, 'rollout restart': rollout('statefulset/redis') },
  },
  {
    file: 'deployment.yaml',
    name: 'cache',
    ephemeral: true,
    restarts: { 'rollout restart': rollout('deployment/cache') },
  },
];

describeWebhook('the samples', () => {
  let webhook: Webhook;
  beforeAll(async () => {
    webhook = await installWebhook();
  }, 180_000);
  afterAll(() => webhook?.close(), 60_000);

  describe.each(SAMPLES)('$file', ({ file, name, ephemeral, restarts }) => {
    let tried: TriedCluster;
    beforeAll(async () => {
      tried = await openTriedCluster({ name, masters: 3, replicas: 1, bring: (env) => applySample(env, file) });
    }, 300_000);
    afterAll(() => tried?.close(), 60_000);

    const anew = async (scenario: string, gone: readonly PodFacts[]): Promise<void> => {
      const uids = new Set(gone.map(({ uid }) => uid));
      const whole = await tried.untilSeen(scenario, (seen) => isWholeAgain(seen, uids), 120_000);
      await tried.settle(`${file}: ${scenario}`, { whole });
    };

    test('is a healthy cluster', async () => {
      const { items } = JSON.parse((await tried.run('check', name, '-o', 'json')).stdout) as {
        readonly items: readonly { readonly code: string }[];
      };
      // The one thing that there is to say of a cache.
      expect(items.map(({ code }) => code)).toEqual(ephemeral ? ['ephemeral-data'] : []);
      const again = await tried.run('create', name);
      expect([again.code, again.stdout]).toEqual([0, expect.stringContaining('Nothing was changed')]);
    }, 60_000);

    test('has a Service for clients, and budgets that let one node of each shard go', async () => {
      const service = await tried.env.kube.get('v1', 'Service', name);
      expect(service?.['spec']).toMatchObject({ selector: { [CLUSTER_LABEL]: name }, type: 'ClusterIP' });
      await until(
        () => tried.env.kube.list('policy/v1', 'PodDisruptionBudget'),
        (budgets) => JSON.stringify(budgets.map(allowedBy)) === '[1,1,1]',
        30_000,
      );
    }, 60_000);

    test('survives the loss of a pod', async () => {
      const { primary } = await tried.firstShard();
      await tried.kubectl('delete', 'pod', primary.name, '--grace-period=0', '--force');
      await anew("a primary's pod deleted by force", [primary]);
    }, 240_000);

    test.each(Object.entries(restarts))(
      'survives: %s',
      async (scenario, restart) => {
        const before = await tried.pods();
        await restart(tried);
        await anew(scenario, before);
      },
      600_000,
    );
  });
});
