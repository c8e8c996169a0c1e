/** What is worth saying about one node, in a few words each; the sentences of `check` are longer. Pure. */
import type { UnreachableReason } from '../../pkg/cluster/model/observation.ts';
import { countSlots, intersectRanges } from '../../pkg/cluster/model/slots.ts';
import type { ClusterNode, ClusterState, Shard } from '../../pkg/cluster/model/state.ts';
import { nodeNamer, shortId } from '../../pkg/cluster/interpret.ts';
import { whyWritesRefused } from '../../pkg/cluster/check/refused-writes.ts';
import { splitContested } from './slot-summary.ts';
import { age, counted, oneLine } from './format.ts';
import type { Tone } from './paint.ts';

export interface NodeRemark {
  readonly tone: Tone;
  readonly text: string;
}

/** What a person calls a node: its pod, or the short id of one that has none. */
export function nameOfNode(node: ClusterNode): string {
  return node.pod?.name ?? (node.nodeId === null ? 'unknown' : shortId(node.nodeId));
}

/** Remarks on a node; `shard` is the one that it is shown in, null for a node in none. */
export function remarksOn(state: ClusterState, node: ClusterNode, shard: Shard | null): NodeRemark[] {
  const remarks = [
    ...reachRemarks(node),
    ...slotRemarks(state, node),
    ...(shard === null ? [] : shardRemarks(state, node, shard)),
    ...linkRemarks(state, node),
    ...writeRemarks(node),
    ...viewRemarks(state, node),
  ];
  return remarks.map(({ tone, text }) => ({ tone, text: oneLine(text) }));
}

const REACH_WORDS: Readonly<Record<UnreachableReason, string>> = {
  'no-pod': 'no pod',
  'not-running': 'not running',
  'guard-waiting': 'guard waits',
  tunnel: 'no tunnel',
  refused: 'connection refused',
  timeout: 'no answer in time',
  auth: 'password not accepted',
  permission: 'a right is missing',
  loading: 'loading its data',
  'not-cluster': 'not in cluster mode',
  error: 'cannot be asked',
};

/** What did not come in time names itself. */
const TELLS_ITSELF = /^no answer in |^the (tunnel|connection) did not open/;

/** Why a node did not answer, in words. */
export function unreachableInWords(unreachable: { readonly why: UnreachableReason; readonly detail: string }): string {
  const words = REACH_WORDS[unreachable.why];
  const detail = oneLine(unreachable.detail);
  const told = detail.toLowerCase().includes(words) || TELLS_ITSELF.test(detail);
  return detail === '' || told ? detail || words : `${words}: ${detail}`;
}

function reachRemarks(node: ClusterNode): NodeRemark[] {
  if (node.pod === null)
    return [
      { tone: 'bad', text: `no pod has the id ${node.nodeId === null ? '' : shortId(node.nodeId)}${ghostFlags(node)}` },
    ];
  const remarks: NodeRemark[] = [];
  if (node.unreachable !== null) {
    const mild = node.unreachable.why === 'loading' || node.unreachable.why === 'guard-waiting';
    remarks.push({ tone: mild ? 'warn' : 'bad', text: unreachableInWords(node.unreachable) });
  }
  if (node.pod.terminating) remarks.push({ tone: 'warn', text: 'pod is terminating' });
  else if (!node.pod.ready && node.unreachable === null) remarks.push({ tone: 'warn', text: 'pod is not ready' });
  return remarks;
}

function ghostFlags(node: ClusterNode): string {
  const flags = (node.gossip?.flags ?? []).filter((flag) => ['fail', 'fail?', 'handshake', 'noaddr'].includes(flag));
  return flags.length === 0 ? '' : ` (${flags.join(', ')})`;
}

function slotRemarks(state: ClusterState, node: ClusterNode): NodeRemark[] {
  if (node.nodeId === null) return [];
  const nameOf = nodeNamer(state.nodes);
  const remarks: NodeRemark[] = [];
  const outgoing = state.openSlots.filter((open) => open.migratingFrom === node.nodeId);
  const incoming = state.openSlots.filter((open) => open.importingTo === node.nodeId);
  if (outgoing.length > 0) {
    const target = outgoing[0]?.importingTo ?? null;
    remarks.push({
      tone: 'warn',
      text: `${slotWords(outgoing)} open${target === null ? '' : `, migrating to ${nameOf(target)}`}`,
    });
  }
  if (incoming.length > 0) {
    const source = incoming[0]?.migratingFrom ?? null;
    remarks.push({
      tone: 'warn',
      text: `${slotWords(incoming)} open, importing${source === null ? '' : ` from ${nameOf(source)}`}`,
    });
  }
  const contested = splitContested(state).contested.filter(({ ownerIds }) => ownerIds.some((id) => id === node.nodeId));
  if (contested.length > 0) {
    const others = new Set(contested.flatMap(({ ownerIds }) => ownerIds.filter((id) => id !== node.nodeId)));
    const count = countSlots(contested.map(({ range }) => range));
    remarks.push({
      tone: 'bad',
      text: `${counted(count, 'slot')} contested with ${[...others].map(nameOf).join(', ')}`,
    });
  }
  return remarks;
}

