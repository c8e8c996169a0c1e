import { EXIT } from '../../pkg/errors.ts';
import { duration, text, texts, toggle } from '../flags.ts';
import { lossFlags } from '../loss-flag.ts';
import { outputFlag } from '../output.ts';
import { CLUSTER_NAME, defineVerb } from '../verb.ts';

export const restartVerb = defineVerb({
  name: 'restart',
  summary: 'Restart pods one by one, by live role; also with another image',
  description:
    'Shard by shard: the replicas first; then one of them takes over from the primary; then the old primary. The next pod goes only when the last one is in step again, and never against a disruption budget, so clients are redirected and see no errors.\nRun again, after whatever happened, it goes on where the last run stopped; when that one was finished, it begins a new one. What --config names is set without a restart where every server can.',
  positionals: CLUSTER_NAME,
  flags: {
    image: text({ placeholder: 'IMAGE', summary: 'Another image: the same version or a later one' }),
    config: texts({ placeholder: 'KEY=VALUE', summary: 'A directive of redis.conf; may be repeated' }),
    pod: texts({ placeholder: 'POD', summary: 'Only this pod; may be repeated (default: all)' }),
    'dry-run': toggle({ summary: 'Change nothing: print which pods would go in which order' }),
    timeout: duration('5m', { minMs: 1000 }, { summary: 'How long a pod may take to start, and to copy its data' }),
    yes: toggle({
      alias: 'y',
      summary: 'Ask nothing; agree that slots without a replica are away meanwhile, but to no loss',
    }),
    ...lossFlags('Agree that the keys of these slots (0-5460,7000) are lost: those that the plan names'),
    output: outputFlag(['json', 'yaml']),
  },
  examples: [
    { does: 'All pods, one after the other', command: 'kubectl redis restart redis' },
    { does: 'A newer version', command: 'kubectl redis restart redis --image redis:8.4' },
    {
      does: 'A setting, without a restart',
      command: 'kubectl redis restart redis --config maxmemory-policy=allkeys-lru',
    },
    { does: 'One pod', command: 'kubectl redis restart redis --pod redis-3-0' },
  ],
  exitCodes: {
    0: 'all pods are new, or nothing was to be done',
    1: 'failed; the same command goes on',
    2: 'wrong usage',
    3: 'refused: it cannot work as things stand, or no consent',
    130: 'interrupted; the same command goes on',
  },
  run: async (request, deps) => {
    const { runRestartVerb } = await import('../restart/run.ts');
    await runRestartVerb(request, deps);
    return EXIT.done;
  },
});
