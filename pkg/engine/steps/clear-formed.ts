/** Takes back that the cluster was formed: only for one whose volumes are all lost, after consent. */
import { FORMED_KEY } from '../../cluster/model/labels.ts';
import { configName } from '../../pod/names.ts';
import type { KubePort } from '../ports.ts';
import { untilWon } from '../races.ts';

const MAX_TRIES = 10;

/** @throws AppError of the API server */
export async function clearFormed(kube: Pick<KubePort, 'get' | 'replace'>, cluster: string): Promise<void> {
  await untilWon(MAX_TRIES, async () => {
    const config = await kube.get('v1', 'ConfigMap', configName(cluster));
    if (config === null) return;
    await kube.replace({ ...config, data: { ...(config['data'] as object), [FORMED_KEY]: 'false' } });
  });
}
