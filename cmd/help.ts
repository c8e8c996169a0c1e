/** Help texts, made from the verbs' data. Pure. */
import type { Flag, Flags } from './flags.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import type { Verb } from './verb.ts';
import { wrap } from './view/format.ts';

/** Help is read on terminals of any size; longer lines are hard to read anyway. */
const MAX_WIDTH = 100;

/** `kubectl redis --help`. `width` in characters, null = not a terminal. */
export function helpOfAll(verbs: readonly Verb[], width: number | null): string {
  const lines = [
    'Redis Cluster on plain Kubernetes, with no operator and no CRD.',
    '',
    'Usage:',
    '  kubectl redis VERB [NAME] [flags]',
    '',
    'Verbs:',
    ...twoColumns(
      verbs.map((verb) => [verb.name, verb.summary]),
      width,
    ),
    '',
    'Flags of every verb:',
    ...flagLines(GLOBAL_FLAGS, width),
    '',
    'NAME may be left out where the namespace has one cluster.',
    'Use "kubectl redis VERB --help" for more about a verb.',
  ];
  return `${lines.join('\n')}\n`;
}

/** `kubectl redis VERB --help`. */
export function helpOfVerb(verb: Verb, width: number | null): string {
  const positionals = Object.entries(verb.positionals);
  const usage = positionals.map(([name, { required }]) => (required ? name : `[${name}]`)).join(' ');
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', title, ...lines];
  const codes = Object.entries(verb.exitCodes);
  const lines = [
    ...verb.description.split('\n').flatMap((paragraph) => wrap(paragraph, measure(width))),
    ...section('Usage:', [`  kubectl redis ${[verb.name, usage, '[flags]'].filter((word) => word !== '').join(' ')}`]),
    ...section(
      'Examples:',
      verb.examples.flatMap(({ does, command }) => [`  # ${does}`, `  ${command}`, '']).slice(0, -1),
    ),
    ...section(
      'Arguments:',
      twoColumns(
        positionals.map(([name, { summary }]) => [name, summary]),
        width,
      ),
    ),
    ...section('Flags:', flagLines(verb.flags, width)),
    ...section('Flags of every verb:', flagLines(GLOBAL_FLAGS, width)),
    ...section('Exit codes:', twoColumns(codes, width)),
  ];
  return `${lines.join('\n')}\n`;
}

function flagLines(flags: Flags, width: number | null): string[] {
  return twoColumns(
    Object.entries(flags).map(([name, flag]) => [flagHead(name, flag), flagSummary(flag)]),
    width,
  );
}

function flagHead(name: string, flag: Flag<unknown>): string {
  const short = flag.alias === undefined ? '    ' : `-${flag.alias}, `;
  return `${short}--${name}${flag.placeholder === '' ? '' : ` ${flag.placeholder}`}`;
}

function flagSummary(flag: Flag<unknown>): string {
  return flag.fallback === undefined ? flag.summary : `${flag.summary} (default ${flag.fallback})`;
}

/** Two columns, the second one wrapped; under each other where the terminal is narrow. */
function twoColumns(rows: readonly (readonly [string, string])[], width: number | null): string[] {
  const full = measure(width);
  const left = Math.max(0, ...rows.map(([head]) => head.length).filter((length) => length <= 34)) + 4;
  const narrow = full - left < 24;
  return rows.flatMap(([head, tail]) => {
    const indent = narrow ? 6 : left;
    const [first = '', ...rest] = wrap(tail, Math.max(10, full - indent));
    const below = [...rest].map((line) => ' '.repeat(indent) + line);
    if (narrow || head.length + 4 > left) return [`  ${head}`, ' '.repeat(indent) + first, ...below];
    return [`  ${head.padEnd(left - 2)}${first}`, ...below];
  });
}

function measure(width: number | null): number {
  return Math.min(width ?? MAX_WIDTH, MAX_WIDTH);
}
