/** One cluster for each test that moves the same slots from server 0 to server 1, and what such tests ask of it. */
import { afterEach } from '@jest/globals';
import type { MoveLimits, MoveProgress, RedisCommand } from '../../../pkg/engine/ports.ts';
import { AppError } from '../../../pkg/errors.ts';
import { must } from '../../support/form-cluster.ts';
import { fill, keysIn, startMoveCluster } from '../../support/move-cluster.ts';
import type { MoveCluster, MoveClusterOptions } from '../../support/move-cluster.ts';

export const RANGE = { start: 0, end: 199 };
const ALL = { start: 0, end: 16383 };
export let cluster: MoveCluster;
afterEach(async () => {
  await cluster.stop();
});

export async function start(binary: string, options: Partial<MoveClusterOptions> = {}): Promise<void> {
  cluster = await startMoveCluster({ masters: 1, empty: 1, nodeTimeoutMs: 3000, ...options, binary });
}

export function run(
  limits: MoveLimits,
  options: { onProgress?: (progress: MoveProgress) => void; signal?: AbortSignal; source?: number } = {},
): Promise<MoveProgress> {
  const move = cluster.move(options.source ?? 0, 1, [RANGE]);
  const signal = options.signal ?? new AbortController().signal;
  return cluster.port.mover.move(move, limits, options.onProgress ?? (() => undefined), signal);
}

export function load(count: number, valueOf?: (key: string) => RedisCommand): Promise<void> {
  return fill(cluster.port, [{ server: cluster.server(0), slots: [ALL] }], keysIn([RANGE], count), valueOf);
}

export function at(index: number, ...commands: RedisCommand[]): Promise<readonly unknown[]> {
  return must(cluster.port, cluster.server(index), commands);
}

export async function codeOf(moving: Promise<unknown>): Promise<string> {
  const error: unknown = await moving.then(
    () => new AppError('', { code: 'done' }),
    (reason: unknown) => reason,
  );
  if (error instanceof AppError) return error.code;
  throw error;
}
