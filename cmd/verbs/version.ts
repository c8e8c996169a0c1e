import { EXIT } from '../../pkg/errors.ts';
import { outputFlag, wroteDocument } from '../output.ts';
import { VERSION } from '../version.ts';
import { defineVerb } from '../verb.ts';

export const versionVerb = defineVerb({
  name: 'version',
  summary: 'Version of this plugin',
  description:
    'Print the version of this plugin and of the Node.js that runs it. For the versions of Redis servers see "kubectl redis nodes".',
  positionals: {},
  flags: { output: outputFlag(['json', 'yaml']) },
  examples: [{ does: 'Print it', command: 'kubectl redis version' }],
  exitCodes: { 0: 'printed', 2: 'wrong usage' },
  run: async ({ flags: { output } }, deps) => {
    const document = async (): Promise<object> => {
      const { API_VERSION } = await import('../document/document.ts');
      return { apiVersion: API_VERSION, kind: 'Version', version: VERSION, node: process.versions.node };
    };
    if (await wroteDocument(deps, output, document)) return EXIT.done;
    deps.terminal.write(`kubectl-redis ${VERSION} (Node.js ${process.versions.node})\n`);
    return EXIT.done;
  },
});
