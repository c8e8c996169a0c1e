import { EXIT } from '../../pkg/errors.ts';
import { duration, toggle, whole } from '../flags.ts';
import { moveFlags } from '../move-limits.ts';
import { outputFlag } from '../output.ts';
import { defineVerb } from '../verb.ts';

const COUNT = { min: 0, max: 1000 } as const;

export const scaleVerb = defineVerb({
  name: 'scale',
  summary: 'Change the number of primaries or replicas while the cluster serves',
  description:
    'Add and remove nodes and move slots with their keys, so that the cluster has the shape that was asked for; both numbers may go up and down at once. Clients see redirections and no errors. A node is removed only when it owns nothing any more; its volume goes with it.\nRun again, after whatever happened, it goes on where the last run stopped.',
  positionals: {
    NAME: { summary: 'Name of the cluster', required: true, completes: 'cluster' },
  },
  flags: {
    masters: whole(COUNT, { summary: 'Shards, each with one primary: 3 or more (default: as it is)' }),
    replicas: whole(COUNT, { summary: 'Replicas of each primary (default: as it is)' }),
    ...moveFlags,
    'dry-run': toggle({ summary: 'Change nothing: print what would be done and what it costs' }),
    timeout: duration('5m', { minMs: 1000 }, { summary: 'How long pods may take to start or to stop' }),
    yes: toggle({ alias: 'y', summary: 'Ask nothing' }),
    output: outputFlag(['json', 'yaml']),
  },
  examples: [
    { does: 'Five shards instead of three', command: 'kubectl redis scale redis --masters 5' },
    { does: 'One replica more for each primary', command: 'kubectl redis scale redis --replicas 2' },
    { does: 'See what it would do', command: 'kubectl redis scale redis --masters 3 --replicas 0 --dry-run' },
    { does: 'Smaller, without being asked', command: 'kubectl redis scale redis --masters 3 --yes' },
  ],
  exitCodes: {
    0: 'the cluster has the shape',
    1: 'failed; the same command goes on',
    2: 'wrong usage',
    3: 'refused: it cannot work as things stand, or no consent',
    130: 'interrupted; the same command goes on',
  },
  run: async (request, deps) => {
    const { runScaleVerb } = await import('../scale/run.ts');
    await runScaleVerb(request, deps);
    return EXIT.done;
  },
});
