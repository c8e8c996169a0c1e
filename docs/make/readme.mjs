// Writes the picture of real output into README.md, between its markers, from a real run on the cluster of $E2E_KUBECONFIG:
//   npm run build && E2E_KUBECONFIG=… KUBECTL_REDIS_IMAGE=… npm run docs:readme
import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

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

const shown = (text) => text.replaceAll(` -n ${namespace}`, '').replaceAll(namespace, 'default').trimEnd();
execFileSync('kubectl', ['create', 'namespace', namespace], { env, stdio: 'ignore' });
try {
  const created = run('create', 'redis');
  for (let i = 0; i < 500; i++) {
    const args = ['exec', '-n', namespace, 'redis-1-0', '--', 'redis-cli', '-c', 'set', `user:${i}`, 'x'];
    if (i % 25 === 0) execFileSync('kubectl', args, { env, stdio: 'ignore' });
  }
  const parts = [
    ['create redis', created.all],
    ['slots', run('slots').stdout],
    ['status', run('status').stdout],
  ];
  const picture = parts.map(([verb, text]) => `$ kubectl redis ${verb}\n${shown(text)}`).join('\n\n');
  const readme = readFileSync('README.md', 'utf8');
  const [before, rest] = readme.split('<!-- picture -->');
  const [, after] = rest.split('<!-- /picture -->');
  writeFileSync(
    'README.md',
    `${before}<!-- picture -->\n\n\`\`\`console\n${picture}\n\`\`\`\n\n<!-- /picture -->${after}`,
  );
} finally {
  execFileSync('kubectl', ['delete', 'namespace', namespace, '--wait=false'], { env, stdio: 'ignore' });
}
