import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { INCOMPLETE, ReplyReader, encodeCommands, isWireList, stringsOf } from '../../../pkg/redis/resp.ts';
import type { ReplyForm } from '../../../pkg/redis/resp.ts';

function read(bytes: Buffer, form: ReplyForm, pieceLength = bytes.length): unknown[] {
  const reader = new ReplyReader();
  const replies: unknown[] = [];
  for (let at = 0; at < bytes.length; at += pieceLength) {
    reader.feed(bytes.subarray(at, at + pieceLength));
    for (let reply = reader.next(form); reply !== INCOMPLETE; reply = reader.next(form)) replies.push(reply);
  }
  return replies;
}

const ALL_KINDS = Buffer.from(
  '+OK\r\n-ERR no: ä\r\n:-7\r\n$-1\r\n$5\r\na\r\nbc\r\n*-1\r\n*2\r\n$1\r\nx\r\n*1\r\n:3\r\n*0\r\n$0\r\n\r\n',
);
const ALL_READ = ['OK', new Error('ERR no: ä'), -7, null, 'a\r\nbc', null, ['x', [3]], [], ''];

test.each([1, 2, 3, 7, 1000])('all kinds of replies, in pieces of %d bytes', (pieceLength) => {
  expect(read(ALL_KINDS, 'text', pieceLength)).toEqual(ALL_READ);
});

test('what is no RESP is refused', () => {
  expect(() => read(Buffer.from('HTTP/1.1 400 Bad Request\r\n'), 'text')).toThrow('This is not RESP: "HTTP/1.1 400');
});

test('arguments of all kinds', () => {
  const list = { count: 2, bytes: Buffer.from('$1\r\na\r\n$1\r\nb\r\n') };
  expect(
    encodeCommands([
      ['SET', 'ä', 12, Buffer.from([0, 255])],
      ['DEL', list],
    ]),
  ).toEqual(
    Buffer.concat([
      Buffer.from('*4\r\n$3\r\nSET\r\n$2\r\nä\r\n$2\r\n12\r\n$2\r\n'),
      Buffer.from([0, 255]),
      Buffer.from('\r\n*3\r\n$3\r\nDEL\r\n$1\r\na\r\n$1\r\nb\r\n'),
    ]),
  );
});

describe('a list that passes through', () => {
  const names = fc.array(
    fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
    { maxLength: 50 },
  );

  test('is the same behind as it was before, however it is cut', () => {
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 40 }), (keys, pieceLength) => {
        const bytes = encodeCommands([['X', ...keys], ['Y']]);
        const [first, second] = read(bytes, 'wire', pieceLength);
        if (!isWireList(first) || !isWireList(second)) throw new Error('no lists');
        expect(stringsOf(first)).toEqual([Buffer.from('X'), ...keys]);
        expect(encodeCommands([['MIGRATE', first]])).toEqual(encodeCommands([['MIGRATE', 'X', ...keys]]));
        expect(second.count).toBe(1);
      }),
    );
  });
});
