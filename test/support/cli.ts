/** Runs the built command line as a user would, against the cluster of $E2E_KUBECONFIG. */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** $E2E_CLI, where another build than that of dist/ is to be tested. */
const CLI = process.env['E2E_CLI'] ?? fileURLToPath(new URL('../../dist/kubectl-redis.js', import.meta.url));
/** An image that the hosts of the test cluster have or can pull. */
export const IMAGE = process.env['KUBECTL_REDIS_IMAGE'] ?? 'docker.io/library/redis:8.4';

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** What was printed so far. */
  output(): { readonly stdout: string; readonly stderr: string };
}

export interface CliOptions {
  readonly namespace: string;
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export function startCli(args: readonly string[], options: CliOptions): Running {
  if (!existsSync(CLI)) throw new Error(`${CLI} is missing: npm run build`);
  return start(process.execPath, [CLI, ...args, '-n', options.namespace], options);
}

/** bash, in which `plugin VERB …` is the command line, in the namespace. */
export function inBash(script: string, options: CliOptions): Promise<Ended> {
  const plugin = `plugin() { "$0" "${CLI}" "$@" -n "${options.namespace}"; }`;
  return start('bash', ['-c', `${plugin}\n${script}`, process.execPath], options).ended;
}

/** The real kubectl, in the namespace. */
export function kubectl(args: readonly string[], options: CliOptions): Promise<Ended> {
  return start('kubectl', ['-n', options.namespace, ...args], options).ended;
}

export function cli(args: readonly string[], options: CliOptions): Promise<Ended> {
  return startCli(args, options).ended;
}

function start(program: string, args: readonly string[], options: CliOptions): Running {
  const kubeconfig = process.env['E2E_KUBECONFIG'] ?? '';
  const env = { ...process.env, KUBECONFIG: kubeconfig, KUBECTL_REDIS_IMAGE: IMAGE, NO_COLOR: '1', ...options.env };
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.on('error', () => undefined).end(options.input ?? '');
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { process: child, ended, output: () => ({ stdout, stderr }) };
}
