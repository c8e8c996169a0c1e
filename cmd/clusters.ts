/** Which cluster is meant, and what to say when there is none of that name. */
import type { KubeFacts } from '../pkg/cluster/model/observation.ts';
import type { ClusterRef } from '../pkg/cluster/model/observation.ts';
import { CLUSTER_LABEL, NODE_LABEL } from '../pkg/cluster/model/labels.ts';
import type { ListedCluster } from '../pkg/engine/ports.ts';
import { AppError, EXIT, usageError } from '../pkg/errors.ts';
import type { Session } from './deps.ts';
import { nearest } from './suggest.ts';
import { listed } from './view/format.ts';

/** What Kubernetes accepts as a name: letters, digits, dots and dashes. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

/** @throws {AppError} usage error for what can't be a name. */
export function checkName(name: string): string {
  if (NAME.test(name)) return name;
  throw usageError(
    `${JSON.stringify(name)} is not a name of a cluster`,
    'a name is made of lower case letters, digits and dashes',
  );
}

/** The named cluster, or the only one of the namespace. Whether a named one exists is seen when it is read. */
export async function chooseCluster(session: Session, name: string | undefined): Promise<ClusterRef> {
  const { namespace } = session;
  if (name !== undefined) return { namespace, name: checkName(name) };
  const clusters = await session.kube.listClusters(namespace);
  const [only] = clusters;
  if (only === undefined) {
    await refuseMissingNamespace(session);
    throw new AppError(`there is no Redis Cluster in namespace ${namespace}`, {
      code: 'cluster-not-found',
      hint: `make one: kubectl redis create redis -n ${namespace}; or look everywhere: kubectl redis list -A`,
    });
  }
  if (clusters.length > 1) {
    throw usageError(
      `namespace ${namespace} has ${clusters.length} clusters: ${namesOf(clusters)}`,
      'name one of them',
    );
  }
  return { namespace, name: only.name };
}

/** The cluster of a pod or a node: the named one, else what its pod's label says, else the only one of the namespace. */
export async function clusterOfPod(session: Session, typed: string, name: string | undefined): Promise<ClusterRef> {
  if (name !== undefined) return chooseCluster(session, name);
  const pods = await session.kube.list('v1', 'Pod', { selector: CLUSTER_LABEL });
  const pod = pods.find(({ metadata }) => metadata.name === typed || metadata.labels?.[NODE_LABEL] === typed);
  try {
    return await chooseCluster(session, pod?.metadata.labels?.[CLUSTER_LABEL]);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'cluster-not-found') throw error;
    // One that others made may be in no list, and is found by its name all the same.
    throw new AppError(
      `no label says which Redis Cluster ${typed} is of, and none is listed in namespace ${session.namespace}`,
      {
        code: error.code,
        hint: `say it: --cluster NAME; or look everywhere: kubectl redis list -A`,
      },
    );
  }
}

/** Whether anything of it is there. A Service of the same name that is somebody else's does not count. */
export function exists({ name }: ClusterRef, facts: KubeFacts): boolean {
  const labelled = [...facts.services, ...facts.statefulSets];
  return (
    facts.pods.length > 0 || facts.config !== null || labelled.some(({ labels }) => labels[CLUSTER_LABEL] === name)
  );
}

/** @returns what a verb calls with the facts that it read anyway. Its promise rejects with AppError `cluster-not-found` */
export function mustExist(session: Session, cluster: ClusterRef): (facts: KubeFacts) => Promise<void> {
  return async (facts) => {
    if (!exists(cluster, facts)) throw await notFound(session, cluster);
  };
}

/** The error for a cluster that is not there: names those that are, here or in other namespaces. */
export async function notFound(session: Session, { namespace, name }: ClusterRef): Promise<AppError> {
  await refuseMissingNamespace(session);
  const here = await orNone(session.kube.listClusters(namespace));
  const elsewhere = (await orNone(session.kube.listClusters(null))).filter(
    (cluster) => cluster.name === name && cluster.namespace !== namespace,
  );
  return new AppError(`there is no Redis Cluster ${name} in namespace ${namespace}`, {
    code: 'cluster-not-found',
    exitCode: EXIT.failed,
    hint: hintFor(name, namespace, here, elsewhere),
  });
}

function hintFor(
  name: string,
  namespace: string,
  here: readonly ListedCluster[],
  elsewhere: readonly ListedCluster[],
): string {
  if (elsewhere.length > 0)
    return `it is in namespace ${listed(elsewhere.map((cluster) => cluster.namespace))}: add -n`;
  if (here.length === 0) return `there is none at all; make one: kubectl redis create ${name} -n ${namespace}`;
  const names = here.map((cluster) => cluster.name);
  const meant = nearest(name, names);
  return meant === null
    ? `name one of those that are there: ${namesOf(here)}`
    : `did you mean ${meant}? Those that are there: ${namesOf(here)}`;
}

function namesOf(clusters: readonly ListedCluster[]): string {
  return listed(
    clusters.map((cluster) => cluster.name),
    10,
  );
}

/** A namespace that is not there looks like an empty one to every list. */
async function refuseMissingNamespace({ kube, namespace }: Session): Promise<void> {
  // Without the right to look, it is taken to be there.
  const found = await kube.get('v1', 'Namespace', namespace).catch(() => undefined);
  if (found !== null) return;
  throw new AppError(`namespace ${namespace} does not exist`, {
    code: 'namespace-not-found',
    hint: 'choose another with -n; see which there are: kubectl get namespaces',
  });
}

/** An error message must not fail for lack of rights. */
async function orNone(clusters: Promise<readonly ListedCluster[]>): Promise<readonly ListedCluster[]> {
  try {
    return await clusters;
  } catch {
    return [];
  }
}
