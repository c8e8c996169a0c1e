import { EXIT, usageError } from '../../pkg/errors.ts';
import { outputFlag, wroteDocument } from '../output.ts';
import { nearest } from '../suggest.ts';
import { defineVerb } from '../verb.ts';

export const explainVerb = defineVerb({
  name: 'explain',
  summary: 'What a problem means, where it comes from, what repairs it',
  description: 'Explain a code that "check" or "status" printed. Without one, list them all.',
  positionals: {
    CODE: { summary: 'The code of a problem, such as slots-open', required: false, completes: 'code' },
  },
  flags: { output: outputFlag(['json', 'yaml']) },
  examples: [
    { does: 'All codes', command: 'kubectl redis explain' },
    { does: 'One of them', command: 'kubectl redis explain slots-open' },
  ],
  exitCodes: { 0: 'explained', 2: 'wrong usage' },
  run: async ({ args, flags: { output }, globals }, deps) => {
    const { CODE_NAMES, isCode } = await import('../../pkg/cluster/check/codes.ts');
    const { CODE } = args;
    if (CODE !== undefined && !isCode(CODE)) {
      const meant = nearest(CODE, CODE_NAMES);
      throw usageError(
        `unknown code ${JSON.stringify(CODE)}${meant === null ? '' : `, did you mean ${meant}?`}`,
        'list them all: kubectl redis explain',
      );
    }
    const codes = CODE === undefined ? CODE_NAMES : [CODE];
    const document = async (): Promise<object> => (await import('../document/problems.ts')).codeListOf(codes);
    if (await wroteDocument(deps, output, document)) return EXIT.done;
    const { renderCode, renderCodes } = await import('../view/explain.ts');
    const look = deps.terminal.look(globals.color);
    deps.terminal.write(CODE === undefined ? renderCodes(look) : renderCode(CODE, look));
    return EXIT.done;
  },
});
