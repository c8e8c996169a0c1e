/**
 * Addresses of this machine that nobody uses. Blocks come from the process id and a counter and are tried before they are
 * given out, so that test files can run side by side. Linux only, where all of 127.0.0.0/8 is there without set-up.
 */
import { createServer } from 'node:net';

const ADDRESSES_PER_BLOCK = 250;
/** 127.16.0.x to 127.255.255.x: away from what people use by hand. */
const BLOCKS = 240 * 256;
let blocksUsed = 0;

/** `count` addresses on which `port` and its bus port (10000 more) are free. */
export async function freeAddresses(count: number, port: number): Promise<string[]> {
  const blocksNeeded = Math.ceil(count / ADDRESSES_PER_BLOCK);
  for (let attempt = 0; attempt < 200; attempt++) {
    const first = (process.pid * 31 + blocksUsed) % (BLOCKS - blocksNeeded);
    blocksUsed += blocksNeeded;
    const addresses = Array.from({ length: count }, (_, i) =>
      addressIn(first + Math.floor(i / ADDRESSES_PER_BLOCK), i % ADDRESSES_PER_BLOCK),
    );
    const ends = addresses.filter((_, i) => i === 0 || i === count - 1);
    const free = await Promise.all(ends.flatMap((address) => [isFree(address, port), isFree(address, port + 10_000)]));
    if (free.every(Boolean)) return addresses;
  }
  throw new Error(`No free block of loopback addresses for port ${port}; is something listening on 0.0.0.0:${port}?`);
}

function addressIn(block: number, index: number): string {
  return `127.${16 + Math.floor(block / 256)}.${block % 256}.${index + 1}`;
}

function isFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
