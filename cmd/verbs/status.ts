import { EXIT } from '../../pkg/errors.ts';
import type { ExitCode } from '../../pkg/errors.ts';
import type { Deps, Session } from '../deps.ts';
import { duration, toggle } from '../flags.ts';
import type { Globals } from '../global-flags.ts';
import { lookAt, sayGaps, withSession } from '../look-at.ts';
import { outputFlag } from '../output.ts';
import { CLUSTER_NAME, defineVerb } from '../verb.ts';

export const statusVerb = defineVerb({
  name: 'status',
  summary: 'One page about a cluster, health first',
  description:
    'Show the health of a cluster, its shape, keys and memory, where it runs, the operation that goes on, and every problem with what would fix it.',
  positionals: CLUSTER_NAME,
  flags: {
    watch: toggle({ alias: 'w', summary: 'Draw it again and again until Ctrl-C' }),
    interval: duration('2s', { minMs: 200 }, { summary: 'Pause between two looks with --watch' }),
    output: outputFlag(['json', 'yaml']),
  },
  examples: [
    { does: 'The only cluster of the namespace', command: 'kubectl redis status' },
    { does: 'Watch a failover', command: 'kubectl redis status redis --watch --interval 1s' },
  ],
  exitCodes: {
    0: 'shown, whatever the health',
    1: 'the cluster could not be read',
    2: 'wrong usage',
    130: 'interrupted',
  },
  run: ({ args, flags, globals }, deps) =>
    withSession(deps, globals, async (session) => {
      const name = args.NAME;
      if (!flags.watch) return showOnce(deps, session, { name, globals, output: flags.output });
      const { watchStatus } = await import('../watch-status.ts');
      return watchStatus(deps, session, { name, globals, output: flags.output, intervalMs: flags.interval });
    }),
});

interface Wanted {
  readonly name: string | undefined;
  readonly globals: Globals;
  readonly output: string;
}

async function showOnce(deps: Deps, session: Session, { name, globals, output }: Wanted): Promise<ExitCode> {
  const seen = await lookAt(deps, session, { name, globals }, { thorough: true });
  sayGaps(deps, seen.state);
  const [{ judge }, { printStatus }] = await Promise.all([import('../judge.ts'), import('../print-status.ts')]);
  deps.terminal.write(await printStatus(judge(seen), output, deps.terminal.look(globals.color)));
  return EXIT.done;
}
