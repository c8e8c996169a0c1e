/**
 * CLUSTER SLOTS (https://redis.io/docs/latest/commands/cluster-slots/): an array of `start, end, primary, replica …`, each
 * node being `endpoint, port, id` and, from 7.0 on, a list of further names (`ip`, `hostname`) with their values. Slots
 * that nobody owns are not in it, nor are replicas that have failed.
 */
import { arrayOf, integerOf, tableOf, textOf } from './replies.ts';

export interface SlotsNode {
  readonly nodeId: string;
  /** What clients are told to use: an IP, a hostname, or '' for "the address that you asked". */
  readonly endpoint: string;
  readonly port: number;
  readonly hostname: string | null;
}

export interface SlotsReply {
  readonly start: number;
  readonly end: number;
  readonly primary: SlotsNode;
  readonly replicas: readonly SlotsNode[];
}

const WHAT = 'CLUSTER SLOTS';

/** @throws AppError `bad-reply` when the reply has another form. */
export function parseClusterSlots(reply: unknown): SlotsReply[] {
  return arrayOf(reply, WHAT).map((item) => {
    const [start, end, primary, ...replicas] = arrayOf(item, WHAT);
    return {
      start: integerOf(start),
      end: integerOf(end),
      primary: parseNode(primary),
      replicas: replicas.map(parseNode),
    };
  });
}

function parseNode(item: unknown): SlotsNode {
  const [endpoint, port, nodeId, names] = arrayOf(item, WHAT);
  const table = names === undefined ? new Map<string, unknown>() : tableOf(names, WHAT);
  return {
    nodeId: textOf(nodeId),
    endpoint: textOf(endpoint),
    port: integerOf(port),
    hostname: textOf(table.get('hostname')) || null,
  };
}
