/** A key that two nodes have: which copy ends, what is saved before, and what a client writes meanwhile. */
import { describe, expect, test } from '@jest/globals';
import {
  copiesOf,
  isSameDump,
  settleKeys,
  type Copies,
  type KeyConflict,
} from '../../../../pkg/redis/move/conflicts.ts';
import type { MoveContext } from '../../../../pkg/redis/move/context.ts';
import type { WireCommand } from '../../../../pkg/redis/wire.ts';

const KEY = Buffer.from('k');
const ASK = new Error('ASK 7 10.0.0.2:6379');
const REFUSED = new Error('NOPERM');

interface Copy {
  readonly dump: string;
  /** As PTTL says it. */
  readonly expiry?: number;
}

/** What happens between two commands that a node gets. */
type Story = (node: FakeNode, command: string) => void;

class FakeNode {
  readonly end = { pod: { name: 'redis-1-0' } };
  readonly sent: string[] = [];
  copy: Copy | null;
  readonly missing: unknown;
  readonly story: Story;

  constructor(copy: Copy | null, missing: unknown = null, story: Story = () => undefined) {
    this.copy = copy;
    this.missing = missing;
    this.story = story;
  }

  send(commands: readonly WireCommand[]): Promise<readonly unknown[]> {
    return Promise.resolve(commands.map((command) => this.#reply(command)));
  }

  #reply([name, ...args]: WireCommand): unknown {
    this.story(this, name);
    if (name !== 'ASKING') this.sent.push(name);
    switch (name) {
      case 'MEMORY':
        return this.copy === null ? this.missing : 100;
      case 'DUMP':
        return this.copy === null ? this.missing : Buffer.from(this.copy.dump);
      case 'PTTL':
        return this.copy?.expiry ?? -1;
      case 'EVAL': {
        // The script's own words: it deletes what has this sum.
        const same = this.copy !== null && sha1(this.copy.dump) === args[3];
        if (same) this.copy = null;
        return same ? 1 : 0;
      }
      default:
        return Buffer.from('OK');
    }
  }
}

const { createHash } = await import('node:crypto');
const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex');

async function settled(owner: FakeNode, other: FakeNode, saves = true) {
  const saved: KeyConflict[] = [];
  const context = { source: owner, target: other, others: [], limits: { maxPauseMs: 10, maxBandwidth: null } };
  const saveConflict = (conflict: KeyConflict): Promise<void> => Promise.resolve(void saved.push(conflict));
  const given = { ...context, patience: null, ...(saves ? { saveConflict } : {}) };
  const copies: Copies = copiesOf(given as unknown as MoveContext, 'source');
  const error = await settleKeys(copies, 7, [KEY]).then(
    () => null,
    (reason: { readonly code: string }) => reason.code,
  );
  const told = saved.map(({ dump, timeToLiveMs }) => [dump.toString(), timeToLiveMs]);
  return { saved: told, error, left: [owner.copy?.dump ?? null, other.copy?.dump ?? null] };
}

/** As DUMP writes `v1010` in the format of that version: type, length, value, version, sum. */
const dumpOf = (version: number, value = 'v1010', sum = 'CRC64-OF'): Buffer =>
  Buffer.concat([Buffer.from([0, value.length]), Buffer.from(value), Buffer.from([version, 0]), Buffer.from(sum)]);

describe('payloads of DUMP', () => {
  test.each<[string, Buffer, Buffer, boolean]>([
    ['one version, one value', dumpOf(12), dumpOf(12), true],
    ['two versions, one value', dumpOf(11), dumpOf(12, 'v1010', 'OTHERSUM'), true],
    ['one version, two values', dumpOf(12), dumpOf(12, 'v1011'), false],
    ['two versions, two values of one length', dumpOf(11), dumpOf(12, 'v1011'), false],
    ['a value that the other begins with', dumpOf(12), dumpOf(12, 'v10101'), false],
    ['another type', dumpOf(12), Buffer.concat([Buffer.from([4]), dumpOf(12).subarray(1)]), false],
    ['no more than a footer', Buffer.alloc(10, 1), Buffer.alloc(10, 2), false],
  ])('%s', (_, one, other, expected) => {
    expect(isSameDump(one, other)).toBe(expected);
    expect(isSameDump(other, one)).toBe(expected);
  });
});

describe('both have it', () => {
  test.each<[string, Copy, Copy, unknown]>([
    ['equal copies: one ends', { dump: 'a' }, { dump: 'a' }, { saved: [], error: null, left: ['a', null] }],
    ['another value is saved', { dump: 'a' }, { dump: 'b' }, { saved: [['b', null]], error: null, left: ['a', null] }],
    [
      'so is one that lives for ever, where the other does not',
      { dump: 'a', expiry: 500 },
      { dump: 'a' },
      { saved: [['a', null]], error: null, left: ['a', null] },
    ],
    [
      'and one that was told to live longer',
      { dump: 'a', expiry: 5_000 },
      { dump: 'a', expiry: 900_000 },
      { saved: [['a', 900_000]], error: null, left: ['a', null] },
    ],
    [
      'not what a MIGRATE that was late has shifted',
      { dump: 'a', expiry: 5_000 },
      { dump: 'a', expiry: 14_990 },
      { saved: [], error: null, left: ['a', null] },
    ],
    [
      'what ends in this millisecond is not saved for ever',
      { dump: 'a' },
      { dump: 'b', expiry: 0 },
      { saved: [['b', 1]], error: null, left: ['a', null] },
    ],
  ])('%s', async (_, ours, theirs, expected) => {
    expect(await settled(new FakeNode(ours), new FakeNode(theirs))).toEqual(expected);
  });

  test('equal copies of two versions: nothing is saved, and one ends', async () => {
    const [ours, theirs] = [dumpOf(11).toString(), dumpOf(12, 'v1010', 'OTHERSUM').toString()];
    const expected = { saved: [], error: null, left: [ours, null] };
    expect(await settled(new FakeNode({ dump: ours }), new FakeNode({ dump: theirs }), false)).toEqual(expected);
  });

  test('nothing saves it: it stays', async () => {
    const expected = { saved: [], error: 'key-conflict', left: ['a', 'b'] };
    expect(await settled(new FakeNode({ dump: 'a' }), new FakeNode({ dump: 'b' }), false)).toEqual(expected);
  });
});

describe('one has it', () => {
  test.each([
    ['the owner', new FakeNode({ dump: 'a' }), new FakeNode(null), ['a', null]],
    ['the other', new FakeNode(null), new FakeNode({ dump: 'b' }), [null, 'b']],
    ['the other, and the owner sends clients there', new FakeNode(null, ASK), new FakeNode({ dump: 'b' }), [null, 'b']],
  ])('%s: it stays', async (_, owner, other, left) => {
    expect(await settled(owner, other)).toEqual({ saved: [], error: null, left });
    expect(other.sent).not.toContain('EVAL');
  });
});

test('a client that was sent on writes it in the moment before the copy ends: that is saved too, and never deleted unseen', async () => {
  let written = 0;
  const other = new FakeNode({ dump: 'b' }, null, (node, command) => {
    if (command === 'EVAL' && written++ === 0) node.copy = { dump: 'written meanwhile' };
  });
  const { saved, error, left } = await settled(new FakeNode({ dump: 'a' }), other);
  expect({ saved, error, left }).toEqual({
    saved: [
      ['b', null],
      ['written meanwhile', null],
    ],
    error: null,
    left: ['a', null],
  });
});

test('the owner loses its copy before the other one ends: what was written since stays', async () => {
  const owner = new FakeNode({ dump: 'a' });
  const other = new FakeNode({ dump: 'a' }, null, (node, command) => {
    if (command !== 'EVAL' || owner.copy === null) return;
    owner.copy = null;
    node.copy = { dump: 'written meanwhile' };
  });
  expect(await settled(owner, other)).toEqual({ saved: [], error: null, left: [null, 'written meanwhile'] });
});

test('it is written all the time: the move stops, and nothing is lost', async () => {
  let at = 0;
  const other = new FakeNode({ dump: 'b' }, null, (node, command) => {
    if (command === 'EVAL') node.copy = { dump: `b${at++}` };
  });
  const { error, left } = await settled(new FakeNode({ dump: 'a' }), other);
  expect([error, left]).toEqual(['key-conflict', ['a', 'b4']]);
});

test('who may not compare stops', async () => {
  const owner = new FakeNode(null, REFUSED);
  expect(await settled(owner, new FakeNode({ dump: 'b' }))).toMatchObject({ error: 'step-failed', left: [null, 'b'] });
});
