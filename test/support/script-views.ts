/** Answers of nodes as the guard's scripts read them, and what the scripts make of them. */
import { runPiece } from './script-words.ts';

export const NOW = 1_700_000_000;
const idOf = (letter: string): string => letter.repeat(40);
export const [X, P, Q, R, G, Y] = ['1', '2', '3', '4', '7', '6'].map(idOf) as [
  string,
  string,
  string,
  string,
  string,
  string,
];

/** Runs it with these files below the run directory, and gives its words. */
export const run = (shell: readonly string[], script: string, files: Readonly<Record<string, string>>): string[] =>
  runPiece({ shell, load: ['common', 'volume', 'heir', 'guard'], script: `my_id=-; ${script}`, files }).split(' ');

/** A line of CLUSTER NODES, last heard so many seconds ago; 0 = never. */
const line = (id: string, ip: string, flags: string, more: string, heardAgo = 1): string =>
  `${id} ${ip === '' ? ':0@0' : `${ip}:6379@16379`} ${flags} ${more.startsWith('-') || more.length > 40 ? more : `- ${more}`}`.replace(
    'PONG',
    String(heardAgo === 0 ? 0 : (NOW - heardAgo) * 1000),
  );
export const primary = (id: string, ip: string, slots: string, flags = 'master', heardAgo = 1): string =>
  line(id, ip, flags, `- 0 PONG 1 ${/fail/.test(flags) ? 'disconnected' : 'connected'} ${slots}`.trimEnd(), heardAgo);
export const replica = (id: string, ip: string, of: string, flags = 'slave', heardAgo = 1): string =>
  line(id, ip, flags, `${of} 0 PONG 1 ${/fail/.test(flags) ? 'disconnected' : 'connected'}`, heardAgo);
export const view = (...lines: readonly string[]): string =>
  [NOW, '0', 'uptime_in_seconds:1000', ...lines, `answered_at:${NOW}`, ''].join('\n');
export const TABLE = ['2 10.0.0.2', '3 10.0.0.3', '4 10.0.0.4', '6 10.0.0.6', '7 10.0.0.7', ''].join('\n');
