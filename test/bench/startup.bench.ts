/** CPU time of `kubectl-redis slots` from its start to its first request to the API server, against `node -e 0`. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKubeApiStub } from '../support/kube-api-stub.ts';
import { CLI, cpuSeconds } from './command.ts';
import { alternate, median, spread, writeSection } from './report.ts';

const ROUNDS = 31;
const MAX_RATIO = 3;

function certificate(dir: string): { readonly key: string; readonly cert: string } {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const subject = ['-subj', '/CN=stub', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore',
  });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}

async function main(dir: string): Promise<void> {
  // The request itself ends the run: what comes after it is no start-up.
  let pid = 0;
  let asked = false;
  const onRequest = (): void => {
    // Several requests leave at once; the first one ends the run.
    if (pid > 0 && !asked) process.kill(pid, 'SIGKILL');
    asked = true;
  };
  const stub = await startKubeApiStub([], { tls: certificate(dir), onRequest });
  const kubeconfig = join(dir, 'kubeconfig');
  writeFileSync(kubeconfig, stub.kubeconfig);
  const slots = async (): Promise<number> => {
    [pid, asked] = [0, false];
    const seconds = await cpuSeconds(
      [...CLI, 'slots', 'redis'],
      { KUBECONFIG: kubeconfig },
      (started) => (pid = started),
    );
    if (!asked) throw new Error('slots ended without a request');
    return seconds;
  };
  const runs = await alternate(ROUNDS, { node: () => cpuSeconds(['node', '-e', '0']), slots });
  await stub.close();
  writeSection({
    id: 'startup',
    title: 'Start-up',
    command: 'npm run bench:startup',
    text:
      'CPU time, user and system, of `kubectl-redis slots redis` from its start until its first request, over TLS, has ' +
      `reached the API server, which kills it then; and of \`node -e 0\`, start to end. ${ROUNDS} alternating runs each.`,
    table: [
      ['', 'median (least-greatest)'],
      ['`node -e 0`', spread(runs.node, 3, 's')],
      ['`kubectl-redis slots`, to its first request', spread(runs.slots, 3, 's')],
    ],
    goals: [{ what: 'slots / node', reached: median(runs.slots) / median(runs.node), atMost: MAX_RATIO, unit: 'x' }],
  });
}

const dir = mkdtempSync(join(tmpdir(), 'bench-startup-'));
try {
  await main(dir);
} finally {
  rmSync(dir, { recursive: true, force: true });
}
