/**
 * Forming six Ready pods on a real Kubernetes: `kubectl-redis create` against `redis-cli --cluster create` on the same pods,
 * reset in between. Both are timed by the same prober until every node says ok itself, all views are one and all links are up.
 *
 * Needs $E2E_KUBECONFIG and an image that the hosts have ($KUBECTL_REDIS_IMAGE); needs kubectl.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { interpret } from '../../pkg/cluster/interpret.ts';
import type { Observation, PodFacts } from '../../pkg/cluster/model/observation.ts';
import { isConverged } from '../../pkg/cluster/plan/form.ts';
import { systemClock } from '../../pkg/engine/clock.ts';
import { observe, observePods, type ObservePorts } from '../../pkg/engine/observe.ts';
import { createRestClient } from '../../pkg/kube/client.ts';
import { loadKubeTarget } from '../../pkg/kube/config.ts';
import { createKubePort } from '../../pkg/kube/kube-port.ts';
import { createTunnelDialer } from '../../pkg/kube/tunnel.ts';
import { createRedisPort } from '../../pkg/redis/connect.ts';
import { CLI } from './command.ts';
import { alternate, median, spread, writeSection } from './report.ts';

const ROUNDS = 5;
const MAX_RATIO = 1 / 5;
const POLL_MS = 20;
const DEADLINE_MS = 60_000;
const run = promisify(execFile);

const kubeconfig = process.env['E2E_KUBECONFIG'] ?? '';
if (kubeconfig === '') throw new Error('set E2E_KUBECONFIG to the kubeconfig of a cluster for tests');
const env = { ...process.env, KUBECONFIG: kubeconfig, NO_COLOR: '1' };
const namespace = `bench-${randomBytes(4).toString('hex')}`;
const cluster = { namespace, name: 'redis' };

const target = loadKubeTarget({ kubeconfig, namespace });
const client = createRestClient(target);
const kube = createKubePort(client, namespace);
const redis = createRedisPort({
  dial: createTunnelDialer(client, namespace),
  credentials: () => Promise.resolve(null),
});
const ports: ObservePorts = { kube, redis, clock: systemClock };

const kubectl = (...args: string[]): Promise<unknown> => run('kubectl', ['-n', namespace, ...args], { env });

async function pods(): Promise<readonly PodFacts[]> {
  return (await kube.readFacts(cluster)).pods;
}

/** Back to six nodes that know nobody, with the timeout that they started with. */
async function reset(): Promise<void> {
  const all = await pods();
  const each = (commands: readonly (readonly [string, ...(string | number)[]])[]): Promise<unknown> =>
    Promise.all(all.map((pod) => redis.run(pod, commands, 5_000)));
  await each([['CONFIG', 'SET', 'cluster-node-timeout', 5000]]);
  await each([['FLUSHALL']]); // fails on replicas, which hold what their primary holds
  await each([['CLUSTER', 'RESET', 'HARD']]);
  await kubectl('patch', 'configmap', 'redis-config', '--type=merge', '-p', '{"data":{"formed":"false"}}');
  await pollUntil(async (observation) => {
    const answers = observation.replies.flatMap(({ reply }) => (reply.kind === 'answered' ? [reply.answer] : []));
    return answers.length === 6 && answers.every((answer) => answer.view.length === 1 && answer.info.keys === 0);
  });
}

async function pollUntil(holds: (observation: Observation) => Promise<boolean>): Promise<void> {
  const first = await observe(ports, cluster, { deadlineMs: 2_000 });
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const seen = await observePods(ports, cluster, first.kube, { deadlineMs: 2_000 });
    if (await holds(seen)) return;
    if (performance.now() > deadline) throw new Error('did not get there in time');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

interface Timed {
  /** From the command's start until the state was seen. */
  readonly whole: number;
  /** From the first slot that anybody owned until then. */
  readonly forming: number;
}

/** Starts the command and polls the nodes from outside until the cluster is whole. */
async function timed(command: readonly string[]): Promise<Timed> {
  await reset();
  const [program = '', ...args] = command;
  const from = performance.now();
  let first = 0;
  const ended = run(program, args, { env });
  ended.catch(() => undefined); // awaited below
  await pollUntil(async (observation) => {
    const assigned = observation.replies.some(
      ({ reply }) => reply.kind === 'answered' && reply.answer.clusterInfo.slotsAssigned > 0,
    );
    if (first === 0 && assigned) first = performance.now();
    return isConverged(interpret(observation));
  });
  const to = performance.now();
  await ended;
  return { whole: (to - from) / 1000, forming: (to - first) / 1000 };
}

async function main(): Promise<void> {
  await run('kubectl', ['create', 'namespace', namespace], { env });
  const create = [...CLI, 'create', 'redis', '-n', namespace, '--yes'];
  const [program = '', ...args] = create;
  await run(program, args, { env });
  const addresses = (await pods()).map((pod) => `${pod.ip}:${pod.port}`);
  const peer = [
    'kubectl',
    '-n',
    namespace,
    'exec',
    'redis-1-0',
    '--',
    'redis-cli',
    '--cluster',
    'create',
    ...addresses,
    '--cluster-replicas',
    '1',
    '--cluster-yes',
  ];
  const runs = await alternate(ROUNDS, { ours: () => timed(create), peer: () => timed(peer) });
  const whole = (of: readonly Timed[]): number[] => of.map((one) => one.whole);
  const forming = (of: readonly Timed[]): number[] => of.map((one) => one.forming);
  writeSection({
    id: 'forming',
    title: 'Forming six Ready pods',
    command: 'npm run bench:forming',
    text:
      'Six pods on a Kubernetes of three hosts, made by `create` and reset (FLUSHALL, CLUSTER RESET HARD) before each run; ' +
      'cluster-node-timeout is 5000 before and after. Each command is timed from its start until every node says ok itself, all ' +
      'views are one and all links are up, as seen by one prober that polls all nodes. `kubectl redis create` runs outside of the ' +
      'cluster through port-forwards; `redis-cli --cluster create` runs in a pod by kubectl exec. "Forming" counts from the first ' +
      `slot that any node owns. ${ROUNDS} alternating runs each.`,
    table: [
      ['', 'whole command', 'forming'],
      ['kubectl redis create', spread(whole(runs.ours), 2, 's'), spread(forming(runs.ours), 2, 's')],
      ['redis-cli --cluster create', spread(whole(runs.peer), 2, 's'), spread(forming(runs.peer), 2, 's')],
    ],
    goals: [
      {
        what: 'forming, create / redis-cli',
        reached: median(forming(runs.ours)) / median(forming(runs.peer)),
        atMost: MAX_RATIO,
        unit: 'x',
      },
    ],
  });
}

try {
  await main();
} finally {
  await run('kubectl', ['delete', 'namespace', namespace, '--wait=false'], { env });
  redis.close();
  client.close();
}
