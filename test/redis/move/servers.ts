/** The servers that moves are tried on: redis-server from the PATH, and those of $REDIS_SERVER_EXTRA that can more. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { MoveLimits } from '../../../pkg/engine/ports.ts';
import { POLITE } from '../../support/move-cluster.ts';

export interface Binary {
  readonly name: string;
  readonly server: string;
  readonly cli: string;
  /** Whether it moves slots by itself: Redis from 8.4 on, Valkey from 9.0 on. */
  readonly atomic: boolean;
}

const SYSTEM = binaryOf(process.env['REDIS_SERVER'] ?? 'redis-server', 'redis-cli');

/** The system's server first. */
export const BINARIES: readonly Binary[] = [
  ...(SYSTEM === null ? [] : [SYSTEM]),
  ...(process.env['REDIS_SERVER_EXTRA'] ?? '')
    .split(':')
    .filter((dir) => dir !== '')
    .flatMap((dir) => {
      const product = existsSync(join(dir, 'valkey-server')) ? 'valkey' : 'redis';
      return binaryOf(join(dir, `${product}-server`), join(dir, `${product}-cli`)) ?? [];
    }),
];

/** Servers that move slots by themselves can't be slowed down, so a limit makes them MIGRATE. */
export const BY_MIGRATE: MoveLimits = { maxPauseMs: 10, maxBandwidth: 1e12 };

export const CASES = BINARIES.flatMap((binary) => [
  { ...binary, way: 'MIGRATE', limits: BY_MIGRATE },
  ...(binary.atomic ? [{ ...binary, way: 'atomic', limits: POLITE }] : []),
]);

function binaryOf(server: string, cli: string): Binary | null {
  try {
    const [, product = '', version = ''] =
      /^(\w+) server v=(\S+)/i.exec(execFileSync(server, ['--version']).toString()) ?? [];
    const [major = 0, minor = 0] = version.split('.').map(Number);
    const atomic = product === 'Valkey' ? major >= 9 : major > 8 || (major === 8 && minor >= 4);
    return { name: `${product} ${version}`, server, cli, atomic };
  } catch {
    return null;
  }
}
