/**
 * Shards that are led with data of an earlier time, because a person had a node start with what was left. Nothing that serves shows what is
 * lacking; the node alone knows it, and tells it until somebody confirms.
 */
import { formatRanges } from '../model/slots.ts';
import { readLoaded } from '../wire/loaded.ts';
import type { Check } from './context.ts';
import { makeProblem } from './wording.ts';

const USUAL_DIR = '/var/lib/redis';

export const checkOlderData: Check = ({ state, answered, kubectl }) =>
  answered.flatMap(({ pod, node, answer }) => {
    const loaded = readLoaded(answer.config?.['proc-title-template']);
    // A replica that has not been seen to lead with it copies another one, and will say so at its next probe.
    if (loaded === null || !(loaded.led || (node.role === 'primary' && node.slots.length > 0))) return [];
    const whose = node.role === 'primary' ? `to slots ${formatRanges(node.slots)}` : 'to its shard, which it led then,';
    const [data, start] = [timeOf(loaded.dataAt), timeOf(loaded.startedAt)];
    const sentence = `${pod} was started at ${start} with data of ${data}, because somebody had it start with that: what was written ${whose} between the two is not there.`;
    const file = `${answer.config?.['dir'] ?? USUAL_DIR}/.kubectl-redis.loaded`;
    const repair = `If a backup or a volume that was set aside has more, bring that in. This says that you know it, and is read within seconds: ${kubectl(`exec ${pod} -- rm ${file}`)}.`;
    return [makeProblem('older-data-loaded', state.cluster.name, { sentence, nodes: [pod], repair })];
  });

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}
