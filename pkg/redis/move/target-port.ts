/**
 * The port of the target that the source sends keys to. A source that talks TLS with other nodes (tls-cluster) does so for MIGRATE as
 * well; but whoever asks it in plain text is told the others' ports for plain text, and so are we.
 */
import { isWireList } from '../wire.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { MoveContext } from './context.ts';
import type { NodeLine } from './node-line.ts';

/** The announced port, where the source talks in plain text or can't be asked. */
export async function portForKeys({ source, target }: Pick<MoveContext, 'source' | 'target'>): Promise<number> {
  const { port } = target.end;
  if ((await configOf(source, 'tls-cluster')) !== 'yes') return port;
  const announced = Number(await configOf(target, 'cluster-announce-tls-port'));
  const own = Number(await configOf(target, 'tls-port'));
  return [announced, own].find((candidate) => candidate > 0) ?? port;
}

/** Null where there is no such directive, or it may not be asked for. */
async function configOf(line: NodeLine, name: string): Promise<string | null> {
  const [reply] = await line.send([['CONFIG', 'GET', name]], COMMAND_DEADLINE_MS);
  return isWireList(reply) && reply[1] !== undefined ? reply[1].toString() : null;
}
