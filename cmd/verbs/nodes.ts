import { EXIT } from '../../pkg/errors.ts';
import { lookAt, sayGaps, withSession } from '../look-at.ts';
import { outputFlag, wroteDocument } from '../output.ts';
import { CLUSTER_NAME, defineVerb } from '../verb.ts';

export const nodesVerb = defineVerb({
  name: 'nodes',
  summary: 'One row for each Redis node',
  description:
    'Show every Redis node: role, shard, replication link and lag, memory, keys, address, host and zone. Nodes that do not answer and ids without a pod are rows that say why.',
  positionals: CLUSTER_NAME,
  flags: { output: outputFlag(['wide', 'name', 'json', 'yaml']) },
  examples: [
    { does: 'The nodes of the only cluster of the namespace', command: 'kubectl redis nodes' },
    { does: 'All columns, however wide', command: 'kubectl redis nodes redis -o wide' },
    { does: 'Their pods, for other commands', command: 'kubectl redis nodes redis -o name | xargs kubectl describe' },
  ],
  exitCodes: { 0: 'shown', 1: 'the cluster could not be read', 2: 'wrong usage' },
  run: ({ args, flags: { output }, globals }, deps) =>
    withSession(deps, globals, async (session) => {
      const leaveOut = ['statefulSets', 'claims', 'operation'] as const;
      const { state } = await lookAt(deps, session, { name: args.NAME, globals }, { thorough: false, leaveOut });
      sayGaps(deps, state);
      if (await wroteDocument(deps, output, async () => (await import('../document/node-list.ts')).nodeListOf(state))) {
        return EXIT.done;
      }
      if (output === 'name') {
        for (const { pod } of state.nodes) if (pod !== null) deps.terminal.write(`pod/${pod.name}\n`);
        return EXIT.done;
      }
      const { renderNodes } = await import('../view/nodes.ts');
      deps.terminal.write(renderNodes(state, { ...deps.terminal.look(globals.color), wide: output === 'wide' }));
      return EXIT.done;
    }),
});
