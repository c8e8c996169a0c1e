/** One writer: a client of its own that writes one key after the other, and remembers what it was told. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, type Redis } from 'ioredis';
import { slotOfKey } from '../../../cmd/slot-lookup.ts';
import { isAtFault, type Found, type KeyKind, type Outcome, type WrittenKey } from './ledger.ts';
import type { CheckerSettings } from './protocol.ts';

const SLOTS = 16_384;
const WRITES_OF_KIND: Readonly<Record<KeyKind, number>> = { once: 1, counter: 200, list: 50 };
const KINDS: readonly KeyKind[] = ['once', 'counter', 'list'];
const MAX_READS = 200;

export interface Written {
  readonly outcome: Outcome;
  /** Since this writer first tried after its last acknowledgement; null without one. */
  readonly gapMs: number | null;
  readonly error: string | null;
}

export interface Writer {
  /** Since when it has been trying in vain; null while nothing is under way. */
  waitingSince(): number | null;
  /** Writes for ever; the promise does not resolve. */
  run(onWritten: (write: Written) => void): Promise<void>;
  /** Resolves when what is under way has ended. */
  pause(): Promise<void>;
  resume(): void;
  /** Reads all keys back, as often as it takes until `deadline`. Those at fault are told once, and not written again. */
  readBack(deadline: number): Promise<readonly { readonly written: WrittenKey; readonly found: Found }[]>;
}

function connect(settings: CheckerSettings): Cluster {
  const { connectTimeout, socketTimeout, slotsRefreshTimeout } = settings.client;
  const cluster = new Cluster([...settings.startNodes], {
    slotsRefreshTimeout,
    redisOptions: { connectTimeout, socketTimeout },
    clusterRetryStrategy: () => 100,
  });
  // Heard through the commands.
  cluster.on('error', () => undefined);
  return cluster;
}

/** Keys in the writer's part of the slots, so that its waits are those of one part of the cluster. */
function keyNames(index: number, writers: number): (kind: KeyKind) => string {
  let next = 0;
  return (kind) => {
    for (;;) {
      const key = `${kind}:${index}:${next++}`;
      if (Math.floor((slotOfKey(key) * writers) / SLOTS) === index) return key;
    }
  };
}

export function createWriter(settings: CheckerSettings, index: number): Writer {
  const cluster = connect(settings);
  const newKey = keyNames(index, settings.writers);
  const written: WrittenKey[] = [];
  const current = new Map<KeyKind, WrittenKey>();
  let since: number | null = null;
  let paused: Promise<void> | null = null;
  let release = (): void => undefined;
  let idle: Promise<unknown> = Promise.resolve();

  const keyFor = (kind: KeyKind): WrittenKey => {
    const last = current.get(kind);
    if (last !== undefined && last.outcomes.length < WRITES_OF_KIND[kind] && last.outcomes.at(-1) !== 'unknown') {
      return last;
    }
    const fresh: WrittenKey = { key: newKey(kind), kind, outcomes: [] };
    written.push(fresh);
    current.set(kind, fresh);
    return fresh;
  };

  const write = async (kind: KeyKind): Promise<Written> => {
    const target = keyFor(kind);
    const place = target.outcomes.push('unknown') - 1;
    since ??= performance.now();
    const before = connectionOf(cluster, target.key);
    try {
      await (kind === 'list' ? cluster.rpush(target.key, place + 1) : cluster.set(target.key, place + 1));
    } catch (error) {
      return { outcome: 'unknown', gapMs: null, error: String(error) };
    }
    target.outcomes[place] = 'acked';
    const gapMs = performance.now() - since;
    since = null;
    // WAIT speaks of its connection: only where the write went over this very one does it say something of the write.
    const after = connectionOf(cluster, target.key);
    const replicas =
      after === before && after !== null ? await after.wait(settings.copies, settings.waitMs).catch(() => 0) : 0;
    if (replicas >= settings.copies) target.outcomes[place] = 'replicated';
    return { outcome: target.outcomes[place] ?? 'acked', gapMs, error: null };
  };

  return {
    waitingSince: () => since,
    run: async (onWritten) => {
      for (let turn = 0; ; turn++) {
        if (paused !== null) await paused;
        const busy = write(KINDS[turn % KINDS.length] ?? 'once');
        idle = busy;
        onWritten(await busy);
        await sleep(settings.pauseMs);
      }
    },
    pause: async () => {
      paused ??= new Promise((resolve) => (release = resolve));
      await idle;
    },
    resume: () => {
      release();
      paused = null;
    },
    readBack: async (deadline) => {
      const readings = await readBack(cluster, written, deadline);
      const good = readings.filter((each) => !isAtFault(each.written, each.found)).map((each) => each.written);
      if (good.length < written.length) current.clear();
      written.splice(0, written.length, ...good);
      return readings;
    },
  };
}

/** The connection to the node that the client takes for the owner of the key's slot. */
function connectionOf(cluster: Cluster, key: string): Redis | null {
  const owner = cluster.slots[slotOfKey(key)]?.[0];
  if (owner === undefined) return null;
  return cluster.nodes('all').find(({ options }) => `${options.host}:${options.port}` === owner) ?? null;
}

async function readBack(
  cluster: Cluster,
  written: readonly WrittenKey[],
  deadline: number,
): Promise<readonly { readonly written: WrittenKey; readonly found: Found }[]> {
  const readings: { readonly written: WrittenKey; readonly found: Found }[] = [];
  for (let from = 0; from < written.length; from += MAX_READS) {
    const some = written.slice(from, from + MAX_READS);
    readings.push(...(await Promise.all(some.map((each) => readKey(cluster, each, deadline)))));
  }
  return readings;
}

async function readKey(
  cluster: Cluster,
  written: WrittenKey,
  deadline: number,
): Promise<{ readonly written: WrittenKey; readonly found: Found }> {
  for (;;) {
    try {
      const { key, kind } = written;
      return { written, found: await (kind === 'list' ? cluster.lrange(key, 0, -1) : cluster.get(key)) };
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(200);
    }
  }
}
