import { EXIT } from '../../pkg/errors.ts';
import { duration, toggle } from '../flags.ts';
import { lossFlags } from '../loss-flag.ts';
import { outputFlag } from '../output.ts';
import { defineVerb } from '../verb.ts';

export const deleteVerb = defineVerb({
  name: 'delete',
  summary: 'Stop a cluster and keep its data, or take all of it away',
  description:
    'Remove the StatefulSets, pods and budgets of a cluster that "create" made: replicas stop first, so that nobody fails over. Its volumes, Services, ConfigMap and Secret are kept, and "create" resumes from them with all keys: where nodes keep none on disk, it says so and asks.\nWith --purge-data those go, too, and with them every key.',
  positionals: {
    NAME: { summary: 'Name of the cluster', required: true, completes: 'cluster' },
  },
  flags: {
    'purge-data': toggle({ summary: 'Also remove volumes, Services, ConfigMap and Secret: all keys are lost' }),
    'dry-run': toggle({ summary: 'Change nothing: print what would go and what would stay' }),
    timeout: duration('5m', { minMs: 1000 }, { summary: 'How long pods may take to stop, and volumes to go' }),
    yes: toggle({ alias: 'y', summary: 'Ask nothing; with --purge-data it agrees to that, to no other loss' }),
    ...lossFlags('Agree that the keys of these slots (0-5460,7000) are lost, which are on no volume'),
    output: outputFlag(['json', 'yaml']),
  },
  examples: [
    { does: 'Stop it; its data stays', command: 'kubectl redis delete redis' },
    { does: 'See what would go', command: 'kubectl redis delete redis --purge-data --dry-run' },
    { does: 'Take everything away, without being asked', command: 'kubectl redis delete redis --purge-data --yes' },
  ],
  exitCodes: {
    0: 'deleted, also when it was before',
    1: 'failed, or there is no such cluster; the same command goes on',
    2: 'wrong usage',
    3: 'refused: not made by create, nodes of others, or no consent',
    130: 'interrupted; the same command goes on',
  },
  run: async (request, deps) => {
    const { runDeleteVerb } = await import('../delete/run.ts');
    await runDeleteVerb(request, deps);
    return EXIT.done;
  },
});
