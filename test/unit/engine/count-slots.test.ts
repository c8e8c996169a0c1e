import { describe, expect, test } from '@jest/globals';
import { countSlots } from '../../../pkg/engine/count-slots.ts';
import type { RedisCommand } from '../../../pkg/engine/ports.ts';

/** A server whose databases hold these keys, by slot; `sent` gets each write. */
function serverWith(databases: readonly Readonly<Record<number, number>>[], sent: (readonly RedisCommand[])[] = []) {
  let selected = 0;
  const reply = ([name, word, slot]: RedisCommand): unknown => {
    if (name === 'SELECT') {
      selected = Number(word);
      return 'OK';
    }
    if (name === 'INFO') {
      const lines = databases.map((keys, i) => [i, Object.values(keys).reduce((sum, n) => sum + n, 0)] as const);
      return lines.flatMap(([i, n]) => (n === 0 ? [] : [`db${i}:keys=${n},expires=0,avg_ttl=0`])).join('\r\n');
    }
    return databases[selected]?.[Number(slot)] ?? 0;
  };
  return {
    run: (commands: readonly RedisCommand[]): Promise<readonly unknown[]> => {
      sent.push(commands);
      return Promise.resolve(commands.map(reply));
    },
    selected: () => selected,
  };
}

describe('keys by slot', () => {
  test('of all databases, and the connection is left with database 0', async () => {
    const server = serverWith([{ 1: 5 }, {}, { 1: 2, 3: 7 }]);
    expect(await countSlots(server.run, [1, 2, 3])).toEqual([7, 0, 7]);
    expect(server.selected()).toBe(0);
  });

  test('in pieces; a server with one database is asked nothing more', async () => {
    const sent: (readonly RedisCommand[])[] = [];
    const server = serverWith([{ 1: 5, 4: 1 }], sent);
    expect(await countSlots(server.run, [1, 2, 3, 4, 5], 2)).toEqual([5, 0, 0, 1, 0]);
    expect(sent.map((commands) => commands.map(([name]) => name))).toEqual([
      ['INFO', 'CLUSTER', 'CLUSTER'],
      ['INFO', 'CLUSTER', 'CLUSTER'],
      ['INFO', 'CLUSTER'],
    ]);
  });

  const refusal = new Error('NOPERM');
  test.each<[string, (command: RedisCommand) => boolean, readonly unknown[]]>([
    ['its databases', ([name]) => name === 'INFO', [refusal, refusal]],
    ['another database', ([name]) => name === 'SELECT', [refusal, refusal]],
    ['one slot', (command) => command[2] === 2, [6, refusal]],
  ])('who may not see %s counts nothing, and never 0', async (_, refuses, expected) => {
    const server = serverWith([{ 1: 5 }, { 1: 1 }]);
    const run = async (commands: readonly RedisCommand[]): Promise<readonly unknown[]> =>
      (await server.run(commands)).map((reply, i) => (refuses(commands[i] ?? ['?']) ? refusal : reply));
    expect(await countSlots(run, [1, 2])).toEqual(expected);
  });
});
