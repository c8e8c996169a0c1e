/**
 * A pod that may not use more memory than its limit, and a server that does not know: the kernel kills it when it gets there. A
 * LimitRange of the namespace gives such limits, after the configuration was written.
 */
import { MEMORY_SHARE } from '../evidence/eviction.ts';
import type { Member } from '../evidence/members.ts';
import type { Check } from './context.ts';
import { listNames, makeProblem } from './wording.ts';

export const checkMemoryLimits: Check = ({ state, answered }) => {
  const groups = new Map<string, Member[]>();
  for (const one of answered) {
    const limit = one.node.pod?.container.memoryLimitBytes;
    const max = one.answer.info.maxMemoryBytes;
    if (limit === undefined || (max > 0 && max < limit)) continue;
    const key = `${limit} ${max}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()].map((some) => {
    const [first] = some;
    const limit = first?.node.pod?.container.memoryLimitBytes ?? 0;
    const max = first?.answer.info.maxMemoryBytes ?? 0;
    const names = some.map(({ pod }) => pod);
    const has = max === 0 ? 'no maxmemory' : `a maxmemory of ${mebibytes(max)}, which is not below it`;
    const many = names.length > 1;
    const sentence = `${listNames(names)} may use ${mebibytes(limit)} of memory${many ? ' each' : ''} and ${many ? 'have' : 'has'} ${has}: the kernel kills a server that gets there.`;
    const value = Math.floor(limit * MEMORY_SHARE);
    const repair =
      state.origin === 'ours'
        ? `kubectl redis restart NAME --config maxmemory=${value} sets it on all nodes, without a restart.`
        : `CONFIG SET maxmemory ${value} on each of them, also in their configuration; or give the pods a higher limit.`;
    return makeProblem('maxmemory-missing', state.cluster.name, { sentence, nodes: names, repair });
  });
};

function mebibytes(bytes: number): string {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}
