/** Takes back that the cluster was formed: only for one whose volumes are all lost, after consent. */
import { CLEARED_KEY, FORMED_KEY } from '../../cluster/model/labels.ts';
import type { ClusterRef } from '../../cluster/model/observation.ts';
import type { RecordFacts } from '../../cluster/model/record.ts';
import { configName } from '../../pod/names.ts';
import type { KubePort } from '../ports.ts';
import { untilWon } from '../races.ts';
import { dataOf, keepState } from './keep-state.ts';

const MAX_TRIES = 10;

/** @throws AppError of the API server */
export async function clearFormed(
  kube: Pick<KubePort, 'get' | 'create' | 'replace'>,
  cluster: ClusterRef,
  facts: RecordFacts,
  now: number,
): Promise<void> {
  const clearedAt = new Date(now).toISOString();
  // The copy first: as long as anything says that the cluster was formed, it counts as formed.
  await untilWon(MAX_TRIES, async () => {
    const config = await kube.get('v1', 'ConfigMap', configName(cluster.name));
    const data = dataOf(config);
    if (config === null || data[FORMED_KEY] === undefined) return;
    await kube.replace({ ...config, data: { ...data, [FORMED_KEY]: 'false', [CLEARED_KEY]: clearedAt } });
  });
  await keepState(kube, cluster, facts, { clearedAt });
}
