/**
 * `kubectl-redis slots` on a real Kubernetes against what people type without it: `kubectl exec POD -- redis-cli cluster slots` and
 * `kubectl get pods`, one after the other. Wall time of the whole commands.
 *
 * Needs $E2E_KUBECONFIG and an image that the hosts have ($KUBECTL_REDIS_IMAGE); needs kubectl.
 */
import { randomBytes } from 'node:crypto';
import { CLI, runToEnd } from './command.ts';
import { alternate, median, spread, writeSection } from './report.ts';

const ROUNDS = 31;
const MAX_RATIO = 1;
const SLOTS = 16384;

const kubeconfig = process.env['E2E_KUBECONFIG'] ?? '';
if (kubeconfig === '') throw new Error('set E2E_KUBECONFIG to the kubeconfig of a cluster for tests');
const env = { KUBECONFIG: kubeconfig, NO_COLOR: '1' };
const namespace = `bench-${randomBytes(4).toString('hex')}`;

const kubectl = (...args: string[]): ReturnType<typeof runToEnd> =>
  runToEnd(['kubectl', '-n', namespace, ...args], env);
const ours = (...args: string[]): ReturnType<typeof runToEnd> => runToEnd([...CLI, ...args, '-n', namespace], env);

async function makeCluster(): Promise<void> {
  await kubectl('create', 'namespace', namespace);
  await ours('create', 'redis', '--storage', '100Mi', '--yes');
}

async function view(): Promise<number> {
  const { wallMs, stdout } = await ours('slots', 'redis');
  // A view that left nodes out would be fast for nothing.
  if (!stdout.includes(`${SLOTS} of ${SLOTS} slots covered`)) throw new Error(`slots shows:\n${stdout}`);
  return wallMs / 1000;
}

async function byHand(): Promise<number> {
  const slots = await kubectl('exec', 'redis-1-0', '-c', 'redis', '--', 'redis-cli', 'cluster', 'slots');
  const pods = await kubectl('get', 'pods');
  return (slots.wallMs + pods.wallMs) / 1000;
}

async function main(): Promise<void> {
  await makeCluster();
  const runs = await alternate(ROUNDS, { view, byHand });
  writeSection({
    id: 'rig-views',
    title: 'slots on a real Kubernetes',
    command: 'npm run bench:rig-views',
    text:
      'Wall time, start to end, of `kubectl-redis slots` on a cluster of six nodes that runs in Kubernetes, through the API ' +
      'server; and of `kubectl exec POD -- redis-cli cluster slots` followed by `kubectl get pods`, which show what one node ' +
      `believes, without pods, and pods without slots. ${ROUNDS} alternating runs each.`,
    table: [
      ['', 'median (least-greatest)'],
      ['`kubectl-redis slots`', spread(runs.view, 3, 's')],
      ['`kubectl exec` and `kubectl get pods`', spread(runs.byHand, 3, 's')],
    ],
    goals: [
      { what: 'slots / by hand', reached: median(runs.view) / median(runs.byHand), atMost: MAX_RATIO, unit: 'x' },
    ],
  });
}

try {
  await main();
} finally {
  await runToEnd(['kubectl', 'delete', 'namespace', namespace, '--ignore-not-found', '--wait=false'], env);
}
