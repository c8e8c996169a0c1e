/** Who owns a slot, by the owners' own word. */
import { describe, expect, test } from '@jest/globals';
import type { GossipNode } from '../../../../pkg/cluster/model/observation.ts';
import { ownersByTheirWord, slotsOfHolder, withoutOwner } from '../../../../pkg/redis/strays/whose.ts';
import { healthyObservation } from '../../../support/observation.ts';

const ANSWERS = healthyObservation().replies.flatMap(({ reply }) => (reply.kind === 'answered' ? [reply.answer] : []));

function lineOf(index: number): GossipNode {
  const answer = ANSWERS[index];
  const line = answer?.view.find(({ nodeId }) => nodeId === answer.myId);
  if (line === undefined) throw new Error(`no node ${index}`);
  return line;
}

const said = (index: number, line: Partial<GossipNode> = {}) => ({
  owner: index,
  nodeId: lineOf(index).nodeId,
  view: [{ ...lineOf(index), ...line }],
});

describe('owners', () => {
  test('by what each says of itself, whatever the others say', () => {
    const lying = { ...lineOf(1), slots: [{ start: 0, end: 16383 }] };
    const owners = ownersByTheirWord([{ ...said(0), view: [lineOf(0), lying] }, said(1)]);
    expect([owners.size, owners.get(0), owners.get(5460), owners.get(5461)]).toEqual([10923, 0, 0, 1]);
    expect(owners.has(16383)).toBe(false);
  });

  test('nobody owns what two claim, nor what a replica claims', () => {
    const owners = ownersByTheirWord([said(0), said(1, { slots: [{ start: 5460, end: 5461 }] })]);
    expect([owners.has(5460), owners.get(5461), owners.get(5459)]).toEqual([false, 1, 0]);
    expect(ownersByTheirWord([said(0, { role: 'replica' })]).size).toBe(0);
  });
});

describe('the holder', () => {
  const end = { nodeId: lineOf(0).nodeId, pod: { name: 'redis-1-0' } };

  test('its own slots and those that it imports', () => {
    const importing = [{ slot: 6000, fromNodeId: lineOf(1).nodeId }];
    const slots = slotsOfHolder(end, [{ ...lineOf(0), importing }]);
    expect([slots.own.size, slots.own.has(0), [...slots.importing]]).toEqual([5461, true, [6000]]);
  });

  test.each([[[]], [[{ ...lineOf(0), role: 'replica' as const }]]])('must be a primary', (view) => {
    expect(() => slotsOfHolder(end, view)).toThrow(expect.objectContaining({ code: 'role-changed' }));
  });
});

test('slots without an owner are named', () => {
  expect(withoutOwner('redis-2-0', [7, 5, 6]).message).toBe(
    'redis-2-0 holds keys of slots without an owner that answers: 5-7',
  );
});
