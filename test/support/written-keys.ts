/** Keys that are written all the while through the API server's port-forward, and read back: on the playground and on a real cluster. */
import { setTimeout as delay } from 'node:timers/promises';
import { slotOfKey } from '../../cmd/slot-lookup.ts';
import { reasonOf } from '../../pkg/errors.ts';
import type { ClusterEnv } from './cluster-env.ts';
import { openInside, slotsOf, type Inside } from './seen-cluster.ts';

const BATCH = 10;
const PAUSE_MS = 500;
const WAIT_MS = 10_000;
const CHUNK = 500;
const READ_MS = 30_000;

export interface WrittenKeys {
  /** Holds the writer until `resume`, and resolves when a replica of every shard has all that was acknowledged. */
  hold(): Promise<void>;
  resume(): void;
  /** Reads back every key that was acknowledged. @returns how many there are, and those that are gone */
  missing(): Promise<{ readonly written: number; readonly lost: readonly string[] }>;
  end(): Promise<void>;
}

/** @param pod to which every command is sent; it says where else a key is. Not one that the test takes away for long. */
export function startWritingKeys(env: Pick<ClusterEnv, 'namespace'>, name: string, pod: string): WrittenKeys {
  const inside = openInside(env.namespace);
  const acknowledged: string[] = [];
  const now = { running: true, held: false };
  let turn: Promise<void> = Promise.resolve();
  const write = async (n: number): Promise<void> => {
    const keys = Array.from({ length: BATCH }, (_, i) => `key:${n}:${i}`);
    const replies = await inside
      .many(
        pod,
        keys.map((key) => ['SET', key, key] as const),
      )
      .catch(() => []);
    keys.forEach((key, i) => replies[i] === 'OK' && acknowledged.push(key));
  };
  const loop = (async (): Promise<void> => {
    for (let n = 0; now.running; n++) {
      if (!now.held) turn = write(n);
      await turn;
      await delay(PAUSE_MS);
    }
  })();
  return {
    hold: async () => {
      now.held = true;
      await turn;
      await untilCopied(inside, env.namespace, name);
    },
    resume: () => void (now.held = false),
    missing: async () => {
      const keys = [...acknowledged];
      const lost: string[] = [];
      for (let at = 0; at < keys.length; at += CHUNK)
        lost.push(...(await lostOf(inside, pod, keys.slice(at, at + CHUNK))));
      return { written: keys.length, lost };
    },
    end: async () => {
      now.running = false;
      await loop;
      inside.close();
    },
  };
}

/** An answer that is no value (the pod is out of reach, a redirect leads nowhere yet) is asked for again. @returns with what came instead */
async function lostOf(inside: Inside, pod: string, keys: readonly string[]): Promise<readonly string[]> {
  const end = performance.now() + READ_MS;
  for (let left = keys; ;) {
    const replies = await inside
      .many(
        pod,
        left.map((key) => ['GET', key] as const),
      )
      .catch((error: unknown) => left.map(() => reasonOf(error)));
    const wrong = left.flatMap((key, i) => (replies[i] === key ? [] : [{ key, reply: replies[i] ?? '' }]));
    left = wrong.map(({ key }) => key);
    if (left.length === 0) return [];
    if (performance.now() > end) return wrong.map(({ key, reply }) => `${key}: ${reply}`);
    await delay(PAUSE_MS);
  }
}

/** A replica has what came before a write that it has. */
async function untilCopied(inside: Inside, namespace: string, name: string): Promise<void> {
  const { shards } = await slotsOf(namespace, name);
  for (const { primary, slots, replicas } of shards) {
    if (primary === null || replicas.length === 0) continue;
    const key = keyIn(slots);
    const [set, copies] = await inside.many(
      primary.pod,
      [
        ['SET', key, key],
        ['WAIT', 1, WAIT_MS],
      ],
      false,
    );
    if (set !== 'OK' || !(Number(copies) >= 1))
      throw new Error(`no replica of ${primary.pod} has all: ${set}, ${copies}`);
  }
}

function keyIn(slots: readonly { readonly start: number; readonly end: number }[]): string {
  for (let n = 0; ; n++) {
    const slot = slotOfKey(`mark:${n}`);
    if (slots.some(({ start, end }) => slot >= start && slot <= end)) return `mark:${n}`;
  }
}
