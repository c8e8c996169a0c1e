/** Runs moves in a process of its own, which the test kills. Arguments: a file with {moves, limits}. */
import { readFileSync } from 'node:fs';
import type { MoveLimits, SlotMove } from '../../../pkg/engine/ports.ts';
import { createRedisPort } from '../../../pkg/redis/connect.ts';
import { createDirectDialer } from '../../../pkg/redis/dial-direct.ts';

const { moves, limits } = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as {
  readonly moves: readonly SlotMove[];
  readonly limits: MoveLimits;
};
const redis = createRedisPort({ dial: createDirectDialer(), credentials: () => Promise.resolve(null) });
const { signal } = new AbortController();
await Promise.all(moves.map((move) => redis.mover.move(move, limits, () => undefined, signal)));
redis.close();
