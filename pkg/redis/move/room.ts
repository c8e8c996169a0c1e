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
import { mib } from './need.ts';
import { countIn, sumOf } from './own.ts';
import type { Survey } from './survey.ts';

/**
 * Of slots that are open already some keys are there: they go on as far as they fit, whatever the mean of all keys would have them need.
 *
 * @throws AppError `target-out-of-memory`, with the numbers
 */
export async function checkRoom(context: MoveContext, way: Way, { drain, marked }: Survey): Promise<void> {
  const { target } = context;
  const [info] = await target.ask([['INFO', 'memory']], COMMAND_DEADLINE_MS);
  const max = numberOf(String(info), 'maxmemory') ?? 0;
  const policy = fieldOf(String(info), 'maxmemory_policy') ?? 'noeviction';
  if (max === 0 || (way === 'migrate' && policy === 'noeviction')) return;
  const closed = drain.filter((slot) => !marked.has(slot));
  const coming = sumOf(await countIn(context.source, closed)) * context.weights.meanBytes;
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
