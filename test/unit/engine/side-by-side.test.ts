/** Work side by side that ends together (FINDINGS C3). */
import { describe, expect, test } from '@jest/globals';
import { applyBudgets } from '../../../pkg/engine/steps/object-steps.ts';
import { allOrFirstFailure, queueUntilFailure } from '../../../pkg/engine/side-by-side.ts';
import type { KubeObject, KubePort } from '../../../pkg/engine/ports.ts';
import { nextTurn, settled } from '../../support/fake-clock.ts';
import { specOf } from '../../support/spec.ts';

describe('C3: side by side', () => {
  test('all that goes well, in the order of the items', async () => {
    const turns = [3, 1, 2];
    const done = await allOrFirstFailure(turns, 2, async (turn) => {
      for (let i = 0; i < turn; i++) await nextTurn();
      return turn * 10;
    });
    expect(done).toEqual([30, 10, 20]);
  });

  test('the first failure in time is thrown, when all that ran is over', async () => {
    const log: string[] = [];
    const work = async (i: number): Promise<void> => {
      log.push(`begin ${i}`);
      for (let turn = 0; turn < 3 - i; turn++) await nextTurn();
      log.push(`end ${i}`);
      throw new Error(`of ${i}`);
    };
    await expect(allOrFirstFailure([0, 1, 2, 3, 4], 3, work)).rejects.toThrow('of 2');
    expect(log).toEqual(['begin 0', 'begin 1', 'begin 2', 'end 2', 'end 1', 'end 0']);
  });

  test('what waits in a queue is not begun after a failure, and fails with it', async () => {
    const queue = queueUntilFailure(1);
    const begun: number[] = [];
    const work = [0, 1, 2].map((i) =>
      queue(() => {
        begun.push(i);
        return i === 1 ? Promise.reject(new Error('broken')) : Promise.resolve(i);
      }),
    );
    const results = await Promise.allSettled(work);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(begun).toEqual([0, 1]);
  });

  test('objects are not applied any more when one was refused', async () => {
    const applied: string[] = [];
    const kube: Pick<KubePort, 'apply'> = {
      apply: async (object: KubeObject) => {
        applied.push(object.metadata.name);
        await nextTurn();
        if (applied.length <= 20) throw new Error('quota');
        return object;
      },
    };
    const shards = Array.from({ length: 60 }, (_, i) => String(i));
    await expect(applyBudgets(kube as KubePort, specOf(), shards)).rejects.toThrow('quota');
    await settled();
    expect(applied).toHaveLength(20);
  });
});
