/** Primaries that refuse writes (refused-writes.ts says why), and nodes that would. */
import type { NodeAnswer } from '../model/observation.ts';
import type { ClusterNode } from '../model/state.ts';
import type { Member } from '../evidence/members.ts';
import type { Check, CheckContext } from './context.ts';
import { growVolume, volumeWords } from './grow-volume.ts';
import { whyWritesRefused, type WritesRefused } from './refused-writes.ts';
import { makeProblem, slotsText } from './wording.ts';

export const checkWrites: Check = (context) =>
  context.answered.flatMap((one) => {
    const refused = whyWritesRefused(one.answer);
    if (refused !== null && one.node.slots.length > 0) return [writesRefused(context, one, refused)];
    const fails = failingWrites(one.answer);
    return fails === null ? [] : [diskFails(context, one, fails)];
  });

function writesRefused(
  context: CheckContext,
  { pod, node }: Member,
  refused: WritesRefused,
): ReturnType<typeof makeProblem> {
  const { name } = context.state.cluster;
  const sentence = `${pod}, a primary, refuses writes (${refused.error}: ${refused.why}${refused.kind === 'disk' ? volumeWords(context, pod) : ''}): ${slotsText(node.slots)} can be read, not written.`;
  const repair = repairOf(context, node, refused);
  return makeProblem('writes-refused', name, { sentence, nodes: [pod], slots: node.slots, repair });
}

function repairOf(context: CheckContext, node: ClusterNode, { kind }: WritesRefused): string {
  switch (kind) {
    case 'disk':
      return growVolume(context, node);
    case 'memory':
      return 'Spread the keys over more primaries (kubectl redis scale NAME --masters N), delete some, or raise maxmemory, with the memory limit of the pods above it.';
    case 'replicas':
      return `Bring its replicas back (kubectl redis nodes NAME shows their links). To take writes without them: ${context.redisCli(node.pod?.name ?? '', 'CONFIG SET min-replicas-to-write 0')}`;
    default:
      return kind satisfies never;
  }
}

/** What a node can't write that does not stop it yet: a replica's log, a rewrite, a snapshot. */
function failingWrites({ info }: NodeAnswer): string | null {
  const { writes } = info;
  if (writes === undefined) return null;
  if (info.aofEnabled && !writes.aofWriteOk) return 'write its append-only file';
  if (info.aofEnabled && !writes.aofRewriteOk) return 'rewrite its append-only file, which grows on';
  return writes.snapshotOk ? null : 'write its last snapshot';
}

function diskFails(context: CheckContext, { pod, node }: Member, what: string): ReturnType<typeof makeProblem> {
  const sentence = `${pod}, a ${node.role}, could not ${what}${volumeWords(context, pod)}.`;
  const repair = growVolume(context, node);
  return makeProblem('disk-write-fails', context.state.cluster.name, { sentence, nodes: [pod], repair });
}
