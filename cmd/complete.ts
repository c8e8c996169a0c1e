/**
 * The program `kubectl_complete-redis`, which kubectl calls to complete `kubectl redis …`: the words typed so far are its
 * arguments, the last one is what is being typed. It prints candidates, one a line, and a directive for the shell last
 * (https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/#using-the-command-line-runtime-package, cobra's codes).
 */
import { systemClock } from '../pkg/engine/clock.ts';
import { completionsFor } from './completions.ts';
import { VERBS } from './verbs/all.ts';

/** Somebody waits with a finger on the Tab key. */
const PATIENCE_MS = 2_000;

const stop = AbortSignal.timeout(PATIENCE_MS);
const { candidates, directive } = await completionsFor(process.argv.slice(2), VERBS, {
  signal: stop,
  clock: systemClock,
  openSession: async (globals) => (await import('./session.ts')).openSession(globals, process.env),
});
const lines = candidates.map(({ word, about }) => (about === undefined ? word : `${word}\t${about}`));
process.stdout.write(`${[...lines, `:${directive}`].join('\n')}\n`, () => process.exit(0));
