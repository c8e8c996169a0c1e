import { EXIT } from '../../pkg/errors.ts';
import { outputFlag, wroteDocument } from '../output.ts';
import { recordFlags, withSight } from '../sight.ts';
import { CLUSTER_NAME, defineVerb } from '../verb.ts';

export const checkVerb = defineVerb({
  name: 'check',
  summary: 'Only the problems of a cluster, for people and for scripts',
  description:
    'Compare what every node and Kubernetes say, and print what is not as it must be: each problem with a code, a sentence and what would fix it. "kubectl redis explain CODE" says more about one.',
  positionals: CLUSTER_NAME,
  flags: { output: outputFlag(['json', 'yaml']), ...recordFlags },
  examples: [
    { does: 'Check the only cluster of the namespace', command: 'kubectl redis check' },
    { does: 'Write down what is wrong, for a report', command: 'kubectl redis check redis --record redis.json' },
    { does: 'Look at it again, anywhere', command: 'kubectl redis check -f redis.json' },
    { does: 'Stop a script when something is wrong', command: 'kubectl redis check redis || exit 1' },
  ],
  exitCodes: {
    0: 'no problems, at most notes',
    1: 'the cluster could not be read',
    2: 'wrong usage',
    3: 'problems found (critical or warning)',
  },
  run: ({ args, flags: { output, record, file }, globals }, deps) =>
    withSight(deps, { name: args.NAME, globals, record, file }, async (seen) => {
      const { judge } = await import('../judge.ts');
      const { state, problems } = judge(seen);
      const document = async (): Promise<object> =>
        (await import('../document/problems.ts')).problemListOf(state, problems);
      if (!(await wroteDocument(deps, output, document))) {
        const { renderCheck } = await import('../view/problems.ts');
        deps.terminal.write(renderCheck(state, problems, deps.terminal.look(globals.color)));
      }
      return problems.some(({ severity }) => severity !== 'info') ? EXIT.refused : EXIT.done;
    }),
});
