/** For how long a move of slots keeps clients waiting, in words. Pure. */
import { evictsBy } from '../../pkg/cluster/evidence/eviction.ts';
import type { ClusterNode, ClusterState } from '../../pkg/cluster/model/state.ts';
import type { ServerInfo } from '../../pkg/cluster/model/observation.ts';
import { dataBytes } from '../../pkg/cluster/plan/scale-outline.ts';
import type { MoveLimits } from '../../pkg/engine/ports.ts';
import { aloneFromBytes, aloneMs } from '../../pkg/redis/move/big-key.ts';
import { USUAL_IO_MS } from '../../pkg/redis/move/migrate-command.ts';
import { age, bytes } from './format.ts';

const EXAMPLE_BYTES = 100 * 2 ** 20;

/** No key is named: only asking each of them for its size would tell, and that costs a tenth of moving them. */
export function pausesInWords({ nodes }: Pick<ClusterState, 'nodes'>, limits: MoveLimits): string {
  const owners = nodes.filter((node) => node.slots.length > 0);
  const infos = owners.flatMap(({ reply }) => (reply?.kind === 'answered' ? [reply.answer.info] : []));
  if (limits.maxBandwidth === null && infos.length > 0 && infos.every(movesByItself) && !owners.some(evicts))
    return 'the servers move slots by themselves; writes to them wait for some milliseconds when the owner changes';
  const alone = aloneFromBytes(limits.maxPauseMs);
  const usual = `a primary answers nobody for at most ${limits.maxPauseMs}ms at a time while the target of its slots answers, and for about ${USUAL_IO_MS / 1000}s if that falls silent`;
  if (owners.every(({ reply }) => dataBytes(reply) <= alone)) return usual;
  const example = `about ${age(Math.ceil(aloneMs(EXAMPLE_BYTES) / 1000))} for ${bytes(EXAMPLE_BYTES)}B`;
  return `${usual}; a key of more than ${bytes(alone)}B goes alone and takes as long as it takes, ${example}`;
}

/** Then keys are weighed before they go, and only MIGRATE waits for that. */
function evicts(node: ClusterNode): boolean {
  return evictsBy(node) !== null;
}

/** Whether the mover can leave it to servers of that version; it asks each of them before it does. */
function movesByItself({ product, version }: ServerInfo): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return product === 'valkey' ? major >= 9 : major > 8 || (major === 8 && minor >= 4);
}
