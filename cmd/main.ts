/** The program `kubectl-redis`: the process around `run`. Signals, closed pipes and the end of the process are handled here. */
import { EXIT } from '../pkg/errors.ts';
import { systemClock } from '../pkg/engine/clock.ts';
import { run } from './run.ts';
import { createTerminal } from './terminal.ts';
import { VERBS } from './verbs/all.ts';

/** How long a verb may take to tidy up after Ctrl-C: to end a batch of keys, to give a Lease back. Ctrl-C again is at once. */
const TIDY_UP_MS = 15_000;

const interrupt = new AbortController();
const debug = (process.env['KUBECTL_REDIS_DEBUG'] ?? '') !== '';

// `kubectl redis nodes | head -1` closes the pipe: nobody reads on, so there is nothing to complain about.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed));
}
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
    terminal: createTerminal(process.stdout, process.stderr, process.env),
    clock: systemClock,
    signal: interrupt.signal,
    env: process.env,
    interactive: process.stdin.isTTY && process.stderr.isTTY,
    openSession: async (globals) => (await import('./session.ts')).openSession(globals, process.env),
  },
  { verbs: VERBS, debug },
);
// What is still open (kept-alive connections) must not hold the process; what was written must be out first.
process.stdout.write('', () => process.stderr.write('', () => process.exit(exitCode)));
