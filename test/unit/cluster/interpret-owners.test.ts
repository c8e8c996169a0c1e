import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import { formatRanges } from '../../../pkg/cluster/model/slots.ts';
import type { ClusterState } from '../../../pkg/cluster/model/state.ts';
import { changeLines, changed } from '../../support/observation-changes.ts';
import { duplicatedOwner, ghost, slots, staleView, unowned, unreachable } from '../../support/observation-faults.ts';
import { STRANGER } from '../../support/observation-identity.ts';
import { healthyObservation, nodeIdOf } from '../../support/observation.ts';

function nodeOf(state: ClusterState, pod: string): ClusterState['nodes'][number] {
  const node = state.nodes.find((one) => one.pod?.name === pod);
  if (node === undefined) throw new Error(`no node ${pod}`);
  return node;
}

describe('a node that did not answer', () => {
  test('of ours is found by the address of its Service', () => {
    const node = nodeOf(
      interpret(changed(healthyObservation(), unreachable('redis-2-0', 'tunnel', 'up'))),
      'redis-2-0',
    );
    expect(node).toMatchObject({
      nodeId: nodeIdOf(2),
      role: 'primary',
      slots: [{ start: 5461, end: 10922 }],
      unreachable: { why: 'tunnel', detail: 'no answer from redis-2-0' },
      announced: '10.96.0.12:6379',
      keys: null,
      lagBytes: null,
    });
  });

  test('of a foreign cluster is found by its pod IP, else by its host name', () => {
    const base = healthyObservation({ kind: 'foreign' });
    expect(nodeOf(interpret(changed(base, unreachable('redis-4'))), 'redis-4').primaryId).toBe(nodeIdOf(2));
    const named = changeLines((line) =>
      line.nodeId === nodeIdOf(5) ? { ...line, ip: '203.0.113.9', hostname: 'redis-4.redis.default.svc' } : line,
    );
    expect(nodeOf(interpret(changed(base, named, unreachable('redis-4'))), 'redis-4').nodeId).toBe(nodeIdOf(5));
  });

  test('is nobody when no address is its own', () => {
    const state = interpret(
      changed(
        healthyObservation(),
        changeLines((line) => ({ ...line, ip: '203.0.113.9' })),
        unreachable('redis-2-0'),
      ),
    );
    expect(nodeOf(state, 'redis-2-0')).toMatchObject({ nodeId: null, role: 'unknown', slots: [], gossip: null });
    expect(state.nodes.filter((node) => node.pod === null).map((node) => node.nodeId)).toEqual([nodeIdOf(2)]);
  });

  test('does not take the id of a dead node at its address from a living one', () => {
    const dead = ghost(STRANGER, { ip: '10.96.0.15' });
    const state = interpret(changed(healthyObservation(), dead, unreachable('redis-5-0', 'timeout', 'up')));
    expect(nodeOf(state, 'redis-5-0').nodeId).toBe(nodeIdOf(5));
    expect(state.nodes.at(-1)?.nodeId).toBe(STRANGER);
  });
});

describe('owners of slots', () => {
  test('an owner that answers counts more than the views of all others', () => {
    const state = interpret(
      changed(
        healthyObservation(),
        ...['redis-2-0', 'redis-4-0', 'redis-5-0', 'redis-6-0'].map((pod) => staleView(pod, slots(5), 'redis-3-0')),
      ),
    );
    expect(formatRanges(nodeOf(state, 'redis-1-0').slots)).toBe('0-5460');
    expect(state.contested).toEqual([{ range: { start: 5, end: 5 }, ownerIds: [nodeIdOf(1), nodeIdOf(3)].sort() }]);
  });

  test('for one that does not answer, the majority speaks', () => {
    const state = interpret(
      changed(healthyObservation(), staleView('redis-6-0', slots(5), 'redis-3-0'), unreachable('redis-1-0')),
    );
    expect(formatRanges(nodeOf(state, 'redis-1-0').slots)).toBe('0-5460');
    expect(state.contested).toHaveLength(1);
  });

  test('of two that claim a slot, the higher epoch has it', () => {
    const state = interpret(changed(healthyObservation(), duplicatedOwner('redis-2-0', slots(5, 6))));
    expect(formatRanges(nodeOf(state, 'redis-2-0').slots)).toBe('5-6,5461-10922');
    expect(state.contested.map(({ range }) => range)).toEqual([{ start: 5, end: 6 }]);
  });

  test('a slot that its only named owner denies has none, and is not uncovered', () => {
    const state = interpret(
      changed(
        healthyObservation(),
        changeLines((line, viewer) =>
          viewer === 'redis-1-0' && line.flags.includes('myself') ? { ...line, slots: [] } : line,
        ),
      ),
    );
    expect(nodeOf(state, 'redis-1-0').slots).toEqual([]);
    expect([state.uncovered, state.contested]).toEqual([
      [],
      [{ range: { start: 0, end: 5460 }, ownerIds: [nodeIdOf(1)] }],
    ]);
  });

  test('a slot that nobody names is uncovered', () => {
    expect(interpret(changed(healthyObservation(), unowned(slots(5, 6, 9000)))).uncovered).toEqual(slots(5, 6, 9000));
  });

  test('an id without a pod may be an owner', () => {
    const state = interpret(changed(healthyObservation(), unowned(slots(7)), ghost(STRANGER, { slots: slots(7) })));
    expect(state.nodes.at(-1)).toMatchObject({
      nodeId: STRANGER,
      pod: null,
      slots: slots(7),
      announced: '10.9.9.9:6379',
    });
  });
});
