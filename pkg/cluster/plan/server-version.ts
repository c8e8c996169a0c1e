/** Versions of servers, and what the name of an image tells of one (law L14). Pure text. */
import type { ServerInfo } from '../model/observation.ts';
import { imageName, lastPart } from '../model/redis-image.ts';
import type { ClusterNode } from '../model/state.ts';

/** Negative when `a` is older. Parts that one of them lacks are not compared: `7` is any 7. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [partsOf(a), partsOf(b)];
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function partsOf(version: string): number[] {
  return version.split('.').map((part) => Number.parseInt(part, 10));
}

interface Named {
  readonly product: ServerInfo['product'] | null;
  /** `7`, `8.4`, `7.0.15`; null for a tag that is none. */
  readonly version: string | null;
}

/** Of `registry.example/bitnami/redis-cluster:7.0.15-debian-12@sha256:…`: redis, 7.0.15. */
export function namedServer(image: string): Named {
  const name = lastPart(imageName(image));
  const product = /valkey/i.test(name) ? 'valkey' : /redis/i.test(name) ? 'redis' : null;
  const tag = /:([^/:@]+)(?:@.*)?$/.exec(image)?.[1] ?? '';
  return { product, version: /^v?(\d+(?:\.\d+){0,2})(?![\d.])/.exec(tag)?.[1] ?? null };
}

/** The last Redis whose data Valkey can read. */
const LAST_SHARED = '7.2';

/**
 * Why an image must not take the place of a running server, as far as its name tells; null = it may, or its name tells nothing and the
 * first replica will show it.
 */
export function whyOlder(
  image: string,
  running: Pick<ServerInfo, 'product' | 'version'>,
  who = 'the servers run',
): string | null {
  const named = namedServer(image);
  const has = `${who} ${running.product} ${running.version}`;
  const product = named.product ?? running.product;
  if (product === 'redis' && running.product === 'valkey') return `${has}, whose data no redis can read`;
  if (product === 'valkey' && running.product === 'redis')
    return compareVersions(running.version, LAST_SHARED) > 0 ? `${has}, whose data no valkey can read` : null;
  if (named.version === null || compareVersions(named.version, running.version) >= 0) return null;
  return `${has}, and an older one can't read their data`;
}

/** The same for the first of these nodes that answers and whose place it must not take; null = none of them. */
export function whyOlderThan(image: string, nodes: readonly Pick<ClusterNode, 'reply' | 'pod'>[]): string | null {
  for (const { reply, pod } of nodes) {
    if (reply?.kind !== 'answered') continue;
    const why = whyOlder(image, reply.answer.info, pod == null ? undefined : `${pod.name} runs`);
    if (why !== null) return why;
  }
  return null;
}

type Server = Pick<ServerInfo, 'product' | 'version'>;

/** Whether a server reads what another one has written, so that its old primary can copy it again when that is new, too (law L14). */
export function reads(heir: Server, primary: Server): boolean {
  if (heir.product === primary.product) return compareVersions(heir.version, primary.version) >= 0;
  return heir.product === 'valkey' && compareVersions(primary.version, LAST_SHARED) <= 0;
}

/**
 * The version of the RDB format by minor version: DUMP and MIGRATE pack keys in it. Several minor versions have one in common, so slots go
 * between those in both directions (rdb.h of each release; Redis 7.0 and 8.6 and Valkey 9.1 also as they answer DUMP).
 */
const RDB_VERSIONS: Readonly<Record<ServerInfo['product'], Readonly<Record<string, number>>>> = {
  redis: {
    '5.0': 9,
    '6.0': 9,
    '6.2': 9,
    '7.0': 10,
    '7.2': 11,
    '7.4': 12,
    '8.0': 12,
    '8.2': 12,
    '8.4': 12,
    '8.6': 13,
    '8.8': 14,
  },
  valkey: { '7.2': 11, '8.0': 11, '8.1': 11, '9.0': 80, '9.1': 80 },
};
/** From here on formats of Redis are not those of Valkey, which refuses them up to where its own begin. */
const FIRST_FOREIGN = 12;
const FIRST_OF_VALKEY = 80;

/**
 * Whether a server takes keys that another one packs for it (DUMP, MIGRATE): it refuses a format that is newer than its own. Where one of the
 * two is not in the table, an older minor version is taken to refuse what a newer one packs; patches never differ.
 */
export function takesKeysOf(target: Server, source: Server): boolean {
  const [to, from] = [minorOf(target), minorOf(source)];
  const [takes, packs] = [RDB_VERSIONS[to.product][to.version], RDB_VERSIONS[from.product][from.version]];
  if (takes === undefined || packs === undefined) return reads(to, from);
  const isForeign = to.product === 'valkey' && packs >= FIRST_FOREIGN && packs < FIRST_OF_VALKEY;
  return takes >= packs && !isForeign;
}

/** The same of a server that is not there yet, as far as the name of its image tells. */
export function imageTakesKeysOf(image: string, source: Server): boolean {
  const { product, version } = namedServer(image);
  return version === null || takesKeysOf({ product: product ?? source.product, version }, source);
}

function minorOf({ product, version }: Server): Server {
  return { product, version: version.split('.').slice(0, 2).join('.') };
}
