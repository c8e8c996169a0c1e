import type { ClusterState } from '../../pkg/cluster/model/state.ts';
import { EXIT, usageError } from '../../pkg/errors.ts';
import type { ExitCode } from '../../pkg/errors.ts';
import type { Deps } from '../deps.ts';
import { anyText, whole } from '../flags.ts';
import { lookAt, sayGaps, withSession } from '../look-at.ts';
import { outputFlag, wroteDocument } from '../output.ts';
import type { Look } from '../terminal.ts';
import { CLUSTER_NAME, defineVerb } from '../verb.ts';

export const slotsVerb = defineVerb({
  name: 'slots',
  summary: 'Which shard holds which hash slots',
  description:
    'Show the hash slots by shard: ranges, primary and replicas with pod, host, zone and keys, remarks, and a picture of all 16384 slots.\nWith --key or --slot, show who holds that one.',
  positionals: CLUSTER_NAME,
  flags: {
    key: anyText({ placeholder: 'KEY', summary: 'Only the slot of this key; a {hash tag} counts as Redis counts it' }),
    slot: whole({ min: 0, max: 16383 }, { summary: 'Only this slot' }),
    output: outputFlag(['wide', 'json', 'yaml']),
  },
  examples: [
    { does: 'The slots of the only cluster of the namespace', command: 'kubectl redis slots' },
    { does: 'Who holds the key user:1000', command: 'kubectl redis slots redis --key user:1000' },
    { does: 'Shards and their ranges for a script', command: 'kubectl redis slots redis -o json' },
  ],
  exitCodes: { 0: 'shown', 1: 'the cluster could not be read', 2: 'wrong usage' },
  run: ({ args, flags, globals }, deps) => {
    const { key, slot, output } = flags;
    if (key !== undefined && slot !== undefined) throw usageError('give --key or --slot, not both');
    return withSession(deps, globals, async (session) => {
      const leaveOut = ['statefulSets', 'claims', 'operation'] as const;
      const { state } = await lookAt(deps, session, { name: args.NAME, globals }, { thorough: false, leaveOut });
      sayGaps(deps, state);
      const look = deps.terminal.look(globals.color);
      if (key !== undefined || slot !== undefined) return showOne(deps, state, { key, slot, output, look });
      if (await wroteDocument(deps, output, async () => (await import('../document/slot-list.ts')).slotListOf(state))) {
        return EXIT.done;
      }
      const { renderSlots } = await import('../view/slots.ts');
      deps.terminal.write(renderSlots(state, { ...look, wide: output === 'wide' }));
      return EXIT.done;
    });
  },
});

interface One {
  readonly key: string | undefined;
  readonly slot: number | undefined;
  readonly output: string;
  readonly look: Look;
}

async function showOne(deps: Deps, state: ClusterState, { key, slot, output, look }: One): Promise<ExitCode> {
  const { lookUpSlot, slotOfKey } = await import('../slot-lookup.ts');
  const lookup = lookUpSlot(state, slot ?? slotOfKey(key ?? ''), key ?? null);
  const document = async (): Promise<object> =>
    (await import('../document/slot-list.ts')).slotDocumentOf(state, lookup);
  if (await wroteDocument(deps, output, document)) return EXIT.done;
  const { renderLookup } = await import('../view/slot-lookup.ts');
  deps.terminal.write(renderLookup(state, lookup, look));
  return EXIT.done;
}
