/** The program `kubectl-redis`: the process around `run`. Signals, closed pipes and the end of the process are handled here. */
import { EXIT } from '../pkg/errors.ts';
import { systemClock } from '../pkg/engine/clock.ts';
import { watchOutputs } from './outputs.ts';
import { run } from './run.ts';
import { createTerminal } from './terminal.ts';
import { VERBS } from './verbs/all.ts';

/** How long a verb may take to tidy up after Ctrl-C: to end a batch of keys, to give a Lease back. Ctrl-C again is at once. */
const TIDY_UP_MS = 15_000;

const interrupt = new AbortController();
const debug = (process.env['KUBECTL_REDIS_DEBUG'] ?? '') !== '';

const outputs = watchOutputs(process.stdout, process.stderr);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
    interrupt.abort(new Error('interrupted'));
    setTimeout(() => process.exit(EXIT.interrupted), TIDY_UP_MS).unref();
  });
}

const exitCode = await run(
  process.argv.slice(2),
  {
    terminal: createTerminal(process.stdout, process.stderr, process.env, outputs.unread),
    clock: systemClock,
    signal: interrupt.signal,
    env: process.env,
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    openSession: async (globals) => (await import('./session.ts')).openSession(globals, process.env),
  },
  { verbs: VERBS, debug },
);
await outputs.flush();
const endCode = outputs.judge(exitCode);
await outputs.flush();
// What is still open (kept-alive connections) must not hold the process.
process.exit(endCode);
