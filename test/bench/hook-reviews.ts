/** Reviews for the webhook's benchmarks: ordinary ones, and a thousand that mean harm. */
import type { Json } from '../../pkg/pod/inject/pod-json.ts';
import { bodyOf } from '../support/admission.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { podOf } from '../support/inject-pods.ts';

/** A pod that asks to be node `redis-N`, as an API server sends it, as text. */
export function ordinaryReview(node = 1): string {
  const name = `redis-${node}`;
  const pod = podOf({ meta: { name, labels: { name, 'kubectl-redis.io/cluster': 'redis', app: 'redis' } } });
  return JSON.stringify(bodyOf(pod, { name }));
}

/** How a hostile review is sent: at once, or so slowly that the server has to end it. */
export interface HostileReview {
  readonly kind: string;
  readonly body: Buffer;
  readonly slow: boolean;
}

/** `seed` decides all of it. */
export function hostileReviews(count: number, seed: number): HostileReview[] {
  const random = seededRandom(seed);
  const kinds = Object.keys(HOSTILE) as (keyof typeof HOSTILE)[];
  return Array.from({ length: count }, (_, at) => {
    const kind = kinds[at % kinds.length] ?? 'fuzzed';
    return { kind, body: Buffer.from(HOSTILE[kind](random)), slow: kind === 'slow sender' };
  });
}

type Random = () => number;
const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)] as T;
const DEEPEST = 100_000;
const LARGEST = 3_000_000;

const HOSTILE = {
  fuzzed: (random) => {
    const bytes = Buffer.from(ordinaryReview());
    for (let n = below(random, 20); n >= 0; n--) bytes[below(random, bytes.length)] = below(random, 256);
    return random() < 0.3 ? bytes.subarray(0, below(random, bytes.length)) : bytes;
  },
  'nested deeply': (random) => {
    const depth = 1 + below(random, DEEPEST);
    const deep = random() < 0.5 ? `${'['.repeat(depth)}${']'.repeat(depth)}` : nestedObjects(depth);
    const place = pick(random, ['"labels":{', '"annotations":{', '"metadata":{', '"spec":{', '"containers":[{']);
    return ordinaryReview().replace(place, `${place}"deep":${deep},`);
  },
  large: (random) => {
    const place = pick(random, ['"labels":{', '"spec":{', '"metadata":{']);
    // One long text, or very many short ones.
    const filling =
      random() < 0.5
        ? `"large":"${'x'.repeat(LARGEST)}"`
        : Array.from({ length: LARGEST / 30 }, (_, n) => `"key-${n}":"value-${n}"`).join();
    return ordinaryReview().replace(place, `${place}${filling},`);
  },
  'of wrong types': (random) => {
    const review = JSON.parse(ordinaryReview()) as Json;
    const paths = pathsOf(review);
    for (let n = below(random, 4); n >= 0; n--)
      putAt(review, pick(random, paths), structuredClone(pick(random, STRANGE)));
    return JSON.stringify(review);
  },
  'keys of prototypes': (random) => {
    const key = pick(random, ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']);
    const place = pick(random, ['"labels":{', '"spec":{', '"metadata":{', '"request":{']);
    return ordinaryReview().replace(place, `${place}"${key}":{"polluted":true,"prototype":{"polluted":true}},`);
  },
  'slow sender': (random) => ordinaryReview().slice(0, 1 + below(random, 200)),
} satisfies Record<string, (random: Random) => string | Buffer>;

const STRANGE: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  '',
  '\u0000',
  'x'.repeat(10_000),
  [],
  [[]],
  {},
  [null],
  { a: null },
];

function nestedObjects(depth: number): string {
  return `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`;
}

/** Paths of all members of a review. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  if (typeof value !== 'object' || value === null) return [path];
  return [path, ...Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]))].filter(
    (each) => each.length > 0,
  );
}

function putAt(review: Json, path: readonly string[], value: unknown): void {
  const parents = path.slice(0, -1);
  let at: unknown = review;
  for (const key of parents) at = typeof at === 'object' && at !== null ? (at as Record<string, unknown>)[key] : null;
  if (typeof at === 'object' && at !== null) (at as Record<string, unknown>)[path.at(-1) ?? ''] = value;
}
