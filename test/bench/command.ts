/** Runs a command as a child process and says what it cost. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** The built command line, as `npm run build` leaves it. */
export const CLI = ['node', 'dist/kubectl-redis.js'] as const;

export interface Ended {
  readonly wallMs: number;
  /** Highest resident set of the process, in bytes. */
  readonly peakRssBytes: number;
  readonly stdout: string;
}

/**
 * From start to end, by GNU time.
 * @throws when the command fails, with what it said
 */
export async function runToEnd(command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const from = performance.now();
  const { code, stdout, stderr } = await collect(['/usr/bin/time', '-f', '%M', ...command], env);
  const wallMs = performance.now() - from;
  if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}\n${stderr}${stdout}`);
  return { wallMs, peakRssBytes: Number(stderr.trim().split('\n').at(-1)) * 1024, stdout };
}

async function collect(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) =>
    child.once('error', reject).once('close', resolve),
  );
  return { code, stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString() };
}

/** Runs "$@" with its output thrown away; prints its pid at once, and at its end user and system seconds. */
const TIMED = `TIMEFORMAT='%3U %3S'; { time { "$@" >/dev/null 2>&1 & echo "$!"; wait "$!"; }; } 2>&1`;

/**
 * CPU seconds, user and system, of a command from its start to its end, which may be a kill by `onPid`'s owner. The
 * kernel's own account of the child (getrusage), to the millisecond.
 */
export async function cpuSeconds(
  command: readonly string[],
  env: Readonly<Record<string, string>> = {},
  onPid: (pid: number) => void = () => undefined,
): Promise<number> {
  const child = spawn('bash', ['-c', TIMED, 'bash', ...command], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let first = true;
  let last = '';
  for await (const line of createInterface({ input: child.stdout })) {
    if (first) onPid(Number(line));
    first = false;
    last = line;
  }
  const [user = Number.NaN, system = Number.NaN] = last.split(' ').map(Number);
  if (!Number.isFinite(user + system)) throw new Error(`no CPU time of ${command.join(' ')}: "${last}"`);
  return user + system;
}
