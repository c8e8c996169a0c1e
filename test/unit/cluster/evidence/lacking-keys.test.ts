/** What a copy lacks that has heard as much as others: offsets say nothing of what was done to the copy itself. */
import { describe, expect, test } from '@jest/globals';
import { incompletePrimaries, keysLacking } from '../../../../pkg/cluster/evidence/lacking-keys.ts';
import type { ServerInfo } from '../../../../pkg/cluster/model/observation.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import { changeLines, changed } from '../../../support/observation-changes.ts';
import { lacksKeys } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';

const [first] = healthyObservation().replies;
if (first?.reply.kind !== 'answered') throw new Error('nobody answers');
const { info } = first.reply.answer;

const at = (replicationOffset: number, keysAtOffset: number, more: Partial<ServerInfo> = {}): ServerInfo => ({
  ...info,
  replicationId: 'a'.repeat(40),
  replicationOffset,
  keysAtOffset,
  syncInProgress: false,
  ...more,
});
const { keysAtOffset: _, ...untold } = at(1000, 0);

describe('keys that a copy lacks', () => {
  test.each<readonly [string, ServerInfo, readonly ServerInfo[], number]>([
    ['as many', at(1000, 50), [at(1000, 50)], 0],
    ['one fewer at the same offset', at(1000, 49), [at(1000, 50)], 1],
    ['none at all', at(1000, 0), [at(1000, 50)], 50],
    ['more than its primary: nothing is lost if it leads', at(1000, 60), [at(1000, 50)], 0],
    ['fewer, and as far behind as that many new keys take', at(650, 0), [at(1000, 50)], 0],
    ['fewer than it is behind by', at(986, 0), [at(1000, 50)], 48],
    ['asked later, and told to delete in between', at(1350, 0), [at(1000, 50)], 0],
    ['another history', at(1000, 0, { replicationId: 'b'.repeat(40) }), [at(1000, 50)], 0],
    ['while it copies', at(1000, 0, { syncInProgress: true }), [at(1000, 50)], 0],
    ['who does not say how many', untold, [at(1000, 50)], 0],
    ['a primary that does not say how many', at(1000, 0), [untold], 0],
    ['more with another replica of its shard, while the primary is silent', at(1000, 10), [at(1000, 50)], 40],
    ['nobody to compare with', at(1000, 0), [], 0],
    [
      'another that lost its link before all were told to delete',
      at(1018, 0),
      [at(1000, 50, { role: 'replica', primaryLinkUp: false })],
      0,
    ],
    [
      'another that lost its link before, and no primary answers: a person decides whether all were told to flush',
      at(1028, 700, { role: 'replica', primaryLinkUp: false }),
      [at(1000, 1000, { role: 'replica', primaryLinkUp: false })],
      296,
    ],
    [
      'another that lost its link before a PING, which deletes nothing',
      at(1014, 0),
      [at(1000, 50, { role: 'replica', primaryLinkUp: false })],
      48,
    ],
    [
      'another that lost its link when its primary went, as this one did',
      at(1000, 0, { role: 'replica', primaryLinkUp: false }),
      [at(1000, 50, { role: 'replica', primaryLinkUp: false })],
      50,
    ],
  ])('%s', (_name, copy, holders, expected) => {
    expect(keysLacking(copy, holders)).toBe(expected);
  });
});

describe('primaries that were emptied', () => {
  const emptied = changed(healthyObservation(), lacksKeys('redis-4-0', 'redis-1-0', -900));
  test('are found with who has their keys', () =>
    expect(incompletePrimaries(interpret(emptied)).map(({ holder, lacks }) => [holder.pod?.name, lacks])).toEqual([
      ['redis-4-0', 900],
    ]));

  test('not where it has no slots: nobody takes over from such a one', () => {
    const slotless = changed(
      emptied,
      changeLines((line) => ({ ...line, slots: [] })),
    );
    expect(incompletePrimaries(interpret(slotless))).toEqual([]);
  });
});
