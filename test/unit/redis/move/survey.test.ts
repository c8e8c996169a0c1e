import { describe, expect, test } from '@jest/globals';
import { doubtOf, survey } from '../../../../pkg/redis/move/survey.ts';
import { parseClusterNodes } from '../../../../pkg/redis/parse/cluster-nodes.ts';

const [A, B, C] = ['a', 'b', 'c'].map((letter) => letter.repeat(40)) as [string, string, string];
const ENDS = { sourceId: A, targetId: B };

/** A view: what each of the three owns, and the marks of the one that speaks. */
function view(
  self: string,
  owned: Readonly<Record<string, string>>,
  marks = '',
  role = 'master',
): ReturnType<typeof parseClusterNodes> {
  const lines = [A, B, C].map((id) => {
    const flags = id === self ? `myself,${role}` : 'master';
    const primary = id === self && role === 'slave' ? B : '-';
    return `${id} 10.0.0.1:6379@16379 ${flags} ${primary} 0 0 1 connected ${owned[id] ?? ''} ${id === self ? marks : ''}`.trimEnd();
  });
  return parseClusterNodes(lines.join('\n'));
}

function look(ofSource: ReturnType<typeof view>, ofTarget: ReturnType<typeof view>, end = 5): object {
  const found = survey([{ start: 0, end }], ENDS, ofSource, ofTarget);
  return { ...found, open: [...found.open], marked: [...found.marked], foreign: [...found.foreign] };
}

const NONE = { drain: [], claim: [], tell: [], done: [], open: [], marked: [], foreign: [], misnamed: [] };

describe('where the slots of a move stand', () => {
  test('untouched', () => {
    const owned = { [A]: '0-9' };
    expect(look(view(A, owned), view(B, owned))).toEqual({ ...NONE, drain: [0, 1, 2, 3, 4, 5] });
  });

  test('open on both sides, on one, and towards another', () => {
    const owned = { [A]: '0-9' };
    const [source, target] = [
      view(A, owned, `[0->-${B}] [1->-${B}] [3->-${C}]`),
      view(B, owned, `[0-<-${A}] [2-<-${A}] [3-<-${A}]`),
    ];
    expect(look(source, target)).toEqual({
      ...NONE,
      drain: [0, 1, 2, 3, 4, 5],
      open: [0],
      marked: [0, 1, 2, 3],
      foreign: [[3, C]],
    });
  });

  test('the target has taken them, and the source has not heard of it, or not closed them', () => {
    expect(look(view(A, { [A]: '0-9' }), view(B, { [B]: '0-5', [A]: '6-9' }))).toEqual({
      ...NONE,
      tell: [0, 1, 2, 3, 4, 5],
    });
    const owned = { [B]: '0-5', [A]: '6-9' };
    expect(look(view(A, owned, `[4->-${B}]`), view(B, owned))).toEqual({ ...NONE, tell: [4], done: [0, 1, 2, 3, 5] });
  });

  test('the target knows of no owner: it was importing when the source before failed over', () => {
    const [source, target] = [view(A, { [A]: '0-9' }), view(B, { [A]: '2-9' }, `[0-<-${C}] [1-<-${C}]`)];
    expect(look(source, target, 3)).toEqual({ ...NONE, drain: [0, 1, 2, 3], marked: [0, 1], misnamed: [0, 1] });
  });

  test('the source was told first', () => {
    expect(look(view(A, { [B]: '0-5' }), view(B, { [A]: '0-5' }))).toEqual({ ...NONE, claim: [0, 1, 2, 3, 4, 5] });
  });

  test('a source that gave all away may be a replica by now; otherwise that is a failover', () => {
    const owned = { [B]: '0-9' };
    expect(look(view(A, owned, '', 'slave'), view(B, owned))).toEqual({ ...NONE, done: [0, 1, 2, 3, 4, 5] });
    expect(() => look(view(A, { [A]: '0-9' }, '', 'slave'), view(B, { [A]: '0-9' }))).toThrow(
      'aaaaaaaa is no primary any more',
    );
    expect(() => look(view(A, { [A]: '0-9' }), view(B, { [A]: '0-9' }, '', 'slave'))).toThrow(
      'bbbbbbbb is no primary any more',
    );
  });

  test('of a third node', () => {
    const owned = { [A]: '0-2', [C]: '3-4' };
    expect(() => look(view(A, owned), view(B, owned))).toThrow('Slots 3-5 belong to neither end of the move');
  });
});

describe('whether somebody leads in the place of the source by now', () => {
  const lines = (self: string, changes: Readonly<Record<string, string>>): ReturnType<typeof parseClusterNodes> =>
    parseClusterNodes(
      [A, B, C]
        .map(
          (id) =>
            `${id} 10.0.0.1:6379@16379 ${id === self ? 'myself,' : ''}${changes[id] ?? 'master - 0 0 1 connected'}`,
        )
        .join('\n'),
    );
  const followed = lines(A, { [C]: `slave ${A} 0 0 1 connected` });
  const fromTarget = (ofSource: string): ReturnType<typeof parseClusterNodes> =>
    lines(B, { [A]: ofSource, [C]: `slave ${A} 0 0 1 connected` });
  const same = fromTarget('master - 0 0 1 connected');

  test.each<[string, ReturnType<typeof parseClusterNodes>, ReturnType<typeof parseClusterNodes>, string | null]>([
    ['no sign of it', followed, same, null],
    [
      'the target takes it for down',
      followed,
      fromTarget('master,fail? - 0 0 1 connected'),
      'the target takes it for down',
    ],
    [
      'the target has no link to it',
      followed,
      fromTarget('master - 0 0 1 disconnected'),
      'the target has no link to it',
    ],
    [
      'its replica leads in the eyes of the target',
      followed,
      lines(B, { [C]: 'master - 0 0 2 connected' }),
      'the target sees cccccccc lead',
    ],
    ['one that led before it does, where the target is behind', followed, lines(B, {}), null],
    [
      'it follows in the eyes of the target',
      followed,
      fromTarget(`slave ${C} 0 0 1 connected`),
      'the target takes it for a replica',
    ],
    ['it is cut off', lines(A, { [B]: 'master,fail - 0 0 1 connected' }), same, 'it takes the target for down'],
  ])('%s', (_, ofSource, ofTarget, doubt) => {
    expect(doubtOf(ENDS, ofSource, ofTarget)).toBe(doubt);
  });

  test('its replica has a newer claim in the eyes of the target, where that has not heard of it in older slots', () => {
    const source = lines(A, { [A]: 'master - 0 0 1 connected 0-9', [C]: `slave ${A} 0 0 1 connected` });
    const elected = lines(B, { [C]: 'master - 0 0 2 connected 0-9' });
    expect(() => look(source, elected)).toThrow('Slots 0-5 belong to neither end of the move');
    const old = lines(B, { [C]: 'master - 0 0 0 connected 0-9' });
    expect(look(source, old)).toMatchObject({ drain: [0, 1, 2, 3, 4, 5], misnamed: [0, 1, 2, 3, 4, 5] });
  });
});
