/** Keys by slot, in all databases of a server. */
import { otherDatabases } from '../cluster/wire/keyspace.ts';
import type { RedisCommand } from './ports.ts';

/**
 * CLUSTER COUNTKEYSINSLOT (https://redis.io/docs/latest/commands/cluster-countkeysinslot/) in pieces, so that other clients wait for no
 * more than one of them.
 *
 * @param run sends commands in one write to the same connection
 * @returns a number for each slot; what a server said instead of one, in its place
 */
export async function countSlots(
  run: (commands: readonly RedisCommand[]) => Promise<readonly unknown[]>,
  slots: readonly number[],
  atOnce = 512,
): Promise<readonly unknown[]> {
  const all: unknown[] = [];
  for (let at = 0; at < slots.length; at += atOnce) {
    const questions = slots.slice(at, at + atOnce).map((slot): RedisCommand => ['CLUSTER', 'COUNTKEYSINSLOT', slot]);
    const [info, ...first] = await run([['INFO', 'keyspace'], ...questions]);
    let counts: readonly unknown[] = info instanceof Error ? first.map(() => info) : first;
    for (const database of otherDatabases(String(info))) {
      const [selected, ...more] = await run([['SELECT', database], ...questions, ['SELECT', 0]]);
      counts = counts.map((count, i) => (selected instanceof Error ? selected : sum(count, more[i])));
    }
    all.push(...counts);
  }
  return all;
}

function sum(one: unknown, other: unknown): unknown {
  if (typeof one !== 'number') return one;
  return typeof other === 'number' ? one + other : other;
}
