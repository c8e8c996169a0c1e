/**
 * RESP2, the language of Redis (https://redis.io/docs/latest/develop/reference/protocol-spec/): commands to bytes, bytes to
 * replies. Written here, because a mover spends its time on it: the names of the keys that one server lists are the
 * arguments of the command that moves them, so they are passed on as the bytes that they came in, unread.
 */

/** A list of strings as it is on the wire: what GETKEYSINSLOT returns and what MIGRATE takes behind KEYS. */
export interface WireList {
  readonly count: number;
  readonly bytes: Buffer;
}

export type WireArgument = string | number | Buffer | WireList;
export type WireCommand = readonly [name: string, ...args: WireArgument[]];

/** `text`: strings are strings. `wire`: strings are Buffers, and a list stays a WireList. */
export type ReplyForm = 'text' | 'wire';

export function isWireList(value: unknown): value is WireList {
  return typeof value === 'object' && value !== null && 'bytes' in value && 'count' in value;
}

/** The strings of a list. */
export function stringsOf({ count, bytes }: WireList): Buffer[] {
  const strings: Buffer[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    const lineEnd = bytes.indexOf(13, at);
    const from = lineEnd + 2;
    const end = from + Number(bytes.toString('latin1', at + 1, lineEnd));
    strings.push(bytes.subarray(from, end));
    at = end + 2;
  }
  return strings;
}

/** All commands in one piece. */
export function encodeCommands(commands: readonly WireCommand[]): Buffer {
  const pieces: Buffer[] = [];
  let text = '';
  const flush = (bytes: Buffer): void => {
    if (text !== '') pieces.push(Buffer.from(text));
    text = '';
    pieces.push(bytes);
  };
  for (const command of commands) {
    let count = 0;
    for (const argument of command) count += isWireList(argument) ? argument.count : 1;
    text += `*${count}\r\n`;
    for (const argument of command) {
      if (typeof argument === 'string') text += `$${Buffer.byteLength(argument)}\r\n${argument}\r\n`;
      else if (typeof argument === 'number') text += `$${String(argument).length}\r\n${argument}\r\n`;
      else if (isWireList(argument)) flush(argument.bytes);
      else {
        text += `$${argument.length}\r\n`;
        flush(argument);
        text += '\r\n';
      }
    }
  }
  if (text !== '') pieces.push(Buffer.from(text));
  const [only] = pieces;
  return pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces);
}

/** No complete reply is there yet. */
export const INCOMPLETE = Symbol('incomplete');
const NOTHING = Buffer.alloc(0);

/** Cuts a stream of bytes into replies. Error replies are Errors. */
export class ReplyReader {
  #bytes: Buffer = NOTHING;
  #at = 0;
  /** What came since, not yet joined to `#bytes`. */
  #later: Buffer[] = [];
  #laterLength = 0;
  /** Bytes beyond `#bytes` without which there is no use in trying again. */
  #missing = 0;

  feed(chunk: Buffer): void {
    this.#later.push(chunk);
    this.#laterLength += chunk.length;
  }

  /** The next reply, or INCOMPLETE. @throws Error when this is not RESP2 */
  next(form: ReplyForm): unknown {
    if (this.#laterLength > 0) {
      if (this.#laterLength < this.#missing) return INCOMPLETE;
      this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), ...this.#later]);
      this.#at = 0;
      this.#later = [];
      this.#laterLength = 0;
    }
    this.#missing = 0;
    const start = this.#at;
    const reply = this.#read(form);
    if (reply === INCOMPLETE) this.#at = start;
    return reply;
  }

  #read(form: ReplyForm): unknown {
    const lineEnd = this.#bytes.indexOf(13, this.#at);
    if (lineEnd === -1 || lineEnd + 1 >= this.#bytes.length) return INCOMPLETE;
    const kind = this.#bytes[this.#at];
    const line = this.#bytes.toString('utf8', this.#at + 1, lineEnd);
    this.#at = lineEnd + 2;
    switch (kind) {
      case 0x2b: // +
        return form === 'text' ? line : Buffer.from(line);
      case 0x2d: // -
        return new Error(line);
      case 0x3a: // :
        return Number(line);
      case 0x24: // $
        return this.#readString(Number(line), form);
      case 0x2a: // *
        return this.#readList(Number(line), form);
      default:
        throw new Error(`This is not RESP: ${JSON.stringify(this.#bytes.toString('latin1', 0, 40))}`);
    }
  }

  #readString(length: number, form: ReplyForm): unknown {
    if (length === -1) return null;
    const from = this.#at;
    if (!this.#skip(length + 2)) return INCOMPLETE;
    const string = this.#bytes.subarray(from, from + length);
    return form === 'text' ? string.toString() : string;
  }

  #readList(count: number, form: ReplyForm): unknown {
    if (count === -1) return null;
    if (form === 'wire') return this.#readWireList(count);
    const items: unknown[] = [];
    for (let i = 0; i < count; i++) {
      const item = this.#read(form);
      if (item === INCOMPLETE) return INCOMPLETE;
      items.push(item);
    }
    return items;
  }

  #readWireList(count: number): WireList | typeof INCOMPLETE {
    const from = this.#at;
    for (let i = 0; i < count; i++) {
      const lineEnd = this.#bytes.indexOf(13, this.#at);
      if (lineEnd === -1) return INCOMPLETE;
      const length = Number(this.#bytes.toString('latin1', this.#at + 1, lineEnd));
      this.#at = lineEnd + 2;
      if (!this.#skip(length + 2)) return INCOMPLETE;
    }
    // A copy would be cheaper to keep, but nobody keeps it: it leaves again with the next command.
    return { count, bytes: this.#bytes.subarray(from, this.#at) };
  }

  #skip(length: number): boolean {
    if (this.#at + length > this.#bytes.length) {
      this.#missing = this.#at + length - this.#bytes.length;
      return false;
    }
    this.#at += length;
    return true;
  }
}
