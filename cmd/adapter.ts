/**
 * The only file that knows yargs. It turns argv into a request and never runs anything.
 *
 * Of yargs only its parser is taken: verbs, help and what goes wrong are data and sentences of ours, and the rest of yargs
 * (usage texts, locales, command handlers) costs half as much as starting Node. See docs/adr/0008.
 */
import { Parser } from 'yargs/helpers';
import { usageError } from '../pkg/errors.ts';
import type { Flag, Flags } from './flags.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import { nearest } from './suggest.ts';
import type { Invocation, Typed, Verb } from './verb.ts';

export type Parsed =
  | { readonly kind: 'help'; readonly verb: Verb | null }
  | { readonly kind: 'invocation'; readonly invocation: Invocation; readonly debug: boolean };

type Raw = Readonly<Record<string, unknown>>;

const CONFIGURATION = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'greedy-arrays': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'populate--': true,
  'strip-aliased': true,
} as const;

/** What was asked for. @throws {AppError} usage errors (exit code 2). */
export function parseArgv(argv: readonly string[], verbs: readonly Verb[]): Parsed {
  const words = spreadShortFlags(argv, verbs);
  const verb = findVerb(words, verbs);
  const flags: Flags = verb === null ? GLOBAL_FLAGS : { ...GLOBAL_FLAGS, ...verb.flags };
  const raw = parse(words, flags);
  if (raw['help'] === true) return { kind: 'help', verb };
  refuseUnknownFlags(raw, flags);
  if (verb === null) {
    const [word] = listOf(raw['_']);
    if (word === undefined) return { kind: 'help', verb: null };
    throw unknownVerb(word, verbs);
  }
  const typed: Typed = { positionals: positionalsOf(verb, raw), flags: flagsOf(flags, raw) };
  return { kind: 'invocation', invocation: verb.invoke(typed), debug: raw['debug'] === true };
}

/** The verb is the first word that is neither a flag nor the value of one, of whatever verb that flag is. */
function findVerb(words: readonly string[], verbs: readonly Verb[]): Verb | null {
  const all: Flags = Object.assign({}, ...verbs.map((verb) => verb.flags), GLOBAL_FLAGS);
  const { argv } = Parser.detailed([...words], parserOptions(all));
  const [first] = listOf(argv['_']);
  return verbs.find(({ name }) => name === first) ?? null;
}

function parse(words: readonly string[], flags: Flags): Raw {
  const { argv, error } = Parser.detailed([...words], parserOptions(flags));
  if (error !== null) throw explained(error);
  return argv;
}

function parserOptions(flags: Flags): NonNullable<Parameters<typeof Parser.detailed>[1]> {
  const all = Object.entries(flags);
  const valued = all.flatMap(([name, { takes }]) => (takes === 'nothing' ? [] : [name]));
  return {
    alias: Object.fromEntries(all.flatMap(([name, { alias }]) => (alias === undefined ? [] : [[name, alias]]))),
    boolean: all.flatMap(([name, { takes }]) => (takes === 'nothing' ? [name] : [])),
    string: valued,
    // NaN: just one value, which may follow after =, and must be there.
    narg: Object.fromEntries(valued.map((name) => [name, Number.NaN])),
    configuration: CONFIGURATION,
  };
}

/** Yargs has only one sentence of its own: a flag without its value. */
function explained(error: Error): Error {
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
  // The first word is the verb itself.
  const given = [...listOf(raw['_']).slice(1), ...listOf(raw['--'])];
  for (const [name, positional] of Object.entries(verb.positionals)) {
    const value = given.shift();
    if (value === '') throw usageError(`${name} is empty`, `see: kubectl redis ${verb.name} --help`);
    if (value === undefined && positional.required) {
      throw usageError(
        `${verb.name} needs ${name}: ${lowerFirst(positional.summary)}`,
        `see: kubectl redis ${verb.name} --help`,
      );
    }
    typed[name] = value;
  }
  if (given.length > 0) {
    const takes = Object.keys(verb.positionals);
    const most = takes.length === 0 ? 'takes no arguments' : `takes only ${takes.join(' ')}`;
    throw usageError(`${verb.name} ${most}, but got ${given.map((word) => JSON.stringify(word)).join(' ')} too`);
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

function refuseUnknownFlags(raw: Raw, flags: Flags): void {
  const known = new Set(['_', '--', ...Object.keys(flags)]);
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
