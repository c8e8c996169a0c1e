/** A page for each verb, from its definition: the same data that `--help` and completion are made from. Pure. */
import type { Flag, Flags } from '../../cmd/flags.ts';
import { GLOBAL_FLAGS } from '../../cmd/global-flags.ts';
import type { Verb } from '../../cmd/verb.ts';
import { VERBS } from '../../cmd/verbs/all.ts';

const FOOT = '<!-- Written by npm run docs:verbs from cmd/verbs: change it there. -->\n';

/** File name in docs/verbs -> its text. */
export function verbDocs(verbs: readonly Verb[] = VERBS): ReadonlyMap<string, string> {
  return new Map([['README.md', index(verbs)], ...verbs.map((verb) => [`${verb.name}.md`, page(verb)] as const)]);
}

function index(verbs: readonly Verb[]): string {
  const rows = verbs.map(({ name, summary }) => [`[\`${name}\`](${name}.md)`, summary]);
  return [
    '# Verbs\n',
    '`kubectl redis VERB [NAME] [flags]`. NAME may be left out where the namespace has one cluster.\n',
    table(['verb', 'what it does'], rows),
    '## Flags of every verb\n',
    flagTable(GLOBAL_FLAGS),
    FOOT,
  ].join('\n');
}

function page(verb: Verb): string {
  const positionals = Object.entries(verb.positionals);
  const words = positionals.map(([name, { required }]) => (required ? name : `[${name}]`));
  const examples = verb.examples.map(({ does, command }) => `# ${does}\n${command}\n`).join('\n');
  const section = (title: string, text: string): string[] => (text === '' ? [] : [`## ${title}\n`, text]);
  return [
    `# kubectl redis ${verb.name}\n`,
    `${verb.description.split('\n').map(escape).join('\n\n')}\n`,
    block(`${['kubectl redis', verb.name, ...words, '[flags]'].join(' ')}\n`),
    ...section('Examples', examples === '' ? '' : block(examples)),
    ...section(
      'Arguments',
      positionals.length === 0
        ? ''
        : table(
            ['argument', 'meaning'],
            positionals.map(([name, { summary }]) => [name, summary]),
          ),
    ),
    ...section('Flags', Object.keys(verb.flags).length === 0 ? '' : flagTable(verb.flags)),
    'The [flags of every verb](README.md#flags-of-every-verb) come on top.\n',
    ...section('Exit codes', table(['code', 'meaning'], Object.entries(verb.exitCodes))),
    FOOT,
  ].join('\n');
}

function flagTable(flags: Flags): string {
  return table(
    ['flag', 'meaning'],
    Object.entries(flags).map(([name, flag]) => [`\`${head(name, flag)}\``, meaning(flag)]),
  );
}

function head(name: string, flag: Flag<unknown>): string {
  const short = flag.alias === undefined ? '' : `-${flag.alias}, `;
  return `${short}--${name}${flag.placeholder === '' ? '' : ` ${flag.placeholder}`}`;
}

function meaning({ summary, fallback }: Flag<unknown>): string {
  return fallback === undefined ? summary : `${summary} (default ${fallback})`;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(' | ')} |\n`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('');
}

const block = (text: string): string => `\`\`\`sh\n${text}\`\`\`\n`;

/** Outside of code, `<` would begin a tag. */
const escape = (text: string): string => text.replaceAll('<', '\\<');

/** A bar would end a cell, also inside of code. */
const escapeCell = (text: string): string => (text.startsWith('`') ? text : escape(text)).replaceAll('|', '\\|');
