import { EXIT } from '../../pkg/errors.ts';
import { text, toggle } from '../flags.ts';
import { lossFlags } from '../loss-flag.ts';
import { outputFlag } from '../output.ts';
import { defineVerb } from '../verb.ts';

export const failoverVerb = defineVerb({
  name: 'failover',
  summary: 'Let a replica take over from its primary',
  description:
    'POD is a replica: it takes over from its primary. POD is a primary: its best replica takes over, or the one of --to. The old primary holds its writes until the replica has everything, so nothing is lost, and follows then.\n--force is for a primary that is dead: the others elect the replica. --takeover is for a cluster where most primaries are gone and nobody can elect. Both ask where they could lose writes; where nobody can be asked, --accept-data-loss names the slots.',
  positionals: {
    POD: {
      summary: 'Pod of a replica or of a primary, the name of its node, or six digits or more of its node id',
      required: true,
      completes: 'pod',
    },
  },
  flags: {
    to: text({
      placeholder: 'POD',
      summary: 'The replica that takes over; where it leads already, nothing is done',
    }),
    cluster: text({
      placeholder: 'NAME',
      summary: 'Name of the cluster, where the pod does not tell and the namespace has several',
    }),
    force: toggle({ summary: 'Without the old primary, which is dead: by election' }),
    takeover: toggle({ summary: 'Without an election: most primaries are gone for good' }),
    ...lossFlags('Agree that writes to these slots (0-5460,7000) are lost: those that the plan names'),
    'dry-run': toggle({ summary: 'Change nothing: print who would take over, and what that could lose' }),
    yes: toggle({ alias: 'y', summary: 'Ask nothing; agrees to no loss' }),
    output: outputFlag(['json', 'yaml']),
  },
  examples: [
    { does: 'Let a replica lead', command: 'kubectl redis failover redis-4-0' },
    { does: 'Take the role from a primary', command: 'kubectl redis failover redis-1-0' },
    { does: 'See what it would do', command: 'kubectl redis failover redis-1-0 --to redis-4-0 --dry-run' },
    { does: 'The primary is dead and nobody was elected', command: 'kubectl redis failover redis-4-0 --force' },
  ],
  exitCodes: {
    0: 'it leads, in the view of all',
    1: 'failed',
    2: 'wrong usage',
    3: 'refused: it cannot work as things stand, or no consent',
    130: 'interrupted; the command that it names goes on',
  },
  run: async (request, deps) => {
    const { runFailoverVerb } = await import('../failover/run.ts');
    await runFailoverVerb(request, deps);
    return EXIT.done;
  },
});
