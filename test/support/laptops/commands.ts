/** The commands in what a client sends to Redis, and which of them change something. */

/** @returns takes the next bytes; the commands that are whole by then, each as its words */
export function commandReader(): (bytes: Buffer) => string[][] {
  let rest = Buffer.alloc(0);
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const commands: string[][] = [];
    for (;;) {
      const read = readCommand(rest);
      if (read === null) return commands;
      commands.push(read.words);
      rest = rest.subarray(read.length);
    }
  };
}

/** `*2\r\n$3\r\nGET\r\n$1\r\na\r\n`; null while it is not whole. */
function readCommand(bytes: Buffer): { readonly words: string[]; readonly length: number } | null {
  const head = lineAt(bytes, 0);
  if (head === null) return null;
  if (!head.text.startsWith('*')) throw new Error(`not a command: ${head.text.slice(0, 80)}`);
  const words: string[] = [];
  let at = head.next;
  for (let count = Number(head.text.slice(1)); count > 0; count--) {
    const size = lineAt(bytes, at);
    if (size === null) return null;
    const end = size.next + Number(size.text.slice(1));
    if (bytes.length < end + 2) return null;
    words.push(bytes.toString('latin1', size.next, end));
    at = end + 2;
  }
  return { words, length: at };
}

function lineAt(bytes: Buffer, from: number): { readonly text: string; readonly next: number } | null {
  const end = bytes.indexOf('\r\n', from);
  return end < 0 ? null : { text: bytes.toString('latin1', from, end), next: end + 2 };
}

/** What only asks, of all that an operation may send. Everything else counts as a change. */
const QUESTIONS: readonly RegExp[] = [
  /^(AUTH|PING|TIME|INFO|DBSIZE|DUMP|PTTL|ASKING|HELLO|READONLY|COMMAND)\b/i,
  /^CONFIG GET\b/i,
  /^MEMORY USAGE\b/i,
  /^FUNCTION LIST\b/i,
  /^CLIENT (SETNAME|LIST|ID|KILL)\b/i,
  /^CLUSTER (MYID|NODES|INFO|SLOTS|SHARDS|LINKS|COUNTKEYSINSLOT|GETKEYSINSLOT|GETSLOTMIGRATIONS)\b/i,
  /^CLUSTER MIGRATION STATUS\b/i,
];

export function isChange(words: readonly string[]): boolean {
  const text = words.slice(0, 3).join(' ');
  return !QUESTIONS.some((question) => question.test(text));
}
