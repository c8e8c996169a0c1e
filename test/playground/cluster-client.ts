/** An application's view of the cluster: a client that follows redirects, from one address. */
import { Cluster } from 'ioredis';

export interface ClusterClient {
  write(count: number): Promise<void>;
  /** How many of the keys have the value that was written. */
  readBack(count: number): Promise<number>;
  close(): void;
}

const keyOf = (n: number): string => `user:${n}`;

export async function openClusterClient(host: string): Promise<ClusterClient> {
  const client = new Cluster([{ host, port: 6379 }], { lazyConnect: true, clusterRetryStrategy: () => 100 });
  // While a primary is away it says so, again and again; what matters is whether commands get their answers.
  client.on('error', () => undefined);
  await client.connect();
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, n) => n);
  return {
    write: async (count) => {
      await Promise.all(numbers(count).map((n) => client.set(keyOf(n), `value ${n}`)));
    },
    readBack: async (count) => {
      const values = await Promise.all(numbers(count).map((n) => client.get(keyOf(n))));
      return values.filter((value, n) => value === `value ${n}`).length;
    },
    close: () => client.disconnect(),
  };
}
