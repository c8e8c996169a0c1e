/** The table of nodes in ConfigMap NAME-state, which guard and probes read: lines `N NODE-NAME ADDRESS SHARD`, `-` for unknown. */
import { nodeName, ordinalsOf, shardOf, type ClusterSpec } from './spec.ts';

export interface NodeLine {
  readonly ordinal: number;
  /** NAME-N: its Service. */
  readonly node: string;
  /** What it announces; null = not known yet. */
  readonly address: string | null;
  /** null = not chosen yet. */
  readonly shard: string | null;
}

/** By N, one line each. */
export function renderNodeTable(lines: readonly NodeLine[]): string {
  return [...lines]
    .sort((a, b) => a.ordinal - b.ordinal)
    .map(({ ordinal, node, address, shard }) => `${ordinal} ${node} ${address ?? '-'} ${shard ?? '-'}\n`)
    .join('');
}

/**
 * The nodes of the spec.
 * @param addresses ClusterIP by ordinal; where there is none, a node keeps what was recorded: its Service may come back
 */
export function nodeLines(
  spec: ClusterSpec,
  addresses: ReadonlyMap<number, string>,
  recorded: readonly NodeLine[] = [],
): NodeLine[] {
  const before = new Map(recorded.map((line) => [line.ordinal, line.address]));
  return ordinalsOf(spec).map((ordinal) => ({
    ordinal,
    node: nodeName(spec.cluster.name, ordinal),
    address: addresses.get(ordinal) ?? before.get(ordinal) ?? null,
    shard: shardOf(spec, ordinal),
  }));
}

/** What is no line of the table is left out: people may have edited it. */
export function parseNodeTable(text: string): NodeLine[] {
  return text.split('\n').flatMap((line) => {
    const [n = '', node = '', address = '-', shard = '-'] = line.trim().split(/\s+/);
    if (!/^[0-9]{1,6}$/.test(n) || node === '') return [];
    return [{ ordinal: Number(n), node, address: unlessDash(address), shard: unlessDash(shard) }];
  });
}

/** The table with this line in place of an earlier one of its N; what the new one does not know is kept. */
export function withNode(lines: readonly NodeLine[], line: NodeLine): NodeLine[] {
  const before = lines.find(({ ordinal }) => ordinal === line.ordinal);
  const merged = {
    ...line,
    address: line.address ?? before?.address ?? null,
    shard: line.shard ?? before?.shard ?? null,
  };
  return [...lines.filter(({ ordinal }) => ordinal !== line.ordinal), merged];
}

function unlessDash(word: string): string | null {
  return word === '-' ? null : word;
}
