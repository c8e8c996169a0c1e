/**
 * The playground's network: a block 127.N.0.0/16 of this machine's loopback, all of which Linux has without set-up. Pods get
 * 127.N.0.1 to 127.N.127.250, Services 127.N.128.1 and up, the API server 127.N.255.254. Whoever listens there has the block.
 */
import { randomInt } from 'node:crypto';

export interface Block {
  readonly apiServer: string;
  readonly newPodIp: () => string;
  readonly newServiceIp: () => string;
}

const PER_ROW = 250;
const POD_ROWS = 128;
const SERVICE_ROWS = 127;
/** Away from what people use by hand. */
const FIRST = 64;
const LAST = 250;

function counter(prefix: string, firstRow: number, rows: number): () => string {
  let used = 0;
  return () => {
    const next = used++ % (rows * PER_ROW);
    return `${prefix}.${firstRow + Math.floor(next / PER_ROW)}.${(next % PER_ROW) + 1}`;
  };
}

function blockOf(number: number): Block {
  const prefix = `127.${number}`;
  return {
    apiServer: `${prefix}.255.254`,
    newPodIp: counter(prefix, 0, POD_ROWS),
    newServiceIp: counter(prefix, POD_ROWS, SERVICE_ROWS),
  };
}

/** Tries blocks until `take` can listen in one. @throws what `take` throws, when it is not about the address */
export async function takeBlock<T>(take: (block: Block) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await take(blockOf(randomInt(FIRST, LAST + 1)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt === 50) throw error;
    }
  }
}
