/**
 * Whether a primary that answers and says `cluster_state:ok` refuses every write: a full volume (MISCONF), a full memory that evicts
 * nothing (OOM), too few replicas in step (NOREPLICAS). It can be read, and no failover follows. Without the sentences of `check`: views
 * and planners need the decision alone.
 */
import type { NodeAnswer } from '../model/observation.ts';

export interface WritesRefused {
  /** What is short. A full memory takes no keys and may give some away; the others may do neither. */
  readonly kind: 'disk' | 'memory' | 'replicas';
  /** How the server's replies to writes begin. */
  readonly error: 'MISCONF' | 'OOM' | 'NOREPLICAS';
  readonly why: string;
}

/** null for a replica, and where nothing that is known speaks against writes. */
export function whyWritesRefused({ info, config }: Pick<NodeAnswer, 'info' | 'config'>): WritesRefused | null {
  const { writes } = info;
  if (writes === undefined || info.role !== 'primary') return null;
  const misconf = (why: string): WritesRefused => ({ kind: 'disk', error: 'MISCONF', why });
  if (info.aofEnabled && !writes.aofWriteOk) return misconf('it can not write its append-only file');
  // (Redis looks at the last snapshot only where it is to make any.)
  const stops = config?.['stop-writes-on-bgsave-error'] === 'yes' && (config['save'] ?? '') !== '';
  if (!writes.snapshotOk && stops) return misconf('its last snapshot failed, and stop-writes-on-bgsave-error is set');
  return memoryRefuses(info) ?? tooFewReplicas(config, writes.goodReplicas);
}

function memoryRefuses({ writes, ...info }: NodeAnswer['info']): WritesRefused | null {
  const policy = info.maxMemoryPolicy ?? 'noeviction';
  const used = info.usedMemoryBytes - (writes?.uncountedMemoryBytes ?? 0);
  if (info.maxMemoryBytes === 0 || used <= info.maxMemoryBytes) return null;
  const nothingToEvict = policy.startsWith('volatile-') && writes?.expiringKeys === 0;
  if (policy !== 'noeviction' && !nothingToEvict) return null;
  const evicts = nothingToEvict ? `${policy} finds no key with an expiry` : 'noeviction drops no key';
  return {
    kind: 'memory',
    error: 'OOM',
    why: `it uses ${mebibytes(used)} of a maxmemory of ${mebibytes(info.maxMemoryBytes)}, and ${evicts}`,
  };
}

function tooFewReplicas(config: NodeAnswer['config'], good: number | null): WritesRefused | null {
  const wanted = Number(config?.['min-replicas-to-write'] ?? 0);
  if (good === null || !(good < wanted)) return null;
  const why = `${good} of the ${wanted} replicas that min-replicas-to-write asks for are in step`;
  return { kind: 'replicas', error: 'NOREPLICAS', why };
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
