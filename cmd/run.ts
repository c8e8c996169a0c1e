/** One run of the command line: argv in, exit code out. It never throws; tests call it with a terminal of their own. */
import { EXIT } from '../pkg/errors.ts';
import type { ExitCode } from '../pkg/errors.ts';
import { parseArgv } from './adapter.ts';
import type { Deps } from './deps.ts';
import { helpOfAll, helpOfVerb } from './help.ts';
import { reportOf } from './report-error.ts';
import type { Verb } from './verb.ts';

export interface RunOptions {
  readonly verbs: readonly Verb[];
  /** Stacks of errors, whatever the flags say. */
  readonly debug: boolean;
}

export async function run(argv: readonly string[], deps: Deps, options: RunOptions): Promise<ExitCode> {
  let { debug } = options;
  try {
    const parsed = parseArgv(argv, options.verbs);
    if (parsed.kind === 'help') {
      const width = deps.terminal.size()?.columns ?? null;
      deps.terminal.write(parsed.verb === null ? helpOfAll(options.verbs, width) : helpOfVerb(parsed.verb, width));
      return EXIT.done;
    }
    debug ||= parsed.debug;
    return await parsed.invocation.run(deps);
  } catch (error) {
    const { text, exitCode } = reportOf(error, { debug, interrupted: deps.signal.aborted });
    deps.terminal.say(text);
    return exitCode;
  }
}
