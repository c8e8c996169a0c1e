/** ConfigMap NAME-config of injected pods: the webhook or `inject -f` made it, and the webhook writes to it at any time. */
import { interpret } from '../../cluster/interpret.ts';
import type { ClusterRef, Observation } from '../../cluster/model/observation.ts';
import { FORMED_KEY, NODES_KEY } from '../../cluster/model/labels.ts';
import { broughtTable } from '../../cluster/plan/brought.ts';
import { AppError } from '../../errors.ts';
import { configName } from '../../pod/names.ts';
import type { KubePort } from '../ports.ts';

const MAX_TRIES = 10;

/**
 * Writes the table of nodes and, where `formed`, that the cluster was formed; that is never taken back. Pods without the
 * ConfigMap have no guard, and nothing is written for them.
 * @throws AppError of the API server; `conflict` when others keep writing
 */
export async function recordBrought(
  kube: Pick<KubePort, 'get' | 'replace'>,
  cluster: ClusterRef,
  observation: Observation,
  formed: boolean,
): Promise<void> {
  for (let tries = 1; ; tries++) {
    const config = await kube.get('v1', 'ConfigMap', configName(cluster.name));
    if (config === null) return;
    const data = (config['data'] ?? {}) as Record<string, string>;
    const isFormed = formed || data[FORMED_KEY] === 'true';
    const facts = { ...observation.kube, config: data };
    const table = broughtTable(interpret({ ...observation, kube: facts }), facts);
    try {
      await kube.replace({ ...config, data: { ...data, [NODES_KEY]: table, [FORMED_KEY]: String(isFormed) } });
      return;
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'conflict' || tries === MAX_TRIES) throw error;
    }
  }
}
