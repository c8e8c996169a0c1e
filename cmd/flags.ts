/**
 * Kinds of flags. A flag knows how to read what was typed after it, so that a wrong value is a usage error (exit code 2)
 * before anything happens: yargs itself would make NaN of `--slot x` and an array of a flag given twice.
 */
import { usageError } from '../pkg/errors.ts';

export interface Flag<T> {
  /** How many values it takes; `many` may be repeated. */
  readonly takes: 'nothing' | 'one' | 'many';
  /** One letter: `n` for `-n`. */
  readonly alias?: string;
  /** How help shows its value: `N` in `--slot N`. Empty when it takes nothing. */
  readonly placeholder: string;
  readonly summary: string;
  /** Possible values, for completion. */
  readonly values?: readonly string[];
  /** What completion offers: cluster data, or files. */
  readonly completes?: 'namespace' | 'context' | 'file';
  /** How help shows the value that holds when it is not given. */
  readonly fallback?: string;
  /** `given` is empty when the flag was not typed. Throws a usage error that names the flag. */
  readonly read: (given: readonly string[], flag: string) => T;
}

export type Flags = Readonly<Record<string, Flag<unknown>>>;
export type FlagValues<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

interface About {
  readonly summary: string;
  readonly alias?: string;
  readonly placeholder?: string;
  readonly completes?: 'namespace' | 'context' | 'file';
}

/** A switch: `--debug`, `--debug=false`. */
export function toggle(about: Pick<About, 'summary' | 'alias'>): Flag<boolean> {
  return { ...about, takes: 'nothing', placeholder: '', read: (given) => given.at(-1) === 'true' };
}

/** Any text that is not empty. */
export function text(about: About): Flag<string | undefined> {
  return {
    placeholder: 'TEXT',
    ...about,
    takes: 'one',
    read: ([given], flag) => {
      if (given === '') throw usageError(`flag ${flag} needs a value`);
      return given;
    },
  };
}

/** Any text, the empty one too: a Redis key may be empty. */
export function anyText(about: About): Flag<string | undefined> {
  return { placeholder: 'TEXT', ...about, takes: 'one', read: ([given]) => given };
}

/** May be given more than once. */
export function texts(about: About): Flag<readonly string[]> {
  return {
    placeholder: 'TEXT',
    ...about,
    takes: 'many',
    read: (given, flag) => {
      if (given.includes('')) throw usageError(`flag ${flag} needs a value`);
      return given;
    },
  };
}

/** One of a few words. */
export function oneOf<const V extends string>(values: readonly V[], fallback: V, about: About): Flag<V> {
  return {
    placeholder: values.join('|'),
    ...about,
    takes: 'one',
    values,
    fallback,
    read: ([given], flag) => {
      if (given === undefined) return fallback;
      const value = values.find((one) => one === given);
      if (value === undefined) throw usageError(`${flag} ${shown(given)} is not one of ${values.join(', ')}`);
      return value;
    },
  };
}

/** One of a few words, or undefined when it is not given. */
export function choice<const V extends string>(values: readonly V[], about: About): Flag<V | undefined> {
  return {
    placeholder: values.join('|'),
    ...about,
    takes: 'one',
    values,
    read: ([given], flag) => {
      const value = values.find((one) => one === given);
      if (value === undefined && given !== undefined)
        throw usageError(`${flag} ${shown(given)} is not one of ${values.join(', ')}`);
      return value;
    },
  };
}

/** A whole number within bounds, both included. */
export function whole(bounds: { readonly min: number; readonly max: number }, about: About): Flag<number | undefined> {
  return {
    placeholder: 'N',
    ...about,
    takes: 'one',
    read: ([given], flag) => {
      if (given === undefined) return undefined;
      const value = /^-?\d{1,15}$/.test(given) ? Number(given) : NaN;
      if (!(value >= bounds.min && value <= bounds.max)) {
        throw usageError(`${flag} ${shown(given)} is not ${boundsInWords(bounds)}`);
      }
      return value;
    },
  };
}

interface DurationBounds {
  readonly minMs: number;
}

/** Milliseconds, typed as kubectl and Go type durations: `5s`, `2m`, `1m30s`, `500ms`; a bare number is seconds. */
export function duration(fallback: string, bounds: DurationBounds, about: About): Flag<number> {
  return {
    placeholder: 'DURATION',
    ...about,
    takes: 'one',
    fallback,
    read: ([given], flag) => readDuration(given ?? fallback, flag, bounds),
  };
}

/** The same where it matters whether it was typed: undefined when it was not. */
export function optionalDuration(bounds: DurationBounds, about: About): Flag<number | undefined> {
  return {
    placeholder: 'DURATION',
    ...about,
    takes: 'one',
    read: ([given], flag) => (given === undefined ? undefined : readDuration(given, flag, bounds)),
  };
}

function readDuration(given: string, flag: string, bounds: DurationBounds): number {
  const value = durationMs(given);
  if (value === null) {
    throw usageError(`${flag} ${shown(given)} is not a duration`, 'write it as 500ms, 5s, 2m or 1m30s');
  }
  if (value < bounds.minMs) throw usageError(`${flag} ${given} is too short`, `the least is ${bounds.minMs}ms`);
  return value;
}

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const;

/** Milliseconds of a duration, or null when it is none. */
export function durationMs(typed: string): number | null {
  if (/^\d{1,9}$/.test(typed)) return Number(typed) * 1000;
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(typed)) return null;
  let total = 0;
  for (const [, amount, unit] of typed.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)) {
    total += Number(amount) * (unit === 'ms' || unit === 's' || unit === 'm' || unit === 'h' ? UNIT_MS[unit] : NaN);
  }
  // More than that and a timer would fire at once.
  return total <= 2 ** 31 - 1 ? Math.round(total) : null;
}

function boundsInWords(bounds: { readonly min: number; readonly max: number }): string {
  if (bounds.max === Number.MAX_SAFE_INTEGER) return `a whole number of at least ${bounds.min}`;
  return `a whole number from ${bounds.min} to ${bounds.max}`;
}

/** What was typed, as it may be printed. */
function shown(typed: string): string {
  return JSON.stringify(typed);
}
