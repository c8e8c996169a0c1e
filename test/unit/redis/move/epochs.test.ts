import { expect, test } from '@jest/globals';
import { areSettled } from '../../../../pkg/redis/move/epochs.ts';
import { Roles } from '../../../../pkg/redis/move/roles.ts';
import { parseClusterNodes } from '../../../../pkg/redis/parse/cluster-nodes.ts';

const IDS = ['a', 'b', 'c'].map((letter) => letter.repeat(40));

function view(...epochs: number[]): ReturnType<typeof parseClusterNodes> {
  const lines = epochs.map((epoch, i) => `${IDS[i]} 10.0.0.1:6379@16379 master - 0 0 ${epoch} connected`);
  return parseClusterNodes(lines.join('\n'));
}

test.each([
  ['all agree and it is its alone', [view(1, 2, 3), view(1, 2, 3)], true],
  ['of others they may differ', [view(1, 2, 3), view(1, 3, 3), []], true],
  ['one has not heard of it', [view(1, 2, 3), view(0, 2, 3)], false],
  ['another has it, too', [view(1, 1, 3), view(1, 2, 3)], false],
  ['one does not know the node', [view(1, 2, 3), view(1).slice(1).concat(view(0, 2).slice(1))], false],
  ['nobody answers', [[], []], false],
])('%s', (_, views, settled) => {
  expect(areSettled(IDS[0] ?? '', views)).toBe(settled);
});

test('no node is a source and a target at the same time', async () => {
  const roles = new Roles();
  const log: string[] = [];
  const work = (name: string) => async (): Promise<void> => {
    log.push(`${name}+`);
    await new Promise((resolve) => setImmediate(resolve));
    log.push(`${name}-`);
  };
  await Promise.all([
    roles.hold('a', 'b', work('ab')),
    roles.hold('b', 'c', work('bc')),
    roles.hold('d', 'b', work('db')),
  ]);
  expect(log).toEqual(['ab+', 'db+', 'ab-', 'db-', 'bc+', 'bc-']);
});
