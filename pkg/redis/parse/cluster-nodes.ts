/**
 * CLUSTER NODES, one line a node (https://redis.io/docs/latest/commands/cluster-nodes/):
 *
 *     id address flags primary ping-sent pong-received config-epoch link-state [slot …]
 *
 * The address grew over the years: `ip:port` (3.x), `ip:port@bus` (4.0), `ip:port@bus,hostname` (7.0), and with further
 * `,name=value` after the hostname (7.2, Valkey). An IPv6 address has no brackets, so the port is what follows the last
 * colon before the `@`.
 *
 * Three hundred nodes that describe three hundred nodes are 90,000 lines, of which a few hundred differ in more than the
 * two timestamps. So a parser remembers the lines that it knows and gives the same frozen object for the same text:
 * that costs two comparisons a line, and views that agree share their memory.
 */
import { AppError } from '../../errors.ts';
import type { GossipNode } from '../../cluster/model/observation.ts';
import { SLOT_COUNT, normalizeRanges } from '../../cluster/model/slots.ts';

export type ClusterNodesParser = (text: string) => GossipNode[];

type Address = Pick<GossipNode, 'ip' | 'port' | 'busPort' | 'hostname' | 'shardId'>;
type Slots = Pick<GossipNode, 'slots' | 'migrating' | 'importing'>;
type OpenSlotMark =
  | { readonly way: 'to'; readonly slot: number; readonly nodeId: string }
  | { readonly way: 'from'; readonly slot: number; readonly nodeId: string };

/** A line that was parsed before: everything before the two timestamps, and everything after them. */
interface KnownLine {
  readonly head: string;
  readonly tail: string;
  readonly node: GossipNode;
}

const NODE_ID = /^[0-9a-f]{40}$/;
const NODE_ID_LENGTH = 40;
const OPEN_SLOT = /^\[(\d+)-([<>])-([0-9a-f]{40})\]$/;
/** What a server adds to the client port when it is not told a bus port (CLUSTER_PORT_INCR). */
const BUS_PORT_OFFSET = 10_000;
/**
 * A process that watches a cluster for months must not remember all that it ever saw. While slots move, a node's line is a
 * new one at every look; at any one time, few lines of it are in use (by itself, by others, by those who are late).
 */
const MAX_LINES_PER_NODE = 8;
const MAX_KNOWN_NODES = 4096;
const NONE: readonly never[] = Object.freeze([]);
const NO_SLOTS: Slots = { slots: NONE, migrating: NONE, importing: NONE };

/** A parser that remembers lines; use one for all the nodes of a cluster. See {@link parseClusterNodes}. */
export function createClusterNodesParser(): ClusterNodesParser {
  const known = new Map<string, KnownLine[]>();

  const parseAndRemember = (line: string): GossipNode | null => {
    // A copy: a piece of the reply would keep the whole reply in memory.
    const own = Buffer.from(line).toString();
    const parsed = parseLine(own);
    if (parsed === null) return null;
    const lines = known.get(parsed.node.nodeId);
    if (lines !== undefined) {
      if (lines.length === MAX_LINES_PER_NODE) lines.shift();
      lines.push(parsed);
    } else {
      if (known.size === MAX_KNOWN_NODES) known.clear();
      known.set(parsed.node.nodeId, [parsed]);
    }
    return parsed.node;
  };

  return (text) => {
    const nodes: GossipNode[] = [];
    let start = 0;
    while (start < text.length) {
      const lineFeed = text.indexOf('\n', start);
      let end = lineFeed === -1 ? text.length : lineFeed;
      if (text.charCodeAt(end - 1) === 13) end--;
      const lines = known.get(text.slice(start, start + NODE_ID_LENGTH));
      const node = recall(lines, text, start, end) ?? (end > start ? parseAndRemember(text.slice(start, end)) : null);
      if (node !== null) nodes.push(node);
      start = lineFeed === -1 ? text.length : lineFeed + 1;
    }
    if (nodes.length === 0) throw nothingParsed(text);
    return nodes;
  };
}

/**
 * The nodes of one CLUSTER NODES reply, in its order. The lines of nodes.conf parse too; its `vars` line is skipped, as is
 * every line that makes no sense, because one odd line must not hide the others.
 *
 * @throws AppError `bad-reply` when no line at all parses: then it is not a reply to CLUSTER NODES.
 */
export function parseClusterNodes(text: string): GossipNode[] {
  return createClusterNodesParser()(text);
}

/** The node of a line that differs from a known one in its timestamps only. */
function recall(lines: readonly KnownLine[] | undefined, text: string, start: number, end: number): GossipNode | null {
  if (lines === undefined) return null;
  for (const { head, tail, node } of lines) {
    if (!text.startsWith(head, start)) continue;
    const pong = text.indexOf(' ', start + head.length) + 1;
    const after = text.indexOf(' ', pong);
    if (pong > 0 && after !== -1 && end - after === tail.length && text.startsWith(tail, after)) return node;
  }
  return null;
}

