// Writes the picture of real output into README.md, between its markers, from a real run on the cluster of $E2E_KUBECONFIG:
//   npm run build && E2E_KUBECONFIG=… KUBECTL_REDIS_IMAGE=… npm run docs:readme
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const HEALED_WITHIN_MS = 120_000;
const kubeconfig = process.env.E2E_KUBECONFIG;
if (kubeconfig === undefined) {
  console.error('set E2E_KUBECONFIG to the kubeconfig of a cluster for tests');
  process.exit(2);
}
const env = { ...process.env, KUBECONFIG: kubeconfig, NO_COLOR: '1' };
const namespace = `readme-${randomBytes(3).toString('hex')}`;

function run(...args) {
  const ended = spawnSync('node', ['dist/kubectl-redis.js', ...args, '-n', namespace], { env, encoding: 'utf8' });
  if (ended.status !== 0) throw new Error(ended.stderr);
  return { stdout: ended.stdout, all: ended.stderr + ended.stdout };
}

const kubectl = (...args) => execFileSync('kubectl', ['-n', namespace, ...args], { env, encoding: 'utf8' });
const shown = (text) => text.replaceAll(` -n ${namespace}`, '').replaceAll(namespace, 'default').trimEnd();
const slots = () => JSON.parse(run('slots', '-o', 'json').stdout);

/** A write of 500 keys, all in one shell in a pod. */
function fill() {
  kubectl('exec', 'redis-1-0', '--', 'sh', '-c', 'for i in $(seq 500); do redis-cli -c set user:$i x; done >/dev/null');
}

/** Seconds until the cluster is healthy again and the pod a replica in it. */
async function healed(pod) {
  const from = performance.now();
  while (performance.now() - from < HEALED_WITHIN_MS) {
    const ended = spawnSync('node', ['dist/kubectl-redis.js', 'status', '-o', 'json', '-n', namespace], {
      env,
      encoding: 'utf8',
    });
    const level = ended.status === 0 ? JSON.parse(ended.stdout).health.level : '';
    if (level === 'healthy' && slots().shards.some(({ replicas }) => replicas.some((node) => node.pod === pod))) {
      return Math.round((performance.now() - from) / 1000);
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`not healthy again within ${HEALED_WITHIN_MS / 1000} s`);
}

execFileSync('kubectl', ['create', 'namespace', namespace], { env, stdio: 'ignore' });
try {
  const created = run('create', 'redis');
  fill();
  const before = run('slots').stdout;
  const { pod } = slots().shards[0].primary;
  const lost = [`delete pvc data-${pod} --wait=false`, `delete pod ${pod} --grace-period=0 --force`];
  for (const words of lost) kubectl(...words.split(' '));
  const seconds = await healed(pod);
  const parts = [
    `$ kubectl redis create redis\n${shown(created.all)}`,
    `$ kubectl redis slots\n${shown(before)}`,
    `# throw away a primary with its volume\n${lost.map((words) => `$ kubectl ${words}`).join('\n')}`,
    `# ${seconds} s later, and nobody typed anything\n$ kubectl redis status\n${shown(run('status').stdout)}`,
  ];
  const readme = readFileSync('README.md', 'utf8');
  const [start, rest] = readme.split('<!-- picture -->');
  const [, end] = rest.split('<!-- /picture -->');
  const picture = `\`\`\`console\n${parts.join('\n\n')}\n\`\`\``;
  writeFileSync('README.md', `${start}<!-- picture -->\n\n${picture}\n\n<!-- /picture -->${end}`);
} finally {
  execFileSync('kubectl', ['delete', 'namespace', namespace, '--wait=false'], { env, stdio: 'ignore' });
}
