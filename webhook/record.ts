/**
 * The record of a cluster whose pods are injected: ConfigMap NAME-state, made when it is missing, with a table that is kept complete; and
 * NAME-config, which the pods mount, too.
 */
import { CLUSTER_LABEL } from '../pkg/cluster/model/labels.ts';
import type { ClusterRef } from '../pkg/cluster/model/observation.ts';
import { renderNodeTable, withNode, type NodeLine } from '../pkg/cluster/model/node-table.ts';
import { recordOf, type ClusterRecord, type RecordFacts } from '../pkg/cluster/model/record.ts';
import type { KubeObject, KubePort } from '../pkg/engine/ports.ts';
import { untilWon } from '../pkg/engine/races.ts';
import { dataOf, readState, writeState } from '../pkg/engine/steps/keep-state.ts';
import { AppError } from '../pkg/errors.ts';
import { configFor } from '../pkg/pod/inject/record.ts';
import { configName } from '../pkg/pod/names.ts';

/** What is there. */
export interface SeenRecord {
  /** NAME-state; null = it is not there. */
  readonly object: KubeObject | null;
  readonly hasConfig: boolean;
  readonly record: ClusterRecord;
}

type RecordKube = Pick<KubePort, 'get' | 'list' | 'create' | 'replace'>;

/** As many as pods of a large cluster that are admitted at once. */
const MAX_TRIES = 40;

/** @throws AppError `name-taken`; of the API server */
export async function readRecord(kube: RecordKube, cluster: ClusterRef): Promise<SeenRecord> {
  const [object, config, service] = await Promise.all([
    readState(kube, cluster),
    kube.get('v1', 'ConfigMap', configName(cluster.name)),
    kube.get('v1', 'Service', cluster.name),
  ]);
  const facts: RecordFacts = {
    state: object === null ? null : dataOf(object),
    config: config === null ? null : dataOf(config),
    services: service?.metadata.labels?.[CLUSTER_LABEL] === cluster.name ? [factsOf(service)] : [],
    statefulSets: [],
  };
  return { object, hasConfig: config !== null, record: recordOf(facts, cluster) };
}

/**
 * Sees to it that the table has this line, and that there is a NAME-config; what says so already is not written.
 * @param known what was read a moment ago
 * @throws AppError of the API server; `conflict` when others keep writing
 */
export async function keepRecord(
  kube: RecordKube,
  cluster: ClusterRef,
  line: NodeLine,
  known: SeenRecord,
): Promise<void> {
  let seen: SeenRecord | null = known;
  await untilWon(MAX_TRIES, async () => {
    const { object, hasConfig, record } = seen ?? (await readRecord(kube, cluster));
    seen = null;
    if (!hasConfig) await kube.create(configFor(cluster, record.spec)).catch(unlessThere);
    const nodes = withNode(record.nodes, line);
    if (object !== null && renderNodeTable(nodes) === renderNodeTable(record.nodes)) return;
    const isNew = object === null && record.formed !== true && (await isNewCluster(kube, cluster, record));
    await writeState(kube, cluster, object, record, isNew ? { formed: false, nodes } : { nodes });
  });
}

/**
 * Whether it can be said that the cluster was never formed. What NAME-config says of it counts: nobody prints that object for pods that are
 * injected. Where nothing is said, a pod that serves, or a Service that is older, may be of a cluster whose record was deleted: `create`
 * decides then.
 */
async function isNewCluster(kube: RecordKube, cluster: ClusterRef, { formed }: ClusterRecord): Promise<boolean> {
  if (formed === false) return true;
  const selector = `${CLUSTER_LABEL}=${cluster.name}`;
  const [pods, services] = await Promise.all([
    kube.list('v1', 'Pod', { selector }),
    kube.list('v1', 'Service', { selector }),
  ]);
  return !pods.some(isReady) && !services.some(isOld);
}

/** Services of nodes are made with the first pods: one that was there before is of a cluster whose record is gone. */
const NEW_FOR_MS = 60_000;

function isOld({ metadata }: KubeObject): boolean {
  const at = metadata['creationTimestamp'];
  return typeof at === 'string' && Date.parse(at) < Date.now() - NEW_FOR_MS;
}

function isReady(pod: KubeObject): boolean {
  const { conditions = [] } = (pod['status'] ?? {}) as {
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[];
  };
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

/** Another admission was quicker. */
function unlessThere(error: unknown): void {
  if (!(error instanceof AppError) || error.code !== 'already-exists') throw error;
}

function factsOf({ metadata }: KubeObject): RecordFacts['services'][number] {
  const { name, labels = {}, annotations = {} } = metadata;
  return { name, clusterIP: '', selector: {}, labels, annotations, ports: [], publishNotReadyAddresses: false };
}
