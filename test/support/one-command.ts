/**
 * One command on a connection of its own, and its reply as redis-cli prints it where nobody watches: tests ask many hundred
 * times, and a process for each question was a third of what they took of a processor.
 */
import { connect } from 'node:net';

export interface Asked {
  readonly host: string;
  readonly port: number;
  readonly password?: string | undefined;
  /** Until the reply has come; default 30 s. */
  readonly deadlineMs?: number;
}

/** Also what went wrong on the way is text; only a reply that does not come is an error. */
export function askOnce(asked: Asked, command: readonly string[]): Promise<string> {
  const { host, port, password, deadlineMs = 30_000 } = asked;
  const replies = password === undefined ? 1 : 2;
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    let connected = false;
    const socket = connect({ host, port, noDelay: true });
    const timer = setTimeout(() => {
      reject(new Error(`No reply from ${host}:${port} to ${command[0]} within ${deadlineMs} ms`));
      socket.destroy();
    }, deadlineMs);
    const end = (text: string): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(text);
    };
    socket.once('connect', () => {
      connected = true;
      // A server without a password says so, and answers what comes behind.
      if (password !== undefined) socket.write(encode(['AUTH', password]));
      socket.write(encode(command));
    });
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const read = readReplies(received, replies);
      if (read !== null) end(read.at(-1)?.trim() ?? '');
    });
    socket.once('error', ({ message }) =>
      end(connected ? `Error: ${message}` : `Could not connect to Redis at ${host}:${port}: ${message}`),
    );
    socket.once('close', () => end('Error: Server closed the connection'));
  });
}

function encode(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

/** null while the last one is not whole. */
function readReplies(bytes: Buffer, count: number): readonly string[] | null {
  const texts: string[] = [];
  let at = 0;
  while (texts.length < count) {
    const reply = readReply(bytes, at);
    if (reply === null) return null;
    texts.push(reply.text);
    at = reply.end;
  }
  return texts;
}

/** The elements of a list are lines; nothing is an empty one. */
function readReply(bytes: Buffer, from: number): { readonly text: string; readonly end: number } | null {
  const lineEnd = bytes.indexOf('\r\n', from);
  if (lineEnd === -1) return null;
  const line = bytes.toString('utf8', from + 1, lineEnd);
  const kind = String.fromCharCode(bytes[from] ?? 0);
  let end = lineEnd + 2;
  if (kind === '$') {
    const length = Number(line);
    if (length < 0) return { text: '', end };
    if (bytes.length < end + length + 2) return null;
    return { text: bytes.toString('utf8', end, end + length), end: end + length + 2 };
  }
  if (kind !== '*') return { text: line, end };
  const lines: string[] = [];
  for (let left = Number(line); left > 0; left--) {
    const element = readReply(bytes, end);
    if (element === null) return null;
    lines.push(element.text);
    end = element.end;
  }
  return { text: lines.join('\n'), end };
}
