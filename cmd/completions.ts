/** What can come next on a command line. Names of clusters come from Kubernetes; when it does not answer, there are none. */
import { CLUSTER_LABEL } from '../pkg/cluster/model/labels.ts';
import type { Deps } from './deps.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import type { Globals } from './global-flags.ts';
import type { Flag, Flags } from './flags.ts';
import type { Positional, Typed, Verb } from './verb.ts';
import { readGlobals } from './verb.ts';
import { untilAborted } from './look-at.ts';

export interface Candidate {
  readonly word: string;
  readonly about?: string;
}

export interface Completions {
  readonly candidates: readonly Candidate[];
  /** Cobra's: 0 = files may be offered too, 4 = no files. */
  readonly directive: 0 | 4;
}

type World = Pick<Deps, 'signal' | 'clock' | 'openSession'>;

interface Line {
  readonly verb: Verb | null;
  readonly flags: Flags;
  /** Values of flags typed so far, by name. */
  readonly typed: Typed['flags'];
  readonly positionals: readonly string[];
  /** The flag whose value is being typed. */
  readonly pending: [name: string, flag: Flag<unknown>] | null;
  /** What is being typed: the word, or the part of it after `--flag=`. */
  readonly word: string;
  /** To be put in front of every candidate: `--flag=`. */
  readonly prefix: string;
}

export async function completionsFor(
  words: readonly string[],
  verbs: readonly Verb[],
  world: World,
): Promise<Completions> {
  const line = readLine(words, verbs);
  const found = await candidatesOf(line, verbs, world);
  if (found === 'files') return { candidates: [], directive: 0 };
  const candidates = found
    .filter(({ word }) => word.startsWith(line.word))
    .map((candidate) => ({ ...candidate, word: line.prefix + candidate.word }));
  return { candidates, directive: 4 };
}

function readLine(words: readonly string[], verbs: readonly Verb[]): Line {
  let verb: Verb | null = null;
  let flags: Flags = GLOBAL_FLAGS;
  let pending: Line['pending'] = null;
  const typed: Record<string, string[]> = {};
  const positionals: string[] = [];
  for (const word of words.slice(0, -1)) {
    if (pending !== null) {
      (typed[pending[0]] ??= []).push(word);
      pending = null;
    } else if (word.startsWith('-') && word.length > 1) {
      const [name, value] = splitFlag(word);
      const known = findFlag(flags, name);
      if (known === null) continue;
      if (known[1].takes === 'nothing') (typed[known[0]] ??= []).push(value ?? 'true');
      else if (value === null) pending = known;
      else (typed[known[0]] ??= []).push(value);
    } else if (verb === null) {
      verb = verbs.find((one) => one.name === word) ?? null;
      if (verb === null) positionals.push(word);
      else flags = { ...GLOBAL_FLAGS, ...verb.flags };
    } else positionals.push(word);
  }
  const last = words.at(-1) ?? '';
  const [name, value] = splitFlag(last);
  const inline = pending === null && last.startsWith('--') && value !== null ? findFlag(flags, name) : null;
  if (inline !== null)
    return { verb, flags, typed, positionals, pending: inline, word: value ?? '', prefix: `${name}=` };
  return { verb, flags, typed, positionals, pending, word: last, prefix: '' };
}

function splitFlag(word: string): [name: string, value: string | null] {
  const at = word.indexOf('=');
  return at === -1 ? [word, null] : [word.slice(0, at), word.slice(at + 1)];
}

function findFlag(flags: Flags, dashed: string): [string, Flag<unknown>] | null {
  const found = Object.entries(flags).find(([name, { alias }]) => dashed === `--${name}` || dashed === `-${alias}`);
  return found ?? null;
}

async function candidatesOf(line: Line, verbs: readonly Verb[], world: World): Promise<readonly Candidate[] | 'files'> {
  if (line.pending !== null) return flagValues(line, line.pending[1], world);
  if (line.word.startsWith('-')) {
    return Object.entries(line.flags)
      .filter(([name, { takes }]) => takes === 'many' || line.typed[name] === undefined)
      .map(([name, { summary }]) => ({ word: `--${name}`, about: summary }));
  }
  if (line.verb === null) {
    return line.positionals.length > 0 ? [] : verbs.map(({ name, summary }) => ({ word: name, about: summary }));
  }
  const next = Object.values(line.verb.positionals)[line.positionals.length];
  return next === undefined ? [] : positionalValues(line, next, verbs, world);
}

async function flagValues(line: Line, flag: Flag<unknown>, world: World): Promise<readonly Candidate[] | 'files'> {
  if (flag.values !== undefined) return flag.values.map((word) => ({ word }));
  switch (flag.completes) {
    case 'file':
      return 'files';
    case 'namespace':
      return askKubernetes(line, world, async (session) => {
        const namespaces = await session.kube.list('v1', 'Namespace', { allNamespaces: true });
        return namespaces.map(({ metadata }) => metadata.name);
      });
    case 'context': {
      const { listContexts } = await import('./contexts.ts');
      return listContexts(line.typed['kubeconfig']?.at(-1)).map((word) => ({ word }));
    }
    case undefined:
      return [];
    default:
      return flag.completes satisfies never;
  }
}

async function positionalValues(
  line: Line,
  { completes }: Positional,
  verbs: readonly Verb[],
  world: World,
): Promise<readonly Candidate[]> {
  if (completes === undefined) return [];
  if (typeof completes !== 'string') return completes.map((word) => ({ word }));
  switch (completes) {
    case 'verb':
      return verbs.map(({ name, summary }) => ({ word: name, about: summary }));
    case 'code': {
      const { CODES, CODE_NAMES } = await import('../pkg/cluster/check/codes.ts');
      return CODE_NAMES.map((code) => ({ word: code, about: CODES[code].title }));
    }
    case 'pod':
      return askKubernetes(line, world, async (session) => {
        const pods = await session.kube.list('v1', 'Pod', { selector: CLUSTER_LABEL });
        return pods.map(({ metadata }) => metadata.name);
      });
    case 'cluster':
      return askKubernetes(line, world, async (session) => {
        const clusters = await session.kube.listClusters(session.namespace);
        return clusters.map(({ name }) => name);
      });
    default:
      return completes satisfies never;
  }
}

type Ask = (session: Awaited<ReturnType<World['openSession']>>) => Promise<readonly string[]>;

/** Completion never complains: no answer, no rights, no kubeconfig are no candidates. */
async function askKubernetes(line: Line, world: World, ask: Ask): Promise<readonly Candidate[]> {
  try {
    const globals: Globals = readGlobals({ positionals: {}, flags: line.typed });
    const session = await world.openSession(globals);
    try {
      return (await untilAborted(ask(session), world.signal)).map((word) => ({ word }));
    } finally {
      session.close();
    }
  } catch {
    return [];
  }
}
