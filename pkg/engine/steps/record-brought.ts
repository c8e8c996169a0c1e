/**
 * What injected pods mount and announce: ConfigMap NAME-config and a Service each. The webhook makes them when it admits a
 * pod, and writes to them at any time; after `inject -f` nobody has, and they are made here.
 */
import { interpret } from '../../cluster/interpret.ts';
import type { ClusterRef, KubeFacts, Observation, ServiceFacts } from '../../cluster/model/observation.ts';
import { BUDGETS_KEY, FORMED_KEY, NODE_LABEL, NODES_KEY } from '../../cluster/model/labels.ts';
import { nodeName } from '../../cluster/model/spec.ts';
import { broughtTable, injectedPods, ordinalOf } from '../../cluster/plan/brought.ts';
import { recordOf, serviceOf } from '../../pod/inject/record.ts';
import { configName } from '../../pod/names.ts';
import { parseNodeTable } from '../../cluster/model/node-table.ts';
import type { KubeObject, KubePort } from '../ports.ts';
import { untilWon } from '../races.ts';
import { protectBrought } from './protect-brought.ts';

const MAX_TRIES = 10;
type Kube = Pick<KubePort, 'get' | 'list' | 'replace' | 'create' | 'apply'>;

/**
 * Makes what injected pods lack, and writes the table of nodes and, where `formed`, that the cluster was formed; that is
 * never taken back. Pods that were not injected have no guard, and nothing is made for them.
 * @throws AppError of the API server; `conflict` when others keep writing
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
    const config = await kube.get('v1', 'ConfigMap', configName(cluster.name));
    const data = (config?.['data'] ?? {}) as Record<string, string>;
    const facts: KubeFacts = { ...observation.kube, services, config: config === null ? null : data };
    const table = broughtTable(interpret({ ...observation, kube: facts }), facts);
    // Last of all, because what it says is not looked for again.
    const isFormed = data[FORMED_KEY] === 'true';
    const budgets = isFormed ? await protectBrought(kube, cluster, facts, table) : data[BUDGETS_KEY];
    const kept = budgets === undefined ? {} : { [BUDGETS_KEY]: budgets };
    await write(kube, cluster, config, { ...data, [NODES_KEY]: table, ...kept }, formed || isFormed);
  });
}

async function write(
  kube: Kube,
  cluster: ClusterRef,
  config: KubeObject | null,
  data: Record<string, string>,
  formed: boolean,
): Promise<void> {
  if (config !== null) {
    await kube.replace({ ...config, data: { ...data, [FORMED_KEY]: String(formed) } });
    return;
  }
  const made = recordOf(cluster, parseNodeTable(data[NODES_KEY] ?? ''));
  await kube.create({ ...made, data: { ...(made['data'] as object), [FORMED_KEY]: String(formed) } });
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
