/** `npm run demo`: the main job, shown with the commands that a person would type, on a playground of its own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import colors from 'picocolors';
import { createRestClient } from '../../pkg/kube/client.ts';
import { loadKubeTarget } from '../../pkg/kube/config.ts';
import { createKubePort } from '../../pkg/kube/kube-port.ts';
import type { KubePort } from '../../pkg/engine/ports.ts';
import { openClusterClient } from './cluster-client.ts';
import { startPlayground } from './playground.ts';
import type { Playground } from './playground.ts';

const CLI = fileURLToPath(new URL('../../dist/kubectl-redis.js', import.meta.url));
const KEYS = 500;
const HEALED_WITHIN_MS = 60_000;

const started = performance.now();
const running = new Set<ChildProcess>();
let playground: Playground | null = null;
let ending: Promise<void> | null = null;
const isEnding = (): boolean => ending !== null;

/** Ends everything, once. */
function end(code: number): Promise<void> {
  ending ??= (async () => {
    for (const child of running) child.kill('SIGTERM');
    await playground?.close();
    process.exit(code);
  })();
  return ending;
}

const pause = (milliseconds: number): Promise<void> => delay(milliseconds);

function say(text: string): void {
  console.log(`\n${colors.cyan(`# ${text}`)}`);
}

async function type(command: string): Promise<void> {
  process.stdout.write(`\n${colors.bold('$ ')}`);
  for (const letter of command) {
    process.stdout.write(colors.bold(letter));
    if (process.stdout.isTTY) await pause(18);
  }
  process.stdout.write('\n');
  await pause(400);
}

/** Runs the tool as `kubectl redis` would. Its output is shown, or returned. */
async function redis(words: readonly string[], shown: boolean): Promise<{ code: number | null; text: string }> {
  const env = { ...process.env, KUBECONFIG: playground?.kubeconfig ?? '' };
  const child = spawn(process.execPath, [CLI, ...words], {
    env,
    stdio: ['ignore', shown ? 'inherit' : 'pipe', shown ? 'inherit' : 'ignore'],
  });
  running.add(child);
  let text = '';
  child.stdout?.on('data', (chunk) => (text += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  running.delete(child);
  return { code, text };
}

async function show(...words: string[]): Promise<void> {
  await type(`kubectl redis ${words.join(' ')}`);
  const { code } = await redis(words, true);
  if (!isEnding() && code !== 0) throw new Error(`kubectl redis ${words.join(' ')} ended with exit code ${code}`);
  await pause(1500);
}

interface SeenShard {
  readonly primary: { readonly pod: string } | null;
  readonly replicas: readonly { readonly pod: string }[];
}

async function shards(): Promise<readonly SeenShard[]> {
  const { code, text } = await redis(['slots', 'redis', '-o', 'json'], false);
  return code === 0 ? (JSON.parse(text) as { shards: readonly SeenShard[] }).shards : [];
}

/** Shows the first lines of `status` whenever they change, until the pod is back as a replica of a healthy cluster. */
async function watchItHeal(kube: KubePort, pod: string): Promise<void> {
  const from = performance.now();
  let last = '';
  while (performance.now() - from < HEALED_WITHIN_MS && !isEnding()) {
    const { text } = await redis(['status', 'redis', '-o', 'json'], false);
    const { health } = JSON.parse(text) as { health: { level: string; sentence: string } };
    const line = `${health.level}: ${health.sentence}`;
    const seconds = ((performance.now() - from) / 1000).toFixed(1);
    if (line !== last) console.log(`  after ${seconds.padStart(4)} s  ${line}`);
    last = line;
    const back = (await shards()).some(({ replicas }) => replicas.some((each) => each.pod === pod));
    const { pods } = await kube.readFacts({ namespace: kube.namespace, name: 'redis' });
    if (health.level === 'healthy' && back && pods.every(({ ready }) => ready)) return;
    await pause(300);
  }
  if (!isEnding()) throw new Error(`not healthy again within ${HEALED_WITHIN_MS / 1000} s`);
}

async function loseVolume(kube: KubePort, pod: string): Promise<void> {
  await type(`kubectl delete pvc data-${pod} --wait=false`);
  await kube.remove('v1', 'PersistentVolumeClaim', `data-${pod}`);
  await type(`kubectl delete pod ${pod} --grace-period=0 --force`);
  await kube.remove('v1', 'Pod', pod, { graceSeconds: 0 });
}

async function demo(): Promise<void> {
  say('A small Kubernetes API on this machine: three virtual hosts, pods that are real redis-server processes.');
  playground = await startPlayground();
  const { kubeconfig } = playground;
  const target = loadKubeTarget({ kubeconfig });
  const kube = createKubePort(createRestClient(target), target.namespace);

  await show('create', 'redis', '--yes');
  await show('slots');
  const service = (await kube.get('v1', 'Service', 'redis')) as { spec?: { clusterIP?: string } } | null;
  const client = await openClusterClient(service?.spec?.clusterIP ?? '');
  say(`A cluster client writes ${KEYS} keys to Service redis, and reads them back`);
  await client.write(KEYS);
  console.log(`  ${await client.readBack(KEYS)} of ${KEYS} keys read back`);
  await pause(1500);

  const pod = (await shards())[0]?.primary?.pod ?? '';
  say(`Now a primary is lost, and its volume with it: ${pod}`);
  await loseVolume(kube, pod);
  say('Nobody types anything');
  await watchItHeal(kube, pod);
  await show('status');
  say('And the keys?');
  console.log(`  ${await client.readBack(KEYS)} of ${KEYS} keys read back`);
  client.close();
  kube.close();
  await pause(1500);
  say(
    `That was all, in ${Math.round((performance.now() - started) / 1000)} s. Everything that was started is ended and removed.`,
  );
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void end(130));
try {
  await demo();
  await end(0);
} catch (error) {
  if (!isEnding()) console.error(error instanceof Error ? error.message : error);
  await end(1);
}
