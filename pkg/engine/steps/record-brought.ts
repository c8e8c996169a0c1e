/**
 * What injected pods mount and announce: ConfigMaps NAME-config and NAME-state, and a Service each. The webhook makes them when it admits a
 * pod, and writes to them at any time; after `inject -f` nobody has, and they are made here.
 */
import { interpret } from '../../cluster/interpret.ts';
import { isAllEmpty } from '../../cluster/interpret/formed.ts';
import type { ClusterRef, KubeFacts, Observation, ServiceFacts } from '../../cluster/model/observation.ts';
import { NODE_LABEL } from '../../cluster/model/labels.ts';
import { nodeName } from '../../cluster/model/spec.ts';
import { injectedPods, ordinalOf } from '../../cluster/interpret/injected.ts';
import { broughtTable } from '../../cluster/plan/brought.ts';
import { oldKeys, type OldRecord } from '../../pod/config-map.ts';
import { configFor, serviceOf } from '../../pod/inject/record.ts';
import { configName } from '../../pod/names.ts';
import { parseNodeTable } from '../../cluster/model/node-table.ts';
import { needsOldRecord, recordOf, type ClusterRecord } from '../../cluster/model/record.ts';
import type { KubeObject, KubePort } from '../ports.ts';
import { untilWon } from '../races.ts';
import { dataOf, readState, writeState } from './keep-state.ts';
import { protectBrought } from './protect-brought.ts';

const MAX_TRIES = 10;
type Kube = Pick<KubePort, 'get' | 'list' | 'replace' | 'create' | 'apply'>;

/**
 * Makes what injected pods lack, and writes the table of nodes and, where `formed`, that the cluster was formed; that is
 * never taken back. Pods that were not injected have no guard, and nothing is made for them.
 * @throws AppError of the API server; `name-taken`; `conflict` when others keep writing
 */
export async function recordBrought(
  kube: Kube,
  cluster: ClusterRef,
  observation: Observation,
  formed: boolean,
): Promise<void> {
  if (injectedPods(observation.kube).length === 0) return;
  const services = [...observation.kube.services, ...(await makeServices(kube, cluster, observation.kube))];
  await untilWon(MAX_TRIES, async () => {
    const [config, object] = await Promise.all([
      kube.get('v1', 'ConfigMap', configName(cluster.name)),
      readState(kube, cluster),
    ]);
    const held = {
      config: config === null ? null : dataOf(config),
      state: object === null ? null : dataOf(object),
    };
    const facts: KubeFacts = { ...observation.kube, services, ...held };
    const record = recordOf(facts, cluster);
    const state = interpret({ ...observation, kube: facts });
    const table = broughtTable(state, facts);
    // Last of all, because what it says is not looked for again.
    const budgets = record.formed === true ? await protectBrought(kube, cluster, facts, table) : record.budgets;
    const nodes = parseNodeTable(table);
    const mark = formed || state.formed || (isNew(record, facts, observation) ? false : null);
    const marked = mark === null ? {} : { formed: mark };
    await writeState(kube, cluster, object, record, { ...marked, nodes, ...(budgets === null ? {} : { budgets }) });
    await writeConfig(kube, facts, config, { cluster, formed: mark, nodes });
  });
}

/** Whether it is certain that the cluster was never formed. Nobody prints a NAME-config of these clusters, so its word counts. */
function isNew(record: ClusterRecord, facts: KubeFacts, { replies }: Observation): boolean {
  return record.formed === false || isAllEmpty(facts, new Map(replies.map(({ pod, reply }) => [pod, reply])));
}

/** NAME-config with a copy of the record where pods know no other place. */
async function writeConfig(
  kube: Kube,
  facts: KubeFacts,
  config: KubeObject | null,
  { cluster, ...copy }: OldRecord & { readonly cluster: ClusterRef },
): Promise<void> {
  const old = needsOldRecord(facts) ? copy : null;
  if (config === null) await kube.create(configFor(cluster, null, old));
  else if (old !== null) await kube.replace({ ...config, data: { ...dataOf(config), ...oldKeys(old) } });
}

async function makeServices(kube: Kube, cluster: ClusterRef, facts: KubeFacts): Promise<ServiceFacts[]> {
  const there = new Set(facts.services.map(({ name }) => name));
  const made: ServiceFacts[] = [];
  for (const pod of injectedPods(facts)) {
    const n = ordinalOf(cluster.name, pod);
    if (n === null || there.has(nodeName(cluster.name, n))) continue;
    const service = await kube.create(serviceOf(cluster, n, pod.labels[NODE_LABEL] === undefined ? pod.name : null));
    made.push(factsOf(service));
  }
  return made;
}

function factsOf(service: KubeObject): ServiceFacts {
  const spec = (service['spec'] ?? {}) as { readonly clusterIP?: string; readonly selector?: Record<string, string> };
  const { name, labels = {}, annotations = {} } = service.metadata;
  const { clusterIP = '', selector = {} } = spec;
  return { name, clusterIP, selector, labels, annotations, ports: [], publishNotReadyAddresses: true };
}
