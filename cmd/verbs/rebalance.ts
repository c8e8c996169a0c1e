import { EXIT } from '../../pkg/errors.ts';
import { oneOf, text, texts, toggle } from '../flags.ts';
import { moveFlags } from '../move-limits.ts';
import { outputFlag } from '../output.ts';
import { CLUSTER_NAME, defineVerb } from '../verb.ts';

export const rebalanceVerb = defineVerb({
  name: 'rebalance',
  summary: 'Spread slots, keys or memory over the primaries while the cluster serves',
  description:
    'Move slots with their keys from primaries that have too much to those that have too little; no node comes or goes. Works on any Redis Cluster, also on one that "create" did not make.\nBy keys and by memory it measures first: keys of every slot as the servers count them, bytes from a sample of keys.',
  positionals: CLUSTER_NAME,
  flags: {
    by: oneOf(['slots', 'keys', 'memory'], 'slots', { summary: 'What shall be spread' }),
    weight: texts({
      placeholder: 'POD|SHARD=W',
      summary: 'How much of it one primary shall have; 1 for all others, 0 empties it; may be repeated',
    }),
    threshold: text({
      placeholder: 'PERCENT',
      summary: 'Nothing moves while all are nearer to their share (default 2)',
    }),
    ...moveFlags,
    'dry-run': toggle({ summary: 'Change nothing: print what would move and what it costs' }),
    yes: toggle({ alias: 'y', summary: 'Ask nothing' }),
    output: outputFlag(['json', 'yaml']),
  },
  examples: [
    { does: 'As many slots for each', command: 'kubectl redis rebalance redis' },
    { does: 'See what it would move to spread memory', command: 'kubectl redis rebalance redis --by memory --dry-run' },
    { does: 'One primary with half as much', command: 'kubectl redis rebalance redis --weight redis-3-0=0.5' },
  ],
  exitCodes: {
    0: 'balanced',
    1: 'failed; the same command goes on',
    2: 'wrong usage',
    3: 'refused: it cannot work as things stand',
    130: 'interrupted; the same command goes on',
  },
  run: async (request, deps) => {
    const { runRebalanceVerb } = await import('../rebalance/run.ts');
    await runRebalanceVerb(request, deps);
    return EXIT.done;
  },
});
