/** Which of the three ways both ends of a move can go. */
import type { MoveContext } from './context.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import { targetEvicts } from './fit.ts';
import type { NodeLine } from './node-line.ts';

/**
 * `import`: CLUSTER MIGRATION IMPORT at the target, Redis from 8.4 on. `export`: CLUSTER MIGRATESLOTS at the source, Valkey
 * from 9.0 on. Both move many slots at once with one change of owner, and clients notice a write pause of milliseconds.
 */
export type Way = 'import' | 'export' | 'migrate';

const SUBCOMMANDS = ['cluster|migration', 'cluster|migrateslots'] as const;

export async function chooseWay(context: MoveContext): Promise<Way> {
  const { source, target, limits } = context;
  // Only MIGRATE can be made to go slowly.
  if (limits.maxBandwidth !== null) return 'migrate';
  // And only with MIGRATE each key is weighed before it goes: servers that move slots by themselves take all, and throw others away.
  if (await targetEvicts(context)) return 'migrate';
  const [atSource, atTarget] = await Promise.all([knownOf(source), knownOf(target)]);
  if (atSource[0] === true && atTarget[0] === true) return 'import';
  return atSource[1] === true && atTarget[1] === true ? 'export' : 'migrate';
}

/** Whether it knows each of the subcommands. One that may not be asked knows none. */
async function knownOf(line: NodeLine): Promise<readonly boolean[]> {
  const [reply] = await line.ask([['COMMAND', 'INFO', ...SUBCOMMANDS]], COMMAND_DEADLINE_MS);
  // Before 7.0 a name with | is the name of no command.
  return Array.isArray(reply) ? reply.map((info) => Array.isArray(info) && info.length > 0) : [];
}
