/**
 * Directives of redis.conf that people give: `--config KEY=VALUE` and `--config-file`. What would take a node out of our
 * hands is refused with what to do instead; the rest is theirs, and comes last in redis.conf.
 *
 * Whether a directive exists is for the image's server to say, which does not start with one that it does not know.
 * `loadmodule` is allowed: a module can't change who a node is, and an image with modules is useless without.
 */
import { usageError } from '../errors.ts';

/** Directives by name; one that may be given more than once has a line for each. */
export type Directives = Readonly<Record<string, string>>;

const FIXED = 'every pod needs it as it is: see redis.conf in the ConfigMap';
const AUTH = 'use --auth: the password then lives in Secret NAME-auth';
const LOGGING = 'a pod logs to its standard output: kubectl logs';
const NO_CLUSTER = 'the nodes form a Redis Cluster, which can not have it';

/** Why a directive is ours and what to do instead. */
const REFUSED: Readonly<Record<string, string>> = {
  dir: 'data belongs on the volume: --storage and --storage-class choose it',
  port: 'nodes listen on 6379: give clients another port with a Service of your own',
  bind: FIXED,
  'protected-mode': `${FIXED}; --auth protects a node by password`,
  unixsocket: 'nobody outside the container could reach it',
  unixsocketperm: 'nobody outside the container could reach it',
  requirepass: AUTH,
  masterauth: AUTH,
  primaryauth: AUTH,
  masteruser: AUTH,
  primaryuser: AUTH,
  aclfile: 'give users one by one: --config "user=NAME on >SECRET ~* +@all"',
  appendfilename: FIXED,
  appenddirname: FIXED,
  dbfilename: FIXED,
  daemonize: 'the server is the process of its container',
  supervised: 'the server is the process of its container',
  pidfile: 'the server is the process of its container',
  logfile: LOGGING,
  'syslog-enabled': LOGGING,
  include: 'give the directives themselves: --config-file FILE',
  'rename-command':
    'kubectl redis and the probes need the commands; take them from users instead: --config "user=NAME …"',
  replicaof: NO_CLUSTER,
  slaveof: NO_CLUSTER,
  sentinel: NO_CLUSTER,
};

const REFUSED_FAMILIES: readonly (readonly [RegExp, string])[] = [
  [/^cluster-/, 'kubectl redis chooses the cluster settings: see redis.conf in the ConfigMap'],
  [/-announce-/, "a node announces its Service's address, and nothing else is stable"],
  [/^tls-/, 'TLS can not be set up by directives alone: every client and probe would have to follow'],
];

/** Directives that mean a list, one entry a line. */
const REPEATABLE: ReadonlySet<string> = new Set(['save', 'client-output-buffer-limit', 'loadmodule', 'user']);

/** A value of these holds several entries of so many words, which Redis before 7.0 wants on a line each. */
const WORDS_PER_ENTRY: Readonly<Record<string, number>> = { save: 2, 'client-output-buffer-limit': 4 };

/**
 * `--config KEY=VALUE`, as often as wanted.
 * @throws AppError usage: not KEY=VALUE, a directive that is ours, a value that redis.conf can't hold, a name given twice
 */
export function parseConfigArguments(args: readonly string[]): Record<string, string> {
  const out: Record<string, string> = {};
  for (const arg of args) {
    const equals = arg.indexOf('=');
    if (equals < 1)
      throw usageError(
        `--config ${arg === '' ? '""' : arg} is not KEY=VALUE`,
        'for example: --config maxmemory-policy=allkeys-lru',
      );
    const name = arg.slice(0, equals).trim().toLowerCase();
    if (Object.hasOwn(out, name) && !REPEATABLE.has(name)) {
      throw usageError(`--config ${name} is given twice`, 'keep one of them');
    }
    addDirective(out, name, arg.slice(equals + 1).trim(), `--config ${name}`);
  }
  return out;
}

/**
 * The text of a redis.conf. As in Redis, the last of several values wins, except where a directive is a list.
 * @param file its name, for messages
 * @throws AppError usage with file and line
 */
export function parseConfigFile(text: string, file: string): Record<string, string> {
  const out: Record<string, string> = {};
  text.split(/\r?\n/).forEach((raw, index) => {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) return;
    const [word = ''] = line.split(/\s+/, 1);
    const name = word.toLowerCase();
    if (!REPEATABLE.has(name)) delete out[name];
    addDirective(out, name, line.slice(word.length).trim(), `${file}:${index + 1}: ${name}`);
  });
  return out;
}

/** Directives of a file and of arguments together: an argument replaces what the file says by that name. */
export function mergeDirectives(file: Directives, args: Directives): Record<string, string> {
  return { ...file, ...args };
}

/**
 * Whether people may give this directive.
 * @param where for the message: `--config maxmemory`
 * @throws AppError usage, with what to do instead
 */
export function checkDirective(name: string, value: string, where = `--config ${name}`): void {
  if (!/^[a-z][a-z0-9._-]*$/.test(name))
    throw usageError(`${where}: not the name of a directive`, 'names look like maxmemory-policy');
  const why = refusedBecause(name, value);
  if (why !== null) throw usageError(`${where} can't be set`, why);
  if (hasControlCharacter(value))
    throw usageError(`${where}: a value is one line of printable text`, 'take the line break out');
  if (!hasBalancedQuotes(value))
    throw usageError(`${where}: unbalanced quotes in ${value}`, 'Redis reads "…" with \\" and \\n inside, or \'…\'');
}

function refusedBecause(name: string, value: string): string | null {
  if (Object.hasOwn(REFUSED, name)) return REFUSED[name] ?? null;
  if (name === 'user' && /^["']?default\b/.test(value)) return AUTH;
  return REFUSED_FAMILIES.find(([pattern]) => pattern.test(name))?.[1] ?? null;
}

function addDirective(out: Record<string, string>, name: string, value: string, where: string): void {
  checkDirective(name, value, where);
  const lines = entriesOf(name, value, where);
  const before = out[name];
  // `save ""` forgets what was there, as in Redis.
  const forget = before === undefined || value === '""' || value === '' || !REPEATABLE.has(name);
  out[name] = forget ? lines : `${before}\n${lines}`;
}

/** `900 1 300 10` as lines `900 1` and `300 10`; an empty value as `""`. */
function entriesOf(name: string, value: string, where: string): string {
  const size = WORDS_PER_ENTRY[name];
  if (value === '' || value === '""') {
    if (size === 4) throw usageError(`${where} needs a value`, 'for example: normal 0 0 0');
    return '""';
  }
  if (size === undefined) return value;
  const words = value
    .replace(/^"(.*)"$/, '$1')
    .trim()
    .split(/\s+/);
  if (words.length % size !== 0) {
    throw usageError(
      `${where} takes ${size} words an entry: ${value}`,
      size === 2 ? 'for example: 900 1' : 'for example: normal 0 0 0',
    );
  }
  const lines: string[] = [];
  for (let at = 0; at < words.length; at += size) lines.push(words.slice(at, at + size).join(' '));
  return lines.join('\n');
}

function hasControlCharacter(value: string): boolean {
  return /[^\P{Cc}\t]/u.test(value);
}

/** Whether Redis' own splitter (sdssplitargs) would take it: quotes closed, and followed by a space or the end. */
function hasBalancedQuotes(value: string): boolean {
  const words = /^(?:\s+|"(?:[^"\\]|\\.)*"(?=\s|$)|'(?:[^'\\]|\\.)*'(?=\s|$)|[^\s"']+(?=\s|$))*$/;
  return words.test(value);
}
