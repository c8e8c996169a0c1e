/**
 * Valkey from 9.0 on may have several databases in a cluster (cluster-databases). MIGRATE takes the keys of the one that it names, and
 * COUNTKEYSINSLOT counts those of the one that is selected: what the others hold would be left behind, and deleted with the slot.
 */
import { AppError, EXIT } from '../../errors.ts';
import { keysByDatabase, keysOfAll } from '../../cluster/wire/keyspace.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import { mustAll, type NodeLine } from './node-line.ts';

/** @throws AppError `other-databases` where the node holds keys that MIGRATE would not move */
export async function refuseOtherDatabases(line: NodeLine): Promise<void> {
  const replies = await line.ask([['INFO', 'keyspace']], COMMAND_DEADLINE_MS);
  mustAll(line, replies, 'a question for its databases');
  refuseDatabases(line, String(replies[0]));
}

/** @param info INFO keyspace. @throws AppError as refuseOtherDatabases */
export function refuseDatabases(line: NodeLine, info: string): void {
  const keys = keysOfAll(info) - (keysByDatabase(info).get(0) ?? 0);
  if (keys === 0) return;
  throw new AppError(`${line.end.pod.name} holds ${keys} keys in databases other than 0, which MIGRATE does not move`, {
    code: 'other-databases',
    exitCode: EXIT.refused,
    hint: 'Nothing of these slots was moved. Servers of Valkey 9 move all databases by themselves: without --max-bandwidth, and where no slot is open',
  });
}