function parseLine(line: string): KnownLine | null {
  const fields = line.split(' ');
  const [nodeId, where, flagList, primary, pingSent, pongReceived, epoch, link] = fields;
  if (nodeId === undefined || where === undefined || flagList === undefined || primary === undefined) return null;
  if (pingSent === undefined || pongReceived === undefined || epoch === undefined || link === undefined) return null;
  const address = parseAddress(where);
  const configEpoch = Number(epoch);
  if (!NODE_ID.test(nodeId) || address === null || epoch === '' || !Number.isInteger(configEpoch)) return null;
  const flags = flagList.split(',');
  const role = roleOf(flags);
  const node: GossipNode = {
    nodeId,
    ...address,
    flags: Object.freeze(flags),
    role,
    primaryId: role !== 'primary' && NODE_ID.test(primary) ? primary : null,
    configEpoch,
    linkUp: link === 'connected',
    ...parseSlots(fields.slice(8)),
  };
  const head = `${nodeId} ${where} ${flagList} ${primary} `;
  const tail = line.slice(head.length + pingSent.length + 1 + pongReceived.length);
  return { head, tail, node: Object.freeze(node) };
}

function roleOf(flags: readonly string[]): GossipNode['role'] {
  if (flags.includes('master')) return 'primary';
  return flags.includes('slave') ? 'replica' : 'unknown';
}

/** `10.0.0.1:6379@16379,redis-1.example,shard-id=…`; null when it has no port. */
export function parseAddress(text: string): Address | null {
  const [endpoint = '', ...rest] = text.split(',');
  const at = endpoint.lastIndexOf('@');
  const colon = endpoint.lastIndexOf(':', at === -1 ? endpoint.length : at);
  if (colon === -1) return null;
  const port = portOf(endpoint.slice(colon + 1, at === -1 ? undefined : at));
  if (port === null) return null;
  const busPort = at === -1 ? (port === 0 ? 0 : port + BUS_PORT_OFFSET) : portOf(endpoint.slice(at + 1));
  if (busPort === null) return null;
  const [first = ''] = rest;
  const hostname = first === '' || first.includes('=') ? null : first;
  const shardId = rest.find((item) => item.startsWith('shard-id='))?.slice('shard-id='.length);
  return { ip: endpoint.slice(0, colon), port, busPort, hostname, shardId: shardId === undefined ? null : shardId };
}

/** Zero to 75535, for the default bus port of a client port may lie beyond 65535; null when it is no number. */
function portOf(text: string): number | null {
  return /^\d{1,5}$/.test(text) ? Number(text) : null;
}

/** `0-5460`, `7`, `[93->-id]` (leaves this node), `[77-<-id]` (comes to it). What is none of these is skipped. */
function parseSlots(tokens: readonly string[]): Slots {
  if (tokens.length === 0) return NO_SLOTS;
  const ranges: { start: number; end: number }[] = [];
  const migrating: GossipNode['migrating'][number][] = [];
  const importing: GossipNode['importing'][number][] = [];
  for (const token of tokens) {
    const open = parseOpenSlot(token);
    if (open?.way === 'to') migrating.push(Object.freeze({ slot: open.slot, toNodeId: open.nodeId }));
    else if (open?.way === 'from') importing.push(Object.freeze({ slot: open.slot, fromNodeId: open.nodeId }));
    else {
      const range = parseRange(token);
      if (range !== null) ranges.push(range);
    }
  }
  return {
    slots: ranges.length === 0 ? NONE : Object.freeze(normalizeRanges(ranges).map((range) => Object.freeze(range))),
    migrating: migrating.length === 0 ? NONE : Object.freeze(migrating),
    importing: importing.length === 0 ? NONE : Object.freeze(importing),
  };
}

function parseOpenSlot(token: string): OpenSlotMark | null {
  const match = OPEN_SLOT.exec(token);
  if (match === null) return null;
  const [, digits = '', arrow, nodeId = ''] = match;
  const slot = Number(digits);
  return slot < SLOT_COUNT ? { way: arrow === '>' ? 'to' : 'from', slot, nodeId } : null;
}

function parseRange(token: string): { start: number; end: number } | null {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(token);
  if (match === null) return null;
  const start = Number(match[1]);
  const end = match[2] === undefined ? start : Number(match[2]);
  return start <= end && end < SLOT_COUNT ? { start, end } : null;
}

function nothingParsed(text: string): AppError {
  const line = /^\s*(.*)/.exec(text)?.[1]?.trimEnd() ?? '';
  const shown = line.length > 80 ? `${line.slice(0, 80)}…` : line;
  return new AppError('The reply to CLUSTER NODES makes no sense', {
    code: 'bad-reply',
    cause: new Error(shown === '' ? 'it is empty' : `its first line is: ${shown}`),
    hint: 'Check that the port belongs to Redis or Valkey and not to a proxy.',
  });
}
