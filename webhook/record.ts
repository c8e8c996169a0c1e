/** ConfigMap NAME-config of a cluster whose pods are injected: made when it is missing, and its table kept complete. */
import type { ClusterRef } from '../pkg/cluster/model/observation.ts';
import { FORMED_KEY, NODES_KEY } from '../pkg/cluster/model/labels.ts';
import type { ClusterSpec } from '../pkg/cluster/model/spec.ts';
import type { KubeObject, KubePort } from '../pkg/engine/ports.ts';
import { untilWon } from '../pkg/engine/races.ts';
import { recordOf } from '../pkg/pod/inject/record.ts';
import { configName } from '../pkg/pod/names.ts';
import { parseNodeTable, renderNodeTable, withNode, type NodeLine } from '../pkg/cluster/model/node-table.ts';

/** What the ConfigMap says. */
export interface ClusterRecord {
  /** null = it is not there. */
  readonly object: KubeObject | null;
  readonly nodes: readonly NodeLine[];
  readonly formed: boolean;
}

type RecordKube = Pick<KubePort, 'get' | 'create' | 'replace'>;

/** As many as pods of a large cluster that are admitted at once. */
const MAX_TRIES = 40;

/** @throws AppError of the API server */
export async function readRecord(kube: RecordKube, cluster: ClusterRef): Promise<ClusterRecord> {
  const object = await kube.get('v1', 'ConfigMap', configName(cluster.name));
  const data = (object?.['data'] ?? {}) as Readonly<Record<string, string>>;
  return { object, nodes: parseNodeTable(data[NODES_KEY] ?? ''), formed: data[FORMED_KEY] === 'true' };
}

/**
 * Sees to it that the table has this line; a table that has it is not written.
 * @throws AppError of the API server; `conflict` when others keep writing
 */
export async function keepRecord(
  kube: RecordKube,
  cluster: ClusterRef,
  line: NodeLine,
  known: { readonly record: ClusterRecord; readonly spec: ClusterSpec | null },
): Promise<void> {
  let seen: ClusterRecord | null = known.record;
  await untilWon(MAX_TRIES, async () => {
    const record = seen ?? (await readRecord(kube, cluster));
    seen = null;
    const nodes = withNode(record.nodes, line);
    if (record.object !== null && renderNodeTable(nodes) === renderNodeTable(record.nodes)) return;
    await (record.object === null
      ? kube.create(recordOf(cluster, nodes, known.spec))
      : kube.replace(withTable(record.object, nodes)));
  });
}

function withTable(object: KubeObject, nodes: readonly NodeLine[]): KubeObject {
  return { ...object, data: { ...(object['data'] as object), [NODES_KEY]: renderNodeTable(nodes) } };
}
