/** T3: cluster-node-timeout while big keys move: raised for all that need it, put back by the last. */
import { expect, test } from '@jest/globals';
import { Patience } from '../../../../pkg/redis/move/patience.ts';
import { isMoveTimeout } from '../../../../pkg/cluster/model/passing-values.ts';
import type { NodeLine } from '../../../../pkg/redis/move/node-line.ts';

interface FakeNode {
  timeoutMs: number;
  /** Everything that it was told. */
  readonly told: number[];
  readonly line: NodeLine;
}

function fakeNode(nodeId: string, timeoutMs: number, fails = false): FakeNode {
  const told: number[] = [];
  const ask = async (commands: readonly (readonly (string | number)[])[]): Promise<readonly unknown[]> => {
    await Promise.resolve();
    if (fails) throw new Error(`${nodeId} is gone`);
    const [, verb, , value] = commands[0] ?? [];
    if (verb === 'GET') return [['cluster-node-timeout', String(node.timeoutMs)]];
    node.timeoutMs = Number(value);
    told.push(node.timeoutMs);
    return ['OK'];
  };
  const node: FakeNode = { timeoutMs, told, line: { end: { nodeId }, ask } as unknown as NodeLine };
  return node;
}

function gate(): { readonly opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  return { opened: new Promise<void>((resolve) => (open = resolve)), open: () => open() };
}

const settle = async (): Promise<void> => {
  for (let i = 0; i < 50; i++) await Promise.resolve();
};

test('is raised while the work goes on, and put back', async () => {
  const [node, patient] = [fakeNode('a', 5_000), new Patience()];
  await patient.hold([node.line], 12_000, async () => {
    expect([node.timeoutMs > 12_000, isMoveTimeout(String(node.timeoutMs))]).toEqual([true, true]);
  });
  expect(node.timeoutMs).toBe(5_000);
});

test('a node that is patient enough is left alone; one that is put back after a failure, too', async () => {
  const [calm, other, patient] = [fakeNode('a', 60_000), fakeNode('b', 5_000), new Patience()];
  const work = (): Promise<never> => Promise.reject(new Error('MIGRATE failed'));
  await expect(patient.hold([calm.line, other.line], 12_000, work)).rejects.toThrow('MIGRATE failed');
  expect([calm.told, other.timeoutMs]).toEqual([[], 5_000]);
});

test('two moves share a node: the first to end leaves it to the other, the last puts back what was configured', async () => {
  for (const [first, second] of [
    [12_000, 60_000],
    [60_000, 12_000],
  ] as const) {
    const [node, patient] = [fakeNode('a', 5_000), new Patience()];
    const [one, two] = [gate(), gate()];
    const moves = [
      patient.hold([node.line], first, () => one.opened),
      patient.hold([node.line], second, () => two.opened),
    ];
    await settle();
    expect(node.timeoutMs).toBeGreaterThan(60_000);
    one.open();
    await moves[0];
    expect(node.timeoutMs).toBeGreaterThan(second);
    two.open();
    await moves[1];
    expect(node.timeoutMs).toBe(5_000);
  }
});

test('when one of them can not be told, nothing is run and the others are put back', async () => {
  const [node, gone, patient] = [fakeNode('a', 5_000), fakeNode('b', 5_000, true), new Patience()];
  let ran = false;
  const work = async (): Promise<void> => void (ran = true);
  await expect(patient.hold([node.line, gone.line], 12_000, work)).rejects.toThrow('b is gone');
  expect([ran, node.timeoutMs]).toEqual([false, 5_000]);
});
