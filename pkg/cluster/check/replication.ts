/** Each replica follows a primary that owns slots, at its address, with the link up and little lag (I8). */
import { addressesOfPod } from '../interpret/identity.ts';
import { failoverCommand } from '../model/failover-command.ts';
import type { Problem } from '../model/problem.ts';
import type { ClusterNode } from '../model/state.ts';
import { LAG_LIMIT_BYTES } from '../evidence/candidates.ts';
import { copyAnew } from '../evidence/copy-anew.ts';
import { incompletePrimaries, keysLacking, type IncompletePrimary } from '../evidence/lacking-keys.ts';
import { keysInWords } from '../model/loss.ts';
import type { Member } from '../evidence/members.ts';
import type { Check, CheckContext } from './context.ts';
import { makeProblem } from './wording.ts';

/** As long as a pod may take to come back: its replicas have no link meanwhile. */
const LONGEST_START_SECONDS = 45;

const ADDRESS_CODES = new Set(['address-mismatch', 'address-unknown']);

export const checkReplication: Check = (context, found) => {
  const moved = new Set(found.filter((one) => ADDRESS_CODES.has(one.code)).flatMap((one) => one.nodes));
  const replicas = context.answered.filter(({ node }) => node.role === 'replica');
  return [
    ...replicas.flatMap((replica) => checkReplica(context, replica, moved)),
    ...incompletePrimaries(context.state).map((one) => primaryIncomplete(context, one)),
  ];
};

function primaryIncomplete({ state, nameOf }: CheckContext, { primary, holder, lacks }: IncompletePrimary): Problem {
  const [lead, has] = [nameOf(primary), nameOf(holder)];
  const sentence = `${lead} leads with ${keysInWords(primary.keys)}, and ${has}, which follows it and has heard no more, has ${lacks.toLocaleString('en-US')} more.`;
  const repair = `${failoverCommand(state.cluster, holder)} lets it lead. Until then restart no pod of the shard: whoever copies ${lead} anew drops them.`;
  return makeProblem('primary-incomplete', state.cluster.name, { sentence, nodes: [lead], repair });
}

function checkReplica(context: CheckContext, replica: Member, moved: ReadonlySet<string>): readonly Problem[] {
  const primary = replica.node.primaryId === null ? undefined : context.byId.get(replica.node.primaryId);
  if (primary === undefined || isForgotten(context, primary)) return [orphan(context, replica, primary)];
  if (primary.role === 'replica') return [chain(context, replica, primary)];
  // The primary's own problem is the root of these.
  if (context.isDown(primary) || primary.pod === null || moved.has(context.nameOf(primary))) return [];
  return checkLink(context, replica, primary);
}

/**
 * An id without a pod, a slot or a living process; or one that nobody else remembers. Else, with slots it is `slots-without-node`,
 * with a missing pod `pod-missing`.
 */
function isForgotten(context: CheckContext, primary: ClusterNode): boolean {
  if (context.forgotten.has(primary.nodeId ?? '')) return true;
  const known = context.missing.some((one) => one.node === primary);
  return primary.pod === null && primary.slots.length === 0 && !known;
}

function orphan(context: CheckContext, { pod, node, answer }: Member, primary: ClusterNode | undefined): Problem {
  const whom = primary === undefined ? (node.primaryId ?? '').slice(0, 8) : context.nameOf(primary);
  const sentence = `${pod} follows ${whom === '' ? 'nobody' : `${whom}, which is gone`}; it holds ${answer.info.keys} keys.`;
  const repair = `If nobody else has these keys: ${context.redisCli(pod, 'CLUSTER FAILOVER TAKEOVER')}. Else CLUSTER REPLICATE a living primary, which wipes them.`;
  return makeProblem('replica-orphaned', context.state.cluster.name, { sentence, nodes: [pod], repair });
}

function chain(context: CheckContext, { pod }: Member, primary: ClusterNode): Problem {
  const sentence = `${pod} follows ${context.nameOf(primary)}, which is a replica itself.`;
  const repair = context.redisCli(pod, `CLUSTER REPLICATE ${primary.primaryId ?? 'ID-OF-THE-PRIMARY'}`);
  return makeProblem('replica-chain', context.state.cluster.name, { sentence, nodes: [pod], repair });
}

function checkLink(context: CheckContext, replica: Member, primary: ClusterNode): readonly Problem[] {
  const { pod, nodeId, node, answer } = replica;
  const { info } = answer;
  const cluster = context.state.cluster.name;
  const name = context.nameOf(primary);
  if (dialsElsewhere(context, replica, primary)) {
    const sentence = `${pod} dials ${info.primaryHost ?? ''} for its primary ${name}, which is at ${primary.announced ?? 'another address'}.`;
    const repair = context.redisCli(pod, `CLUSTER REPLICATE ${primary.nodeId ?? ''}`);
    return [makeProblem('replica-dials-stale-address', cluster, { sentence, nodes: [pod], repair })];
  }
  if (info.primaryLinkUp === false) {
    if (info.syncInProgress)
      return [makeProblem('replica-syncing', cluster, { sentence: `${pod} is copying ${name}.`, nodes: [pod] })];
    // (One that was down for long before its primary started was not cut by that.)
    const isLong = (info.primaryLinkDownSeconds ?? 0) > LONGEST_START_SECONDS;
    if (!isLong && (context.isFresh(nodeId) || context.isFresh(primary.nodeId ?? ''))) return [];
    const since = info.primaryLinkDownSeconds === null ? '' : ` for ${info.primaryLinkDownSeconds} s`;
    const sentence = `${pod} has had no connection to its primary ${name}${since}.`;
    const repair = `It dials again after repl-timeout. If it stays: ${context.kubectl(`logs ${pod}`)}`;
    return [makeProblem('replica-link-down', cluster, { sentence, nodes: [pod], repair })];
  }
  const lacks = primary.reply?.kind === 'answered' ? keysLacking(info, [primary.reply.answer.info]) : 0;
  if (lacks > 0) {
    const sentence = `${pod} has ${keysInWords(info.keys)}, ${lacks.toLocaleString('en-US')} fewer than its primary ${name}, and is not behind.`;
    const repair = copyAnew(context.state, pod);
    return [makeProblem('replica-incomplete', cluster, { sentence, nodes: [pod], repair })];
  }
  if (node.lagBytes === null || node.lagBytes <= LAG_LIMIT_BYTES) return [];
  const sentence = `${pod} is ${Math.round(node.lagBytes / 1024 / 1024)} MiB behind its primary ${name}.`;
  return [makeProblem('replica-lags', cluster, { sentence, nodes: [pod] })];
}

/** An address that leads to another node, or to nobody we know while the link is down. Host names cannot be judged. */
function dialsElsewhere(context: CheckContext, replica: Member, primary: ClusterNode): boolean {
  const { primaryHost, primaryLinkUp } = replica.answer.info;
  const { kube } = context.observation;
  if (primaryHost === null || !/^[0-9a-f:.]+$|^\?$/i.test(primaryHost) || primary.pod === null) return false;
  const own = [
    ...addressesOfPod(primary.pod, kube),
    primary.gossip?.ip,
    context.gossip.majorityLines.get(primary.nodeId ?? '')?.ip,
  ];
  if (own.includes(primaryHost)) return false;
  const others = context.state.nodes.some(
    (node) =>
      node !== primary && node.gossip?.ip === primaryHost && node.gossip.port === replica.answer.info.primaryPort,
  );
  return primaryLinkUp === false || others;
}
