/** The webhook itself: installed, asked by many at once, restarted, broken, switched off, uninstalled. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { PODS } from '../../../cmd/webhook/rollout.ts';
import { CLUSTER_LABEL, INJECTED_ANNOTATION, NODE_LABEL } from '../../../pkg/cluster/model/labels.ts';
import type { KubeObject } from '../../../pkg/engine/ports.ts';
import { makeAuthority } from '../../../webhook/certificate/authority.ts';
import { WEBHOOK_NAME } from '../../../webhook/settings.ts';
import { changeObject } from '../../support/change.ts';
import { cli, kubectl } from '../../support/cli.ts';
import { openClusterEnv, podObject, until, type ClusterEnv } from '../../support/cluster-env.ts';
import {
  describeWebhook,
  installWebhook,
  RESTRICTED,
  WEBHOOK_IMAGE,
  waitingNode,
  type Webhook,
} from '../../support/webhook.ts';

const CONFIGURATION = ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', WEBHOOK_NAME] as const;
const DEPLOYMENT = `deployment/${WEBHOOK_NAME}`;
const AT_ONCE = 10;

describeWebhook('the webhook', () => {
  let webhook: Webhook;
  let env: ClusterEnv;
  beforeAll(async () => {
    webhook = await installWebhook();
    env = await openClusterEnv(RESTRICTED);
  }, 180_000);
  afterAll(async () => {
    await env?.close();
    await webhook?.close();
  }, 60_000);

  const inSystem = (...args: string[]): ReturnType<typeof kubectl> => kubectl(args, webhook.env);
  const scale = async (replicas: number): Promise<void> => {
    await inSystem('scale', DEPLOYMENT, `--replicas=${replicas}`);
    await until(
      () => webhook.env.kube.list('v1', 'Pod', { selector: PODS }),
      (pods) => pods.length === replicas && pods.every(isReady),
      60_000,
    );
  };
  /** Ready pods and new settings reach the API server, and its proxy, a moment later. */
  const untilHealthy = async (): Promise<void> => {
    const status = await until(
      () => webhook.run('status'),
      ({ code }) => code === 0,
      30_000,
    );
    expect([status.code, status.stdout]).toEqual([0, expect.any(String)]);
  };
  const tryOut = (name: string): ReturnType<typeof kubectl> =>
    kubectl(['apply', '--dry-run=server', '-f', '-'], {
      namespace: env.namespace,
      input: waitingNode(name, 'tried-out'),
    });

  test('status: healthy, with image, certificate and who was admitted last', async () => {
    const made = await kubectl(['apply', '-f', '-'], {
      namespace: env.namespace,
      input: waitingNode('first', 'admitted'),
    });
    expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('Warning: the data of this node')]);
    const { code, stdout } = await webhook.run('status');
    expect([code, stdout.split('\n').slice(0, 7)]).toEqual([
      0,
      [
        'Webhook:        healthy',
        `Namespace:      ${webhook.env.namespace}`,
        `Image:          ${WEBHOOK_IMAGE}`,
        'Pods:           2 of 2 ready',
        expect.stringMatching(/^Certificate: {4}(89|90) days left$/),
        'CA published:   yes',
        'Answers:        yes',
      ],
    ]);
    expect(stdout).toContain(`${env.namespace}/admitted-1  injected`);
    expect((await webhook.run('install', '--image', WEBHOOK_IMAGE)).code).toBe(0);
  }, 120_000);

  test('its pods are on two hosts, and a drain takes one of them at a time', async () => {
    const pods = await webhook.env.kube.list('v1', 'Pod');
    const hosts = pods.map(({ spec }) => (spec as { readonly nodeName: string }).nodeName);
    expect(new Set(hosts).size).toBe(2);
    const budget = await webhook.env.kube.get('policy/v1', 'PodDisruptionBudget', WEBHOOK_NAME);
    expect(budget?.['status']).toMatchObject({ disruptionsAllowed: 1, desiredHealthy: 1 });
  });

  test(`${AT_ONCE} pods at once never share a number, and none is given again while its pod is there`, async () => {
    const create = async (name: string): Promise<string> => {
      const pod = await env.kube.create(JSON.parse(waitingNode(name, 'crowd')) as KubeObject);
      return pod.metadata.labels?.[NODE_LABEL] ?? '';
    };
    const names = (prefix: string): string[] => Array.from({ length: AT_ONCE }, (_, at) => `${prefix}-${at}`);
    const expected = Array.from({ length: AT_ONCE }, (_, at) => `crowd-${at + 1}`);
    const nodes = await Promise.all(names('one').map(create));
    expect(nodes.toSorted(byNumber)).toEqual(expected);
    const more = await Promise.all(names('two').map(create));
    expect(more.filter((node) => expected.includes(node))).toEqual([]);
    expect(new Set(more).size).toBe(AT_ONCE);
    const services = await env.kube.list('v1', 'Service', { selector: `${CLUSTER_LABEL}=crowd` });
    expect(services).toHaveLength(2 * AT_ONCE);
    const config = await env.kube.get('v1', 'ConfigMap', 'crowd-state');
    const { nodes: table = '' } = (config?.['data'] ?? {}) as { readonly nodes?: string };
    expect(table.trim().split('\n')).toHaveLength(2 * AT_ONCE);
  }, 60_000);

  test('while its pods are replaced one by one, no admission fails, and both answer', async () => {
    const rollout = { ended: false };
    const ended = inSystem('rollout', 'restart', DEPLOYMENT)
      .then(() => inSystem('rollout', 'status', DEPLOYMENT, '--timeout=120s'))
      .finally(() => (rollout.ended = true));
    const failed: string[] = [];
    let admitted = 0;
    const asker = async (prefix: string): Promise<void> => {
      for (let n = 0; !rollout.ended; n++) {
        const { code, stderr } = await tryOut(`${prefix}-${n}`);
        if (code === 0) admitted += 1;
        else failed.push(stderr);
      }
    };
    await Promise.all(['a', 'b', 'c'].map(asker));
    expect([(await ended).code, failed]).toEqual([0, []]);
    expect(admitted).toBeGreaterThan(10);
    await scale(2);
    await Promise.all(Array.from({ length: 20 }, (_, n) => tryOut(`both-${n}`)));
    const pods = await webhook.env.kube.list('v1', 'Pod');
    const answered = await Promise.all(
      pods.map(async ({ metadata }) =>
        (await webhook.env.kube.logTail(metadata.name, 'webhook', 200)).some((line) => line.includes('"admission"')),
      ),
    );
    expect(answered).toEqual([true, true]);
  }, 180_000);

  test('a caBundle that somebody has damaged is put back within a minute', async () => {
    const { kube } = webhook.env;
    const stranger = Buffer.from((await makeAuthority(Date.now(), 60_000)).cert).toString('base64');
    const before = await kube.get(...CONFIGURATION);
    const webhooks = before?.['webhooks'] as { readonly clientConfig: object }[];
    const damaged = webhooks.map((each) => ({ ...each, clientConfig: { ...each.clientConfig, caBundle: stranger } }));
    await changeObject(kube, CONFIGURATION, (now) => ({ ...now, webhooks: damaged }));
    const seen = await webhook.run('status');
    // Its server may be quicker than we are.
    if (seen.code !== 0) expect([seen.code, seen.stdout]).toEqual([3, expect.stringContaining('caBundle is not that')]);
    await until(
      () => kube.get(...CONFIGURATION),
      (now) => JSON.stringify(now?.['webhooks']) === JSON.stringify(webhooks),
      70_000,
    );
    await untilHealthy();
  }, 120_000);

  test('while it is down only pods that ask for it are refused, and the refusal names it', async () => {
    const { namespace } = env;
    await scale(0);
    const refused = await kubectl(['apply', '-f', '-'], { namespace, input: waitingNode('refused', 'down') });
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('label.pods.kubectl-redis.io')]);
    const status = await webhook.run('status');
    expect([status.code, status.stdout.split('\n')[0]]).toEqual([3, 'Webhook:        not healthy']);
    expect(status.stdout).toContain('its Deployment wants no pods');
    expect(status.stdout).toContain('a pod that asks would not be completed');

    // Others start as ever.
    const other = await openClusterEnv();
    try {
      await other.kube.create(podObject({ name: 'other', labels: { app: 'redis' } }));
      const created = await cli(['create', 'made', '--replicas', '0', '--storage', '100Mi'], other);
      expect([created.code, created.stderr]).toEqual([0, expect.any(String)]);
      await kubectl(['delete', 'pod', 'made-1-0'], other);
      await until(
        () => other.kube.list('v1', 'Pod'),
        (pods) => pods.length === 4 && pods.every(isReady),
        60_000,
      );
    } finally {
      await other.close();
    }
    await scale(2);
    await untilHealthy();
  }, 240_000);

  test('a workload that was refused meanwhile has its pods soon after', async () => {
    await scale(0);
    const spec = (JSON.parse(waitingNode('later', 'late')) as { spec: object }).spec;
    const labels = { app: 'late', [CLUSTER_LABEL]: 'late' };
    await env.kube.create({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'late' },
      spec: { replicas: 2, selector: { matchLabels: { app: 'late' } }, template: { metadata: { labels }, spec } },
    });
    await until(
      () => env.kube.list('v1', 'Event'),
      (events) => JSON.stringify(events).includes('failed calling webhook'),
      30_000,
    );
    await scale(2);
    const pods = await until(
      () => env.kube.list('v1', 'Pod', { selector: 'app=late' }),
      (seen) => seen.length === 2,
      120_000,
    );
    expect(pods.map(({ metadata }) => metadata.annotations?.[INJECTED_ANNOTATION])).toEqual(['webhook', 'webhook']);
  }, 240_000);
});

function isReady({ metadata, status }: KubeObject): boolean {
  const { conditions = [] } = (status ?? {}) as { conditions?: readonly { type: string; status: string }[] };
  const ready = conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
  return ready && metadata['deletionTimestamp'] === undefined;
}

function byNumber(a: string, b: string): number {
  return Number(a.split('-').at(-1)) - Number(b.split('-').at(-1));
}
