/** Two people, each at a laptop of their own, at one cluster of real servers and one API server. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { poll } from '../redis-server.ts';
import type { LaptopNews, LaptopOrder } from './laptop-child.ts';

/** A command that changes something, when it was sent on to the server. */
export interface Act {
  /** performance.now() of the test. */
  readonly at: number;
  readonly pod: string;
  readonly words: readonly string[];
}

export interface Laptop {
  readonly pid: number;
  readonly acts: readonly Act[];
  readonly troubles: readonly string[];
  /** Keys that it says it has moved. */
  keys(): number;
  kill(signal: NodeJS.Signals): void;
  /** `done`, or the code of the error; `killed`. */
  readonly ended: Promise<{ readonly code: string; readonly message: string }>;
  /** Its first act, and the last so far. */
  span(): { readonly first: number; readonly last: number };
}

/** @param acts what the wires saw of it, by reference */
export function startLaptop(program: string, order: LaptopOrder, acts: readonly Act[]): Laptop {
  const child: ChildProcess = spawn(process.execPath, [program, JSON.stringify(order)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const troubles: string[] = [];
  let keys = 0;
  let end: { code: string; message: string } = { code: 'killed', message: '' };
  if (child.stdout === null) throw new Error('no stdout');
  createInterface({ input: child.stdout }).on('line', (line) => {
    const news = JSON.parse(line) as LaptopNews;
    if (news.kind === 'trouble') troubles.push(news.sentence);
    if (news.kind === 'moving') keys = Math.max(keys, news.keys);
    if (news.kind === 'end') end = { code: news.code, message: news.message };
  });
  const ended = once(child, 'close').then(() => end);
  return {
    pid: child.pid ?? -1,
    acts,
    troubles,
    keys: () => keys,
    kill: (signal) => void child.kill(signal),
    ended,
    span: () => ({ first: acts[0]?.at ?? Infinity, last: acts.at(-1)?.at ?? -Infinity }),
  };
}

/** Until it has moved keys. */
export function untilMoving(laptop: Laptop): Promise<true> {
  return poll('it moves keys', 60_000, async () => {
    return laptop.acts.some(({ words }) => words[0]?.toUpperCase() === 'MIGRATE') ? true : null;
  });
}
