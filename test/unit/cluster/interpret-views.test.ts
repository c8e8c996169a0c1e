import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import { changeAnswer, changeLines, changed } from '../../support/observation-changes.ts';
import { ghost, openSlot, slots, staleView } from '../../support/observation-faults.ts';
import { STRANGER } from '../../support/observation-identity.ts';
import { freshObservation, healthyObservation, nodeIdOf } from '../../support/observation.ts';

describe('views', () => {
  test('are one where all agree, whatever order the servers print', () => {
    const turned = changeAnswer('redis-3-0', (answer) => ({ ...answer, view: answer.view.toReversed() }));
    const handshake = ghost(STRANGER, { flags: ['handshake'] }, ['redis-1-0']);
    const blind = changeLines((line) => (line.flags.includes('myself') ? { ...line, ip: '', port: 0 } : line));
    const state = interpret(changed(healthyObservation(), turned, handshake, blind));
    expect(state.views).toEqual([
      { nodeIds: state.nodes.map((node) => node.nodeId), differences: [], onlyOpenSlots: true },
    ]);
    expect(state.nodes).toHaveLength(6);
  });

  test('that differ say how, the largest group first', () => {
    const state = interpret(
      changed(
        healthyObservation(),
        staleView('redis-1-0', slots(5461, 5462), 'redis-3-0'),
        changeLines((line, viewer) => {
          if (viewer !== 'redis-2-0') return line;
          if (line.nodeId === nodeIdOf(6)) return null;
          if (line.nodeId === nodeIdOf(4)) return { ...line, primaryId: nodeIdOf(3), ip: '10.1.1.1' };
          return line.nodeId === nodeIdOf(3) ? { ...line, configEpoch: 9 } : line;
        }),
      ),
    );
    expect(state.views.map(({ nodeIds, differences }) => [nodeIds.length, ...differences])).toEqual([
      [4],
      [1, 'slots 5461-5462 belong to redis-3-0, not redis-2-0'],
      [
        1,
        'redis-3-0 has config epoch 9, not 3',
        'redis-4-0 follows redis-3-0, not redis-1-0',
        'redis-4-0 is at 10.1.1.1:6379, not 10.96.0.14:6379',
        'does not know redis-6-0',
      ],
    ]);
  });

  test.each([
    ['an open slot', openSlot(5461, 'redis-2-0', 'redis-1-0', 'importing'), true],
    ['a slot that is not open', openSlot(5462, 'redis-2-0', 'redis-1-0', 'importing'), false],
  ])('that differ about who owns %s', (_, change, only) => {
    const stale = staleView('redis-1-0', slots(5461, 5461), 'redis-3-0');
    const { views } = interpret(changed(healthyObservation(), stale, change));
    expect(views.map(({ onlyOpenSlots }) => onlyOpenSlots)).toEqual([true, only]);
  });

  test('that differ in everything are told in ten lines', () => {
    const state = interpret(freshObservation({ masters: 20, replicas: 0 }));
    const second = changed(
      healthyObservation({ masters: 20, replicas: 0 }),
      changeLines((line, viewer) => (viewer === 'redis-20-0' && !line.flags.includes('myself') ? null : line)),
    );
    const lines = interpret(second).views[1]?.differences ?? [];
    expect(state.views).toHaveLength(20);
    expect([lines.length, lines[0], lines.at(-1)]).toEqual([10, 'does not know redis-1-0', 'and 29 more']);
  });
});
