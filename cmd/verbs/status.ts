import { EXIT, usageError } from '../../pkg/errors.ts';
import type { ExitCode } from '../../pkg/errors.ts';
import type { Deps } from '../deps.ts';
import { duration, toggle } from '../flags.ts';
import { withSession } from '../look-at.ts';
import { outputFlag } from '../output.ts';
import { recordFlags, withSight, type SightRequest } from '../sight.ts';
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
    ...recordFlags,
  },
  examples: [
    { does: 'The only cluster of the namespace', command: 'kubectl redis status' },
    { does: 'Watch a failover', command: 'kubectl redis status redis --watch --interval 1s' },
    { does: 'Look at what somebody recorded', command: 'kubectl redis status -f redis.json' },
  ],
  exitCodes: {
    0: 'shown, whatever the health',
    1: 'the cluster could not be read',
    2: 'wrong usage',
    130: 'interrupted',
  },
  run: ({ args, flags, globals }, deps) => {
    const { watch, interval: intervalMs, output, record, file } = flags;
    const name = args.NAME;
    if (!watch) return showOnce(deps, { name, globals, record, file }, output);
    if (file !== undefined || record !== undefined)
      throw usageError('--watch goes without --record and -f', 'a record is of one moment');
    return withSession(deps, globals, async (session) => {
      const { watchStatus } = await import('../watch-status.ts');
      return watchStatus(deps, session, { name, globals, output, intervalMs });
    });
  },
});

function showOnce(deps: Deps, request: SightRequest, output: string): Promise<ExitCode> {
  return withSight(deps, request, async (seen) => {
    const [{ judge }, { printStatus }] = await Promise.all([import('../judge.ts'), import('../print-status.ts')]);
    deps.terminal.write(await printStatus(judge(seen), output, deps.terminal.look(request.globals.color)));
    return EXIT.done;
  });
}
