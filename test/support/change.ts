/** Changes what is there, as a person does beside controllers that write the same objects all the while. */
import type { KubeObject, KubePort } from '../../pkg/engine/ports.ts';
import { untilWon } from '../../pkg/engine/races.ts';
import type { ClusterEnv } from './cluster-env.ts';

const MAX_TRIES = 20;

/** Reads, changes and writes it, again while somebody else was quicker. @throws {Error} when it is not there */
export async function changeObject(
  kube: KubePort,
  [apiVersion, kind, name]: readonly [string, string, string],
  change: (object: KubeObject) => KubeObject,
): Promise<void> {
  await untilWon(MAX_TRIES, async () => {
    const object = await kube.get(apiVersion, kind, name);
    if (object === null) throw new Error(`no ${kind} ${name}`);
    await kube.replace(change(object));
  });
}

/** Every StatefulSet of the cluster, as `kubectl scale -l` does. */
export async function scaleSets(
  { kube, client, namespace }: ClusterEnv,
  cluster: string,
  replicas: number,
): Promise<void> {
  for (const { metadata } of await kube.list('apps/v1', 'StatefulSet', {
    selector: `kubectl-redis.io/cluster=${cluster}`,
  }))
    await client.json({
      method: 'PATCH',
      path: `/apis/apps/v1/namespaces/${namespace}/statefulsets/${metadata.name}/scale`,
      contentType: 'application/merge-patch+json',
      body: { spec: { replicas } },
      asked: { verb: 'patch', resource: 'statefulsets/scale', namespace, name: metadata.name },
      repeatable: true,
    });
}

/** Takes a Service away and gives its address to one of somebody else, which leads to nobody. */
export async function takeAddress(kube: KubePort, service: string, clusterIP: string): Promise<void> {
  await kube.remove('v1', 'Service', service);
  const spec = { clusterIP, selector: { app: 'else' }, ports: [{ port: 80 }] };
  await kube.create({ apiVersion: 'v1', kind: 'Service', metadata: { name: `not-${service}` }, spec });
}
