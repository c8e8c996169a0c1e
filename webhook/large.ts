/**
 * Large reviews are judged by a thread of their own: to parse and compare 3 MB takes long enough for others to notice, and they
 * would wait behind it. One at a time; a few may wait. A thread that takes too long or too much memory is ended, and the next
 * large review starts another.
 */
import { constants, platform, setPriority } from 'node:os';
import { isMainThread, type MessagePort, type Worker } from 'node:worker_threads';
import { unread, type Judged } from './judge.ts';

/** An ordinary pod has a tenth of that; one made to harm that is just below it takes some milliseconds. */
export const LARGE_BYTES = 64 * 1024;
/** Shorter than the ten seconds that the API server waits. */
const JUDGE_MS = 8_000;
const MAX_WAITING = 16;
/** Of the thread's heap, in MiB: a review of 3 MB and its copies fit in. The container's limit is in manifests.ts. */
export const HEAP_MB = 128;

interface Waiting {
  readonly settle: (judged: Judged) => void;
}

interface Reply {
  readonly id: number;
  readonly judged: Judged;
}

export interface LargeReviews {
  /** Never throws: who can't be judged is told so. The body is given away: it is empty afterwards. */
  readonly judge: (body: Uint8Array) => Promise<Judged>;
  close(): Promise<void>;
}

export interface LargeOptions {
  /** A thread that runs `serveLarge`. */
  readonly start: () => Worker;
  readonly judgeMs?: number;
}

export function createLargeReviews({ start, judgeMs = JUDGE_MS }: LargeOptions): LargeReviews {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let ids = 0;
  const fail = (why: string): void => {
    for (const { settle } of waiting.values()) settle(unread('large-review', why, 0, 503));
    waiting.clear();
  };
  const startWorker = (): Worker => {
    const started = start();
    started.on('message', ({ id, judged }: Reply) => {
      waiting.get(id)?.settle(judged);
      waiting.delete(id);
    });
    // Without memory it ends with an error, and then exits.
    started.on('error', () => undefined);
    started.on('exit', () => {
      if (worker !== started) return;
      worker = null;
      fail('the review is too large to be judged');
    });
    started.unref();
    return started;
  };
  const end = (): void => {
    const ended = worker;
    worker = null;
    fail('the review took too long to be judged');
    void ended?.terminate();
  };
  return {
    judge: async (body) => {
      if (waiting.size >= MAX_WAITING) return unread('large-review', 'too many large reviews at once', 0, 503);
      const id = ++ids;
      const judged = new Promise<Judged>((settle) => waiting.set(id, { settle }));
      const moved = ownBytes(body);
      worker ??= startWorker();
      worker.postMessage({ id, body: moved }, [moved.buffer]);
      const timer = setTimeout(end, judgeMs);
      return judged.finally(() => clearTimeout(timer));
    },
    close: async () => {
      await worker?.terminate();
    },
  };
}

/** Bytes that can be given away: `body` itself where it shares its memory with nobody. */
function ownBytes(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteLength } = body;
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength
    ? new Uint8Array(buffer)
    : new Uint8Array(body);
}

/** Where that is not allowed, it is as good as the others. */
function comeBehind(): void {
  // On Linux this is of the calling thread alone (setpriority(2)); elsewhere it would be of the process.
  if (platform() !== 'linux') return;
  try {
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // A container may forbid it.
  }
}

/** The thread's side: one after the other, and behind the thread that answers everybody else. */
export function serveLarge(port: MessagePort, judge: (body: Uint8Array) => Promise<Judged>): void {
  if (!isMainThread) comeBehind();
  let last: Promise<void> = Promise.resolve();
  port.on('message', ({ id, body }: { readonly id: number; readonly body: Uint8Array }) => {
    last = last.then(async () => port.postMessage({ id, judged: await judge(body) } satisfies Reply));
  });
}
