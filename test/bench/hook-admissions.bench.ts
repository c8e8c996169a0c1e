/**
 * Admissions on a real Kubernetes: pods are made at a steady rate, and the webhook makes nodes of them, with all its look-ups and
 * writes: first of new clusters, slowly; then, when those pods are gone, again, as after a restart of all. Each cluster has a namespace
 * of its own; then the same with all of them in one, because a list of pods costs what the namespace holds, unless etcd can tell the
 * API server that its cache is new enough (3.4.31, 3.5.13 and later can). What an admission took is what the webhook logs; what people
 * notice is how much longer the making of a pod takes.
 *
 * Needs $E2E_KUBECONFIG, and $E2E_WEBHOOK_IMAGE, an image of the webhook that the hosts have. No webhook may be installed.
 */
import { randomBytes } from 'node:crypto';
import type { KubeObject } from '../../pkg/engine/ports.ts';
import { createRestClient } from '../../pkg/kube/client.ts';
import { loadKubeTarget } from '../../pkg/kube/config.ts';
import { createKubePort } from '../../pkg/kube/kube-port.ts';
import { poll } from '../support/redis-server.ts';
import { CLI, runToEnd } from './command.ts';
import { median, percentile, writeSection } from './report.ts';

const A_SECOND = 20;
const SECONDS = 15;
/** Every new node is a Service more, for the proxy of every host. */
const FIRST_A_SECOND = 4;
const PODS_A_CLUSTER = 20;
const WARM_UP = 40;
const MAX_P99_MS = 20;

const kubeconfig = process.env['E2E_KUBECONFIG'] ?? '';
const image = process.env['E2E_WEBHOOK_IMAGE'] ?? '';
if (kubeconfig === '' || image === '') throw new Error('set E2E_KUBECONFIG and E2E_WEBHOOK_IMAGE');
const env = { KUBECONFIG: kubeconfig, NO_COLOR: '1' };
const id = randomBytes(4).toString('hex');
const [system, pods] = [`bench-hook-${id}`, `bench-pods-${id}`];

const kubectl = (...args: string[]): ReturnType<typeof runToEnd> => runToEnd(['kubectl', ...args], env);
const webhook = (...args: string[]): ReturnType<typeof runToEnd> =>
  runToEnd([...CLI, 'webhook', ...args, '-n', system], env);
const client = createRestClient(loadKubeTarget({ kubeconfig, namespace: pods }));
const COUNT = A_SECOND * SECONDS;
const OWN = Array.from({ length: COUNT / PODS_A_CLUSTER }, (_, cluster) => `${pods}-${cluster}`);
const ONE = OWN.map(() => pods);

/** A pod that no host takes. */
function podObject(name: string, n: number, inCluster: boolean): KubeObject {
  const cluster = `shop${Math.floor(n / PODS_A_CLUSTER)}x`;
  const labels: Record<string, string> = inCluster
    ? { 'kubectl-redis.io/cluster': cluster, name: `${cluster}-${(n % PODS_A_CLUSTER) + 1}` }
    : {};
  const spec = { nodeSelector: { 'no-such-host': '' }, containers: [{ name: 'redis', image: 'redis' }] };
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec };
}

/**
 * Makes pods at the rate, however long each takes; returns how long each took, in milliseconds.
 *
 * @param namespaces of each cluster; null = pods that do not ask
 */
async function make(
  prefix: string,
  count: number,
  namespaces: readonly string[] | null,
  rate = A_SECOND,
): Promise<number[]> {
  const ports = new Map([pods, ...OWN].map((namespace) => [namespace, createKubePort(client, namespace)]));
  const from = performance.now();
  const made: Promise<number>[] = [];
  for (let n = 0; n < count; n++) {
    const due = from + (n * 1000) / rate - performance.now();
    if (due > 0) await new Promise((resolve) => setTimeout(resolve, due));
    const asked = performance.now();
    const kube = ports.get(namespaces?.[Math.floor(n / PODS_A_CLUSTER)] ?? pods);
    if (kube === undefined) throw new Error('no such namespace');
    const pod = podObject(`${prefix}-${n}`, n, namespaces !== null);
    const one = kube.create(pod).then(() => performance.now() - asked);
    // Heard below, when all were asked for: until then a failure must not end this program, which cleans up.
    one.catch(() => undefined);
    made.push(one);
  }
  return Promise.all(made);
}

