/**
 * The only file that knows yargs. It turns argv into a request and never runs anything: yargs reports mistakes of the user
 * and errors of handlers in the same way, so its handlers only keep what was typed.
 */
import yargs from 'yargs';
import type { Argv } from 'yargs';
import { usageError } from '../pkg/errors.ts';
import type { Flag, Flags } from './flags.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import { nearest } from './suggest.ts';
import type { Invocation, Typed, Verb } from './verb.ts';

export type Parsed =
  | { readonly kind: 'help'; readonly verb: Verb | null }
  | { readonly kind: 'invocation'; readonly invocation: Invocation; readonly debug: boolean };

type Raw = Readonly<Record<string, unknown>>;

/** What was asked for. Throws usage errors (exit code 2). */
export async function parseArgv(argv: readonly string[], verbs: readonly Verb[]): Promise<Parsed> {
  const words = spreadShortFlags(argv, verbs);
  const found = await runYargs(words, verbs);
  const { verb, raw } = found;
  const flags: Flags = verb === null ? GLOBAL_FLAGS : { ...GLOBAL_FLAGS, ...verb.flags };
  if (raw['help'] === true) return { kind: 'help', verb };
  if (verb === null) {
    const [word] = listOf(raw['_']);
    refuseUnknownFlags(raw, flags, []);
    if (word === undefined) return { kind: 'help', verb: null };
    throw unknownVerb(word, verbs);
  }
  const names = Object.keys(verb.positionals);
  refuseUnknownFlags(raw, flags, names);
  const typed: Typed = { positionals: positionalsOf(verb, raw), flags: flagsOf(flags, raw) };
  return { kind: 'invocation', invocation: verb.invoke(typed), debug: raw['debug'] === true };
}

async function runYargs(words: readonly string[], verbs: readonly Verb[]): Promise<{ verb: Verb | null; raw: Raw }> {
  let found: { verb: Verb; raw: Raw } | null = null;
  const parser = yargs()
    .scriptName('kubectl redis')
    .detectLocale(false)
    .fail(false)
    .exitProcess(false)
    .help(false)
    .version(false)
    .parserConfiguration({
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'greedy-arrays': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'populate--': true,
      'strip-aliased': true,
    });
  addFlags(parser, GLOBAL_FLAGS);
  for (const verb of verbs) {
    // Every positional is optional for yargs: we say ourselves what is missing, and --help works without it.
    const usage = [verb.name, ...Object.keys(verb.positionals).map((name) => `[${name}]`)].join(' ');
    parser.command(
      usage,
      verb.summary,
      (own) => {
        addFlags(own, verb.flags);
        for (const name of Object.keys(verb.positionals)) own.positional(name, { type: 'string' });
      },
      (raw) => {
        found = { verb, raw };
      },
    );
  }
  try {
    const raw: Raw = await parser.parseAsync([...words]);
    return found ?? { verb: null, raw };
  } catch (error) {
    throw explained(error);
  }
}

function addFlags(parser: Argv, flags: Flags): void {
  for (const [name, flag] of Object.entries(flags)) {
    const alias = flag.alias === undefined ? {} : { alias: flag.alias };
    if (flag.takes === 'nothing') parser.option(name, { ...alias, type: 'boolean' });
    else parser.option(name, { ...alias, type: 'string', requiresArg: true });
  }
}

/** Yargs has only one sentence of its own left: a flag without its value. */
function explained(error: unknown): unknown {
  if (!(error instanceof Error) || error.name !== 'YError') return error;
  const missing = /^Not enough arguments following: (.+)$/.exec(error.message)?.[1];
  if (missing === undefined) return usageError(error.message);
  return usageError(`flag ${missing.length === 1 ? '-' : '--'}${missing} needs a value`);
}

/**
 * `-nprod` as kubectl takes it: yargs would read four switches. Also the place where `--debug=maybe` is refused, which
 * yargs takes for false.
 */
function spreadShortFlags(argv: readonly string[], verbs: readonly Verb[]): string[] {
  const all: [string, Flag<unknown>][] = [GLOBAL_FLAGS, ...verbs.map((verb) => verb.flags)].flatMap((flags: Flags) =>
    Object.entries(flags),
  );
  const end = argv.indexOf('--');
  const flagsEnd = end === -1 ? argv.length : end;
  return argv.flatMap((word, index) => {
    if (index >= flagsEnd) return [word];
    const long = /^--([^=]+)=(.*)$/s.exec(word);
    if (long !== null) {
      const isSwitch = all.some(([name, flag]) => name === long[1] && flag.takes === 'nothing');
      if (isSwitch && long[2] !== 'true' && long[2] !== 'false') {
        throw usageError(`flag --${long[1]} takes true or false, not ${JSON.stringify(long[2])}`);
      }
      return [word];
    }
    const short = /^-([A-Za-z])([^=].*)$/s.exec(word);
    const valued = short !== null && all.some(([, flag]) => flag.alias === short[1] && flag.takes !== 'nothing');
    return valued && short !== null ? [`-${short[1]}`, short[2] ?? ''] : [word];
  });
}

function positionalsOf(verb: Verb, raw: Raw): Record<string, string | undefined> {
  const typed: Record<string, string | undefined> = {};
  const late = listOf(raw['--']);
  for (const [name, positional] of Object.entries(verb.positionals)) {
    const given = raw[name];
    const value = given === undefined ? late.shift() : listOf(given).join(' ');
    if (value === '') throw usageError(`${name} is empty`, `see: kubectl redis ${verb.name} --help`);
    if (value === undefined && positional.required) {
      throw usageError(
        `${verb.name} needs ${name}: ${lowerFirst(positional.summary)}`,
        `see: kubectl redis ${verb.name} --help`,
      );
    }
    typed[name] = value;
  }
  const extra = [...listOf(raw['_']).slice(1), ...late];
  if (extra.length > 0) {
    const takes = Object.keys(verb.positionals);
    const most = takes.length === 0 ? 'takes no arguments' : `takes only ${takes.join(' ')}`;
    throw usageError(`${verb.name} ${most}, but got ${extra.map((word) => JSON.stringify(word)).join(' ')} too`);
  }
  return typed;
}

function flagsOf(flags: Flags, raw: Raw): Record<string, readonly string[]> {
  const typed: Record<string, readonly string[]> = {};
  for (const [name, flag] of Object.entries(flags)) {
    const given = listOf(raw[name]);
    if (flag.takes === 'one' && given.length > 1) throw usageError(`flag --${name} was given ${given.length} times`);
    typed[name] = given;
  }
  return typed;
}

function refuseUnknownFlags(raw: Raw, flags: Flags, positionals: readonly string[]): void {
  const known = new Set(['_', '--', '$0', ...Object.keys(flags), ...positionals]);
  const unknown = Object.keys(raw).find((key) => !known.has(key));
  if (unknown === undefined) return;
  const dashed = unknown.length === 1 ? `-${unknown}` : `--${unknown}`;
  const meant = unknown.length === 1 ? null : nearest(unknown, Object.keys(flags));
  throw usageError(
    `unknown flag ${dashed}${meant === null ? '' : `, did you mean --${meant}?`}`,
    meant === null ? 'see the flags with --help' : undefined,
  );
}

function unknownVerb(word: string, verbs: readonly Verb[]): Error {
  const meant = nearest(
    word,
    verbs.map((verb) => verb.name),
  );
  return usageError(
    `unknown verb ${JSON.stringify(word)}${meant === null ? '' : `, did you mean ${meant}?`}`,
    'see the verbs with: kubectl redis --help',
  );
}

function listOf(value: unknown): string[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}

function lowerFirst(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
