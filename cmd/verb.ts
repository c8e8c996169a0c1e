/**
 * What a verb is: data, and a function that is given its request. Only adapter.ts knows how the request was typed.
 *
 * A new verb: a file in verbs/ that calls `defineVerb`, and a line in verbs/all.ts. Heavy things (clients, tables) are
 * imported inside `run`, so that help and completion never load them.
 */
import type { ExitCode } from '../pkg/errors.ts';
import type { Deps } from './deps.ts';
import type { Flag, Flags, FlagValues } from './flags.ts';
import { GLOBAL_FLAGS } from './global-flags.ts';
import type { Globals } from './global-flags.ts';

export interface Positional {
  readonly summary: string;
  readonly required: boolean;
  /** What completion offers for it. */
  readonly completes?: 'cluster' | 'pod' | 'verb' | 'code' | readonly string[];
}

export type Positionals = Readonly<Record<string, Positional>>;
export type PositionalValues<P extends Positionals> = {
  readonly [K in keyof P]: P[K]['required'] extends true ? string : string | undefined;
};

/** What was asked for: everything typed, read and checked, and nothing else. */
export interface Request<F extends Flags, P extends Positionals> {
  readonly args: PositionalValues<P>;
  readonly flags: FlagValues<F>;
  readonly globals: Globals;
}

export interface Example {
  readonly does: string;
  readonly command: string;
}

export interface VerbSpec<F extends Flags, P extends Positionals> {
  readonly name: string;
  /** One line, for the list of verbs. */
  readonly summary: string;
  /** Paragraphs for the verb's own help. */
  readonly description: string;
  /** In the order in which they are typed; upper case names, as help shows them. */
  readonly positionals: P;
  readonly flags: F;
  readonly examples: readonly Example[];
  /** Meaning of each exit code that it can end with. */
  readonly exitCodes: Readonly<Partial<Record<ExitCode, string>>>;
  readonly run: (request: Request<F, P>, deps: Deps) => Promise<ExitCode>;
}

/** What the adapter read from the command line, before any of it was understood. */
export interface Typed {
  readonly positionals: Readonly<Record<string, string | undefined>>;
  readonly flags: Readonly<Record<string, readonly string[]>>;
}

export interface Invocation {
  readonly verb: string;
  readonly request: Request<Flags, Positionals>;
  readonly run: (deps: Deps) => Promise<ExitCode>;
}

/** A verb whose types are hidden, as tables of verbs need it. */
export interface Verb extends Omit<VerbSpec<Flags, Positionals>, 'run'> {
  /** Reads what was typed. Throws usage errors. */
  readonly invoke: (typed: Typed) => Invocation;
}

export function defineVerb<const F extends Flags, const P extends Positionals>(spec: VerbSpec<F, P>): Verb {
  return {
    ...spec,
    invoke: (typed) => {
      const request: Request<F, P> = {
        args: typed.positionals as PositionalValues<P>,
        flags: readFlags(spec.flags, typed),
        globals: readGlobals(typed),
      };
      return { verb: spec.name, request, run: (deps) => spec.run(request, deps) };
    },
  };
}

/** The flags of every verb. Throws usage errors. */
export function readGlobals(typed: Typed): Globals {
  return readFlags(GLOBAL_FLAGS, typed);
}

function readFlags<F extends Flags>(flags: F, typed: Typed): FlagValues<F> {
  const read = ([name, flag]: [string, Flag<unknown>]): [string, unknown] => [
    name,
    flag.read(typed.flags[name] ?? [], `--${name}`),
  ];
  return Object.fromEntries(Object.entries(flags).map(read)) as FlagValues<F>;
}

/** The positional of verbs that look at one cluster. */
export const CLUSTER_NAME = {
  NAME: {
    summary: 'Name of the cluster; may be left out where the namespace has only one',
    required: false,
    completes: 'cluster',
  },
} as const;