/** Milliseconds of every admission of such pods that the webhook's pods logged. */
async function logged(prefix: string): Promise<number[]> {
  const { stdout } = await kubectl(
    'logs',
    '-n',
    system,
    '-l',
    'app.kubernetes.io/name=kubectl-redis-webhook',
    '--tail=-1',
  );
  return stdout.split('\n').flatMap((line) => {
    if (!line.includes('"msg":"admission"')) return [];
    const { ms, pod: name, result } = JSON.parse(line) as { ms: number; pod: string | null; result: string };
    if (!String(name).startsWith(`${prefix}-`)) return [];
    if (result !== 'injected') throw new Error(line);
    return [ms];
  });
}

interface Restart {
  /** Milliseconds of the admissions of new nodes, of those that came back, and of the making of the latter. */
  readonly first: readonly number[];
  readonly again: readonly number[];
  readonly made: readonly number[];
}

/** Makes all pods, deletes them, and makes them again under other names. */
async function restart(prefix: string, namespaces: readonly string[]): Promise<Restart> {
  await make(`${prefix}-first`, COUNT, namespaces, FIRST_A_SECOND);
  for (const namespace of new Set(namespaces))
    await kubectl('delete', 'pods', '--all', '-n', namespace, '--wait=false');
  const left = async (): Promise<number> => {
    const lists = [...new Set(namespaces)].map((each) => createKubePort(client, each).list('v1', 'Pod', {}));
    return (await Promise.all(lists)).flat().length;
  };
  await poll('no pod', 60_000, async () => ((await left()) === 0 ? true : null));
  const made = await make(`${prefix}-again`, COUNT, namespaces);
  const [first, again] = [await logged(`${prefix}-first`), await logged(`${prefix}-again`)];
  if (again.length !== COUNT) throw new Error(`${COUNT} pods were made, ${again.length} admissions were logged`);
  return { first, again, made };
}

async function main(): Promise<void> {
  for (const namespace of [pods, ...OWN]) await kubectl('create', 'namespace', namespace);
  await webhook('install', '--image', image);
  await make('warm-up', WARM_UP, null);
  const plain = await make('plain', COUNT, null);
  await kubectl('delete', 'pods', '--all', '-n', pods, '--wait=false');
  const own = await restart('own', OWN);
  const one = await restart('one', ONE);
  const row = (what: string, values: readonly number[]): string[] => [
    what,
    `${median(values).toFixed(1)} ms`,
    `${percentile(values, 0.99).toFixed(1)} ms`,
    `${Math.max(...values).toFixed(1)} ms`,
  ];
  writeSection({
    id: 'hook-admissions',
    title: 'Admissions on a real Kubernetes',
    command: 'npm run bench:hook-admissions',
    text:
      `${COUNT} pods at ${A_SECOND} a second, as nodes of ${OWN.length} clusters whose pods are gone, each cluster in a namespace of its own: ` +
      "each admission reads its node's Service and pods, and claims its number; the cluster's record and shape are read once a second. Before, the " +
      `same of new clusters, ${FIRST_A_SECOND} a second: each also makes a Service and writes a line into a ConfigMap. Then both with all clusters in one ` +
      'namespace: to list some pods, this API server reads all of the namespace from its etcd, which is older than 3.4.31. Two replicas of the webhook on hosts of a cluster on ' +
      'one machine. An admission is what the webhook logs, from the whole review to its answer; the making of a pod is what a client ' +
      `of the API server waits for, with the webhook, and before it without (${COUNT} pods that do not ask).`,
    table: [
      ['', 'median', '99th percentile', 'longest'],
      row('admission', own.again),
      row('admission of a new node', own.first),
      row('making of a pod, with the webhook', own.made),
      row('admission, all in one namespace', one.again),
      row('admission of a new node, all in one namespace', one.first),
      row('making of a pod, with the webhook, all in one namespace', one.made),
      row('making of a pod that does not ask', plain),
    ],
    goals: [
      { what: '99th percentile of admissions', reached: percentile(own.again, 0.99), atMost: MAX_P99_MS, unit: ' ms' },
    ],
  });
}

try {
  await main();
} finally {
  client.close();
  await webhook('uninstall').catch(() => undefined);
  for (const namespace of [system, pods, ...OWN]) {
    await kubectl('delete', 'namespace', namespace, '--ignore-not-found', '--wait=false');
  }
}
