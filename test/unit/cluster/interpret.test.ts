import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { interpret, nodeNamer, shortId } from '../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../pkg/cluster/model/observation.ts';
import { SLOT_COUNT, countSlots, formatRanges, intersectRanges } from '../../../pkg/cluster/model/slots.ts';
import type { ClusterState } from '../../../pkg/cluster/model/state.ts';
import { someObservation, someShape } from '../../support/observation-arbitraries.ts';
import { changeKube, changeLines, changeService, changed } from '../../support/observation-changes.ts';
import { failedOver } from '../../support/observation-failover.ts';
import { every, lag, openSlot, podGone, slots, unowned, unreachable } from '../../support/observation-faults.ts';
import { freshObservation, healthyObservation, nodeIdOf } from '../../support/observation.ts';

/** Shards on one line each: name, slots, primary, replicas. */
function shardsOf(state: ClusterState): string[] {
  const name = nodeNamer(state.nodes);
  return state.shards.map(({ name: shard, slots, primary, replicas }) =>
    [
      shard,
      formatRanges(slots),
      primary?.nodeId == null ? '-' : name(primary.nodeId),
      replicas.map((one) => one.pod?.name).join('+'),
    ].join(' '),
  );
}

describe('shards', () => {
  const healthy = [
    '1 0-5460 redis-1-0 redis-4-0',
    '2 5461-10922 redis-2-0 redis-5-0',
    '3 10923-16383 redis-3-0 redis-6-0',
  ];

  test('of ours are named by label', () => {
    expect(shardsOf(interpret(healthyObservation()))).toEqual(healthy);
  });

  test('of foreign clusters are named by their first slot', () => {
    expect(shardsOf(interpret(healthyObservation({ kind: 'foreign' })))).toEqual([
      '1 0-5460 redis-0 redis-3',
      '2 5461-10922 redis-1 redis-4',
      '3 10923-16383 redis-2 redis-5',
    ]);
  });

  test('keep their name through a failover; the primary is whoever is it now', () => {
    const state = interpret(changed(healthyObservation(), failedOver('redis-5-0')));
    expect(shardsOf(state)).toEqual([healthy[0], '2 5461-10922 redis-5-0 redis-2-0', healthy[2]]);
  });

  test('keep a primary that does not answer, and one whose pod is gone', () => {
    expect(shardsOf(interpret(changed(healthyObservation(), unreachable('redis-2-0'))))).toEqual(healthy);
    expect(shardsOf(interpret(changed(healthyObservation(), podGone('redis-2-0'))))).toEqual([
      healthy[0],
      `2 5461-10922 ${shortId(nodeIdOf(2))} redis-5-0`,
      healthy[2],
    ]);
  });

  test('go by who follows whom where one label has two owners', () => {
    const slot = slots(0, 1);
    const state = interpret(
      changed(
        healthyObservation(),
        unowned(slot),
        changeLines((line) =>
          line.nodeId === nodeIdOf(4) ? { ...line, role: 'primary', primaryId: null, slots: slot } : line,
        ),
      ),
    );
    expect(shardsOf(state)).toEqual([
      '1 0-1 redis-4-0 ',
      '2 2-5460 redis-1-0 ',
      '3 5461-10922 redis-2-0 redis-5-0',
      '4 10923-16383 redis-3-0 redis-6-0',
    ]);
  });

  test('of pods that were not joined yet have no slots', () => {
    const state = interpret(freshObservation());
    expect(state.formed).toBe(false);
    expect(formatRanges(state.uncovered)).toBe('0-16383');
    expect(shardsOf(state)).toEqual(['1  redis-1-0 redis-4-0', '2  redis-2-0 redis-5-0', '3  redis-3-0 redis-6-0']);
    expect(interpret(freshObservation({ kind: 'foreign' })).shards).toEqual([]);
  });
});

