/**
 * Clients that write all the while and remember what was acknowledged: write-once keys (an overwriting writer would hide a
 * loss), counters and list appends (which show duplicates and order). They follow redirections as a cluster client does
 * and count everything else that a server says as an error.
 */
import { slotOfKey } from '../../cmd/slot-lookup.ts';
import type { RedisCommand } from '../../pkg/engine/ports.ts';
import { createDirectDialer } from '../../pkg/redis/dial-direct.ts';
import { RedisConnection } from '../../pkg/redis/connection.ts';
import type { RedisServer } from './redis-server.ts';

const WRITERS = 6;
const KEYS_PER_WRITER = 150;
const MAX_HOPS = 400;

export interface AckedWrites {
  readonly acked: number;
  /** Replies that were neither a result nor MOVED, ASK or TRYAGAIN. */
  readonly errors: readonly string[];
  /** Results that never came, because the connection broke. */
  readonly unknown: number;
  readonly latenciesMs: readonly number[];
}

interface Expected {
  readonly once: Set<string>;
  readonly counters: Map<string, { acked: number; maybe: number }>;
  readonly lists: Map<string, { acked: string[]; maybe: Set<string> }>;
}

export interface Writers {
  /** Ends them and returns what they saw. */
  stop(): Promise<AckedWrites>;
  /** Reads everything back. @returns a sentence for each thing that is not as it was acknowledged */
  verify(): Promise<string[]>;
  readonly acked: number;
}

/** @param tagsOf hash tags, so that the keys are where slots move; @param paceMs rest of a writer between two writes */
export function startWriters(servers: readonly RedisServer[], tags: readonly string[], paceMs = 0): Writers {
  const client = new RedirectedClient(servers);
  const expected: Expected = { once: new Set(), counters: new Map(), lists: new Map() };
  const seen = { acked: 0, errors: [] as string[], unknown: 0, latenciesMs: [] as number[] };
  const running = { now: true };
  const loops = Array.from({ length: WRITERS }, async (_, writer) => {
    for (let n = 0; running.now; n++) {
      const startedAt = performance.now();
      await writeOne(client, expected, seen, writer, n, tags);
      seen.latenciesMs.push(performance.now() - startedAt);
      await new Promise((resolve) => (paceMs > 0 ? setTimeout(resolve, paceMs) : setImmediate(resolve)));
    }
  });
  return {
    stop: async () => {
      running.now = false;
      await Promise.all(loops);
      return seen;
    },
    verify: async () => {
      const wrong = await differences(client, expected);
      client.close();
      return wrong;
    },
    get acked() {
      return seen.acked;
    },
  };
}

async function writeOne(
  client: RedirectedClient,
  expected: Expected,
  seen: { acked: number; errors: string[]; unknown: number },
  writer: number,
  n: number,
  tags: readonly string[],
): Promise<void> {
  const tag = tags[(n * WRITERS + writer) % tags.length] ?? '';
  const many = n % KEYS_PER_WRITER;
  const manyTag = tags[(many * WRITERS + writer) % tags.length] ?? '';
  const [once, counter, list] = [
    `o:${writer}:${n}:{${tag}}`,
    `c:${writer}:${many}:{${manyTag}}`,
    `l:${writer}:${many}:{${manyTag}}`,
  ];
  const words: readonly RedisCommand[] = [
    ['SET', once, n],
    ['INCR', counter],
    ['RPUSH', list, n],
  ];
  const kind = n % 3;
  const reply = await client.run([once, counter, list][kind] ?? '', words[kind] ?? ['PING']);
  const count = expected.counters.get(counter) ?? { acked: 0, maybe: 0 };
  const items = expected.lists.get(list) ?? { acked: [], maybe: new Set<string>() };
  if (kind === 1) expected.counters.set(counter, count);
  if (kind === 2) expected.lists.set(list, items);
  if (reply === null) {
    seen.unknown++;
    if (kind === 1) count.maybe++;
    if (kind === 2) items.maybe.add(String(n));
  } else if (reply instanceof Error) seen.errors.push(`${words[kind]?.[0]}: ${reply.message}`);
  else {
    seen.acked++;
    if (kind === 0) expected.once.add(once);
    if (kind === 1) count.acked++;
    if (kind === 2) items.acked.push(String(n));
  }
}

async function differences(client: RedirectedClient, expected: Expected): Promise<string[]> {
  const wrong: string[] = [];
  for (const key of expected.once) {
    const value = await client.run(key, ['GET', key]);
    if (value !== key.split(':')[2]) wrong.push(`${key} is ${String(value)}`);
  }
  for (const [key, { acked, maybe }] of expected.counters) {
    const value = Number(await client.run(key, ['GET', key]));
    if (!(value >= acked && value <= acked + maybe)) wrong.push(`${key} is ${value}, acknowledged ${acked}`);
  }
  for (const [key, { acked, maybe }] of expected.lists) {
    const items = (await client.run(key, ['LRANGE', key, 0, -1])) as string[];
    const sure = items.filter((item) => !maybe.has(item));
    if (sure.join() !== acked.join()) wrong.push(`${key} is ${sure.join()}, acknowledged ${acked.join()}`);
  }
  return wrong;
}

/** Knows servers by address and slots by what it was told last. */
class RedirectedClient {
  readonly #servers: ReadonlyMap<string, RedisServer>;
  readonly #connections = new Map<string, Promise<RedisConnection>>();
  readonly #slots = new Map<number, string>();

  constructor(servers: readonly RedisServer[]) {
    this.#servers = new Map(servers.map((server) => [`${server.address}:${server.port}`, server]));
  }

  /** The reply; an Error that is no redirection; null when the connection broke behind the command. */
  async run(key: string, words: RedisCommand): Promise<unknown> {
    const slot = slotOfKey(key);
    let where = this.#slots.get(slot) ?? [...this.#servers.keys()][0] ?? '';
    let asking = false;
    for (let hop = 0; hop < MAX_HOPS; hop++) {
      let replies: unknown[];
      try {
        const connection = await this.#connect(where);
        replies = await connection.exec(asking ? [['ASKING'], words] : [words]);
      } catch {
        this.#connections.delete(where);
        this.#slots.delete(slot);
        return null;
      }
      const reply = replies.at(-1);
      if (!(reply instanceof Error)) return reply;
      const [kind, , address = ''] = reply.message.split(' ');
      if (kind === 'MOVED') this.#slots.set(slot, (where = address));
      else if (kind === 'ASK') where = address;
      else if (kind === 'TRYAGAIN') await new Promise((resolve) => setTimeout(resolve, 1));
      else return reply;
      asking = kind === 'ASK';
    }
    return new Error(`still redirected after ${MAX_HOPS} hops`);
  }

  close(): void {
    for (const connection of this.#connections.values())
      connection.then(
        (open) => open.close(),
        () => undefined,
      );
  }

  #connect(where: string): Promise<RedisConnection> {
    const known = this.#connections.get(where);
    if (known !== undefined) return known;
    const server = this.#servers.get(where);
    if (server === undefined) throw new Error(`redirected to ${where}, where nobody is`);
    const opening = createDirectDialer()(server.pod, AbortSignal.timeout(2000)).then((stream) =>
      RedisConnection.open(stream, null, () => this.#connections.delete(where)),
    );
    this.#connections.set(where, opening);
    return opening;
  }
}