function slotWords(open: readonly { readonly slot: number }[]): string {
  return open.length === 1 ? `slot ${open[0]?.slot}` : counted(open.length, 'slot');
}

function shardRemarks(state: ClusterState, node: ClusterNode, shard: Shard): NodeRemark[] {
  const remarks: NodeRemark[] = [];
  const { primary } = shard;
  if (primary !== null && primary !== node && node.host !== null && node.host === primary.host) {
    remarks.push({ tone: 'warn', text: 'on the same host as its primary' });
  }
  if (node.shardLabel !== null && node.shardLabel !== shard.name) {
    remarks.push({ tone: 'warn', text: `its label still says shard ${node.shardLabel}` });
  }
  if (node !== primary) {
    if (node.role === 'primary' && state.formed) {
      const owned = countSlots(intersectRanges(node.slots, shard.slots));
      remarks.push({ tone: 'warn', text: owned > 0 ? 'a second primary' : 'a primary without slots' });
    }
    return remarks;
  }
  const missing =
    (state.desired?.replicas ?? 0) -
    shard.replicas.filter((replica) => replica.role === 'replica' && replica.pod !== null).length;
  if (state.formed && missing > 0) {
    remarks.push({ tone: 'warn', text: missing === 1 ? 'a replica is missing' : `${missing} replicas are missing` });
  } else if (state.formed && shard.slots.length > 0 && shard.replicas.length === 0) {
    remarks.push({ tone: state.desired?.replicas === 0 ? 'dim' : 'warn', text: 'no replica' });
  }
  if (state.formed && shard.slots.length === 0) remarks.push({ tone: 'warn', text: 'owns no slots' });
  return remarks;
}

function linkRemarks(state: ClusterState, node: ClusterNode): NodeRemark[] {
  if (node.reply?.kind !== 'answered' || node.role !== 'replica') return [];
  const { info } = node.reply.answer;
  const primary = state.nodes.find((other) => other.nodeId !== null && other.nodeId === node.primaryId);
  const remarks: NodeRemark[] = [];
  if (info.syncInProgress) remarks.push({ tone: 'warn', text: 'copying from its primary' });
  else if (info.primaryLinkUp === false) {
    const since = info.primaryLinkDownSeconds;
    remarks.push({
      tone: 'bad',
      text: `link to primary down${since === null || since < 0 ? '' : ` for ${age(since)}`}`,
    });
  }
  if (primary?.role === 'replica') remarks.push({ tone: 'warn', text: `follows the replica ${nameOfNode(primary)}` });
  return remarks;
}

/** As far as INFO tells; what configuration adds to it, only `check` and `status` know. */
function writeRemarks({ reply, slots }: ClusterNode): NodeRemark[] {
  const refused = reply?.kind === 'answered' && slots.length > 0 ? whyWritesRefused(reply.answer) : null;
  return refused === null ? [] : [{ tone: 'bad', text: `refuses writes (${refused.error})` }];
}

function viewRemarks(state: ClusterState, node: ClusterNode): NodeRemark[] {
  if (node.nodeId === null || node.reply?.kind !== 'answered') return [];
  const remarks: NodeRemark[] = [];
  const { clusterInfo } = node.reply.answer;
  if (state.formed && clusterInfo.state === 'fail') remarks.push({ tone: 'bad', text: 'says cluster_state:fail' });
  const group = state.views.findIndex(({ nodeIds }) => nodeIds.some((id) => id === node.nodeId));
  if (state.formed && group > 0) remarks.push({ tone: 'warn', text: 'sees the cluster differently' });
  return remarks;
}

/** The worst of them decides the colour of the cell. */
export function worstTone(remarks: readonly NodeRemark[]): Tone {
  const rank: readonly Tone[] = ['bad', 'warn', 'dim'];
  return rank.find((tone) => remarks.some((remark) => remark.tone === tone)) ?? 'plain';
}
