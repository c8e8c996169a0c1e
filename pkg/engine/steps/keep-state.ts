/**
 * ConfigMap NAME-state is written here and nowhere else: by compare-and-swap, so that this tool, the webhook and a second laptop lose
 * nothing of each other's; and never over an object of that name that is somebody else's.
 */
import { isDeepStrictEqual } from 'node:util';
import { CLUSTER_LABEL, NAMESPACE_KEY } from '../../cluster/model/labels.ts';
import type { ClusterRef } from '../../cluster/model/observation.ts';
import { recordOf, type ClusterRecord, type RecordFacts } from '../../cluster/model/record.ts';
import { changedState, type StateChange } from '../../cluster/model/state-data.ts';
import { refusal } from '../../errors.ts';
import { stateName } from '../../pod/names.ts';
import { stateMap } from '../../pod/state-map.ts';
import type { KubeObject, KubePort } from '../ports.ts';
import { untilWon } from '../races.ts';

const MAX_TRIES = 20;

export type StateKube = Pick<KubePort, 'get' | 'create' | 'replace'>;
type StringMap = Readonly<Record<string, string>>;

/**
 * @param facts what was observed: what it says of the record fills what NAME-state lacks
 * @throws AppError `name-taken`; of the API server; `conflict` when others keep writing
 */
export async function keepState(
  kube: StateKube,
  cluster: ClusterRef,
  facts: RecordFacts,
  change: StateChange,
): Promise<void> {
  await untilWon(MAX_TRIES, async () => {
    const object = await readState(kube, cluster);
    await writeState(kube, cluster, object, recordOf(facts, cluster), change);
  });
}

/** One try. @param object as `readState` found it */
export async function writeState(
  kube: Pick<KubePort, 'create' | 'replace'>,
  cluster: ClusterRef,
  object: KubeObject | null,
  record: ClusterRecord,
  change: StateChange,
): Promise<void> {
  const now = object === null ? null : dataOf(object);
  const changed = changedState(now, record, change);
  // A table that is written anew names the addresses of this namespace; until then a copied record says whose it is.
  const data =
    now === null || change.nodes !== undefined ? { ...changed, [NAMESPACE_KEY]: cluster.namespace } : changed;
  if (object === null) await kube.create(stateMap(cluster, data));
  else if (!isDeepStrictEqual(now, data)) await kube.replace({ ...object, data });
}

/** @throws AppError `name-taken` where an object of that name is somebody else's */
export async function readState(
  kube: Pick<KubePort, 'get'>,
  { name, namespace }: ClusterRef,
): Promise<KubeObject | null> {
  const object = await kube.get('v1', 'ConfigMap', stateName(name));
  if (object === null || object.metadata.labels?.[CLUSTER_LABEL] === name) return object;
  throw refusal(
    'name-taken',
    `ConfigMap ${stateName(name)} is there already and belongs to something else`,
    `Choose another name; or, if it is the record of ${name} and has lost its label: kubectl label configmap ${stateName(name)} ${CLUSTER_LABEL}=${name} -n ${namespace}. kubectl get configmap ${stateName(name)} -n ${namespace} -o yaml shows what it is`,
  );
}

export function dataOf(object: KubeObject | null): StringMap {
  return (object?.['data'] ?? {}) as StringMap;
}
