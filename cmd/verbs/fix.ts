import { duration, texts, toggle } from '../flags.ts';
import { lossFlags } from '../loss-flag.ts';
import { moveFlags } from '../move-limits.ts';
import { outputFlag } from '../output.ts';
import { recordFlags } from '../sight.ts';
import { CLUSTER_NAME, defineVerb } from '../verb.ts';

export const fixVerb = defineVerb({
  name: 'fix',
  summary: 'Repair what "check" finds, without losing a key',
  description:
    'Compare what every node and Kubernetes say, and repair what is not as it must be, one step at a time: before each step everything is looked at again. At a terminal each repair is asked for when its turn comes, with the reason why it comes then, and can be left out; without one, what loses nothing is done. What could lose keys has a flag of its own that says so, and is off.\nA healthy cluster is left alone. Run again, after whatever happened, it goes on from where things stand.',
  positionals: CLUSTER_NAME,
  flags: {
    ...lossFlags(
      'Give up keys of these slots (0-5460,7000): their only node is gone with its volume, or a replica that lacks some is to lead',
    ),
    takeover: toggle({
      summary:
        'Where no majority is left: let replicas take over without a vote; writes that they had not received are lost',
    }),
    'forget-strangers': toggle({
      summary: 'Forget living nodes that are none of the pods and own no slot',
    }),
    'start-empty': toggle({
      summary: 'Where every volume is lost: let the nodes start without data',
    }),
    skip: texts({ placeholder: 'CODE', summary: 'Leave problems of this code as they are; may be repeated' }),
    ...moveFlags,
    'dry-run': toggle({ summary: 'Change nothing: print what would be done, and what would be left' }),
    timeout: duration('5m', { minMs: 1000 }, { summary: 'How long pods may take to start' }),
    yes: toggle({ alias: 'y', summary: 'Ask nothing' }),
    output: outputFlag(['json', 'yaml']),
    ...recordFlags,
  },
  examples: [
    { does: 'See what is wrong and what would be done', command: 'kubectl redis fix redis --dry-run' },
    {
      does: 'What it would do about a cluster that was recorded',
      command: 'kubectl redis fix --dry-run -f redis.json',
    },
    { does: 'Repair it, asked before each repair', command: 'kubectl redis fix redis' },
    { does: 'Without being asked', command: 'kubectl redis fix redis --yes' },
    {
      does: 'The volume of a primary without replicas is gone',
      command: 'kubectl redis fix redis --accept-data-loss 0-5460',
    },
  ],
  exitCodes: {
    0: 'nothing is left to repair, at most notes',
    1: 'failed; the same command goes on',
    2: 'wrong usage',
    3: 'something is left that needs a person, or a flag',
    130: 'interrupted; the same command goes on',
  },
  run: async (request, deps) => {
    const { runFixVerb } = await import('../fix/run.ts');
    return runFixVerb(request, deps);
  },
});
