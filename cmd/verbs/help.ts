import { EXIT, usageError } from '../../pkg/errors.ts';
import { helpOfAll, helpOfVerb } from '../help.ts';
import { nearest } from '../suggest.ts';
import { defineVerb } from '../verb.ts';

export const helpVerb = defineVerb({
  name: 'help',
  summary: 'Help for a verb',
  description: 'Print the help of a verb, or the list of all verbs.',
  positionals: { VERB: { summary: 'The verb', required: false, completes: 'verb' } },
  flags: {},
  examples: [{ does: 'Help for slots', command: 'kubectl redis help slots' }],
  exitCodes: { 0: 'printed', 2: 'wrong usage' },
  run: async ({ args: { VERB } }, deps) => {
    // Here and not above: the table of verbs imports this file.
    const { VERBS } = await import('./all.ts');
    const verb = VERBS.find((one) => one.name === VERB);
    const width = deps.terminal.size()?.columns ?? null;
    if (VERB !== undefined && verb === undefined) {
      const meant = nearest(
        VERB,
        VERBS.map((one) => one.name),
      );
      throw usageError(
        `unknown verb ${JSON.stringify(VERB)}${meant === null ? '' : `, did you mean ${meant}?`}`,
        'see: kubectl redis --help',
      );
    }
    deps.terminal.write(verb === undefined ? helpOfAll(VERBS, width) : helpOfVerb(verb, width));
    return EXIT.done;
  },
});
