/**
 * Which directives a server takes while it runs (CONFIG SET). Those that no server does are listed; of all others the server itself is
 * asked, and what it refuses as fixed is changed by a restart.
 */
import type { Directives } from './config-directives.ts';

/** Read once, at the start, by every version. */
const FIXED: ReadonlySet<string> = new Set([
  'always-show-logo',
  'aof-rewrite-cpulist',
  'bgsave-cpulist',
  'bio-cpulist',
  'databases',
  'disable-thp',
  'enable-debug-command',
  'enable-module-command',
  'enable-protected-configs',
  'ignore-warnings',
  'io-threads-do-reads',
  'loadmodule',
  'rdbchecksum',
  'server-cpulist',
  'set-proc-title',
  'socket-mark-id',
  'tcp-backlog',
  'user',
]);

/** Names of those that can be tried on a running server. */
export function liveNames(directives: Directives): string[] {
  return Object.entries(directives).flatMap(([name, value]) =>
    FIXED.has(name) || liveText(value) === null ? [] : [name],
  );
}

/** A value of redis.conf as CONFIG SET takes it: lines in one, quotes around all of it gone; null for quotes within. */
export function liveText(value: string): string | null {
  const text = /^"[^"\\]*"$/.test(value) ? value.slice(1, -1) : value.replaceAll('\n', ' ');
  return /["'\\]/.test(text) ? null : text;
}