describe('the rest of the state', () => {
  test('names of pods are sorted by their numbers', () => {
    const state = interpret(healthyObservation({ masters: 6 }));
    expect(state.nodes.map((node) => node.pod?.name).slice(0, 3)).toEqual(['redis-1-0', 'redis-2-0', 'redis-3-0']);
    expect(state.nodes.at(-1)?.pod?.name).toBe('redis-12-0');
  });

  test('lag is the distance to the primary, never less than nothing', () => {
    const state = interpret(changed(healthyObservation(), lag('redis-4-0', 100), lag('redis-5-0', -100)));
    const lags = state.nodes.map((node) => node.lagBytes);
    expect(lags).toEqual([null, null, null, 100, 0, 0]);
    expect(interpret(changed(healthyObservation(), unreachable('redis-1-0'))).nodes[3]?.lagBytes).toBeNull();
  });

  test('open slots join the marks of both ends', () => {
    const state = interpret(
      changed(
        healthyObservation(),
        openSlot(9, 'redis-1-0', 'redis-2-0', 'importing'),
        openSlot(7, 'redis-1-0', 'redis-2-0'),
        openSlot(8, 'redis-1-0', 'redis-2-0', 'migrating'),
      ),
    );
    expect(state.openSlots).toEqual([
      { slot: 7, migratingFrom: nodeIdOf(1), importingTo: nodeIdOf(2) },
      { slot: 8, migratingFrom: nodeIdOf(1), importingTo: null },
      { slot: 9, migratingFrom: null, importingTo: nodeIdOf(2) },
    ]);
  });

  test.each<[string, Observation, [string, boolean, unknown]]>([
    ['ours', healthyObservation(), ['ours', true, { masters: 3, replicas: 1 }]],
    ['ours, not formed', freshObservation(), ['ours', false, { masters: 3, replicas: 1 }]],
    ['foreign', healthyObservation({ kind: 'foreign' }), ['foreign', true, null]],
    ['foreign, not formed', freshObservation({ kind: 'foreign' }), ['foreign', false, null]],
    [
      'ours, but the ConfigMap may not be read',
      changed(
        healthyObservation(),
        changeKube((kube) => ({ ...kube, config: null })),
      ),
      ['ours', true, { masters: 3, replicas: 1 }],
    ],
    [
      'a shape that nobody can read',
      changed(
        healthyObservation(),
        changeService('redis', (one) => ({ ...one, annotations: { 'kubectl-redis.io/masters': 'many' } })),
      ),
      ['foreign', true, null],
    ],
  ])('origin, formed and desired: %s', (_name, observation, expected) => {
    const { origin, formed, desired } = interpret(observation);
    expect([origin, formed, desired]).toEqual(expected);
  });

  test('nobody answers: rows without ids, nothing owned', () => {
    const state = interpret(
      changed(
        healthyObservation(),
        every((pod) => unreachable(pod, 'tunnel', 'up')),
      ),
    );
    expect(state.nodes.map((node) => [node.nodeId, node.unreachable?.why, node.host])).toContainEqual([
      null,
      'tunnel',
      'host-1',
    ]);
    expect([state.views, countSlots(state.uncovered)]).toEqual([[], SLOT_COUNT]);
  });
});

describe('properties', () => {
  test('a healthy cluster of any shape has one view, every slot once, every replica in its shard', () => {
    fc.assert(
      fc.property(someShape, (shape) => {
        const state = interpret(healthyObservation(shape));
        expect([state.views.length, state.uncovered, state.contested, state.openSlots]).toEqual([1, [], [], []]);
        expect(state.shards.map((shard) => shard.replicas.length)).toEqual(Array(shape.masters).fill(shape.replicas));
        expect(state.nodes.reduce((sum, node) => sum + countSlots(node.slots), 0)).toBe(SLOT_COUNT);
      }),
      { numRuns: 40 },
    );
  });

  test('whatever the replies say: no exception, no slot with two owners, the same from JSON', () => {
    fc.assert(
      fc.property(someObservation, (observation) => {
        const before = JSON.stringify(observation);
        const state = interpret(observation);
        expect(JSON.stringify(observation)).toBe(before);
        expect(interpret(JSON.parse(before) as Observation)).toEqual(state);
        const owners = new Map(state.nodes.map((node) => [node.nodeId, node.slots]));
        const lists = [...owners.values()];
        const doubles = lists.flatMap((list, i) => lists.slice(i + 1).map((other) => intersectRanges(list, other)));
        expect(doubles.filter((ranges) => ranges.length > 0)).toEqual([]);
        expect(intersectRanges(state.uncovered, lists.flat())).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test('each node is in one shard at most, and each slot owner in exactly one', () => {
    fc.assert(
      fc.property(someObservation, (observation) => {
        const state = interpret(observation);
        const members = state.shards.flatMap((shard) => [
          ...(shard.primary === null ? [] : [shard.primary]),
          ...shard.replicas,
        ]);
        expect(new Set(members).size).toBe(members.length);
        expect(state.nodes.filter((node) => node.slots.length > 0 && !members.includes(node))).toEqual([]);
        expect(new Set(state.shards.map((shard) => shard.name)).size).toBe(state.shards.length);
      }),
      { numRuns: 60 },
    );
  });
});
