/** Whatever names `scale` as the way on names it with its flags: without them it only says that it needs them. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { check } from '../../../../pkg/cluster/check/check.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import type { ClusterSpec } from '../../../../pkg/cluster/model/spec.ts';
import { planFix } from '../../../../pkg/cluster/plan/fix/fix.ts';
import { NO_POLICY } from '../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { asMade } from '../../../support/as-made.ts';
import { changeKube, changeLines, changed } from '../../../support/observation-changes.ts';
import { operation, podGone } from '../../../support/observation-faults.ts';
import { healthyObservation, nodeIdOf } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';

const SIX = Object.fromEntries([1, 2, 3, 4, 5, 6].map((n) => [String(n), String(1 + ((n - 1) % 3))]));
/** A change to four shards that was begun: nothing of redis-7 and redis-8 is there yet. */
const begun = (change: Partial<ClusterSpec> = {}): Observation =>
  asMade(
    healthyObservation(),
    specOf({ masters: 4, nodes: { ...SIX, '7': '4', '8': '4' }, scaling: { leaving: [], spread: true }, ...change }),
  );
const repairOf = (observation: Observation, code: string): string | undefined =>
  check(interpret(observation), observation).find((problem) => problem.code === code)?.repair;

describe('a change that was begun', () => {
  test.each([
    ['shape-differs', begun(), 'kubectl redis scale redis --masters 4 --replicas 1 goes on with it.'],
    [
      'pod-missing',
      begun(),
      'A change was begun and is not finished: kubectl redis scale redis --masters 4 --replicas 1 makes what is missing, and goes on with it.',
    ],
    [
      'operation-lapsed',
      changed(begun(), operation({ verb: 'scale', renewedAt: '2026-11-23T09:50:00.000Z' })),
      'kubectl redis scale redis --masters 4 --replicas 1 goes on where it stopped.',
    ],
  ])('%s names the whole command', (code, observation, repair) => {
    expect(repairOf(observation, code)).toBe(repair);
  });

  test('where it does not serve, create starts what is missing, as ever', () => {
    const stopped = changed(
      begun(),
      podGone('redis-1-0'),
      podGone('redis-4-0'),
      changeKube((kube) => ({
        ...kube,
        statefulSets: kube.statefulSets.filter(({ name }) => !['redis-1', 'redis-4'].includes(name)),
      })),
    );
    expect(repairOf(stopped, 'pod-missing')).toBe('kubectl redis create redis makes what is missing.');
  });

  test('check and fix name it for a primary without slots, too', () => {
    const observation = changed(
      asMade(healthyObservation({ masters: 4, replicas: 0, hosts: 4 }), specOf({ masters: 4, replicas: 0 })),
      changeLines((line) => ({
        ...line,
        slots:
          line.nodeId === nodeIdOf(3) ? [{ start: 8192, end: 16383 }] : line.nodeId === nodeIdOf(4) ? [] : line.slots,
      })),
    );
    expect(repairOf(observation, 'empty-primary')).toBe(
      'kubectl redis scale redis --masters 4 --replicas 0 gives slots to shard 4 again.',
    );
    const { left } = planFix(interpret(observation), NO_POLICY, { observation, slotKeys: null });
    expect(left.find(({ problem }) => problem.code === 'empty-primary')?.hint).toBe(
      '3 primaries own slots; 4 were asked for. kubectl redis scale redis --masters 4 --replicas 0 gives slots to shard 4 again.',
    );
  });
});

test('no sentence names scale without a flag', () => {
  const files = ['pkg', 'cmd', 'webhook'].flatMap((root) =>
    readdirSync(root, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => `${root}/${path}`),
  );
  const bare = files.flatMap((file) => {
    const text = readFileSync(file, 'utf8').replaceAll(/\/\*\*[^]*?\*\//g, '');
    return [
      ...text.matchAll(
        /kubectl redis scale\b(?! (?:NAME|redis|\$\{[\w.]+\}) (?:with fewer )?(?:--|\$\{typedAgain\}))[^\n]{0,40}/g,
      ),
    ].map(([found]) => `${file}: ${found}`);
  });
  expect(bare).toEqual([]);
});
