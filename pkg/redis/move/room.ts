/**
 * Whether the target has room for what comes. A server that moves slots by itself does not care for its limit, and one with
 * an eviction policy would take the keys and throw others away: both must be known before. Where MIGRATE meets a server that
 * evicts nothing, the server itself says when it is full, and nothing is lost. This is an estimate, for what would clearly not fit is
 * best not begun; that no key is lost, fit.ts sees to, key by key.
 */
import { AppError, EXIT } from '../../errors.ts';
import { fieldOf, numberOf } from '../parse/fields.ts';
import type { Way } from './capability.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { MoveContext } from './context.ts';
import { mib } from './fit.ts';
import { countKeys } from './own.ts';
import type { Survey } from './survey.ts';

/** @throws AppError `target-out-of-memory`, with the numbers */
export async function checkRoom(context: MoveContext, way: Way, { drain }: Survey): Promise<void> {
  await checkRoomFor(context, way, async () => {
    const counts = await context.source.send(countKeys(drain), COMMAND_DEADLINE_MS);
    return counts.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0);
  });
}

/** @param countComing is asked only where it matters. @throws AppError `target-out-of-memory` */
export async function checkRoomFor(context: MoveContext, way: Way, countComing: () => Promise<number>): Promise<void> {
  const { target } = context;
  const [info] = await target.ask([['INFO', 'memory']], COMMAND_DEADLINE_MS);
  const max = numberOf(String(info), 'maxmemory') ?? 0;
  const policy = fieldOf(String(info), 'maxmemory_policy') ?? 'noeviction';
  if (max === 0 || (way === 'migrate' && policy === 'noeviction')) return;
  const coming = (await countComing()) * context.weights.meanBytes;
  const free = max - (numberOf(String(info), 'used_memory') ?? 0);
  if (coming === 0 || coming <= free) return;
  throw new AppError(
    `${target.end.pod.name} has no room: ${mib(coming)} would come, ${mib(free)} of ${mib(max)} are free`,
    {
      code: 'target-out-of-memory',
      exitCode: EXIT.refused,
      cause: new Error(
        policy === 'noeviction' ? 'It would take more than its limit' : `It would evict keys (${policy})`,
      ),
      hint: 'Nothing was moved by this run. Give it more memory (maxmemory) or a smaller share, then run the same command again',
    },
  );
}
