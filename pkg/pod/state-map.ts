/**
 * ConfigMap NAME-state: what tool and pods must remember of a cluster, and nobody keeps in Git. No printed manifest holds it, so nothing
 * that is applied again takes it back. It is written by compare-and-swap alone (pkg/engine/steps/keep-state.ts).
 *
 * | key           | says                                                                                  | pods read it |
 * |---------------|---------------------------------------------------------------------------------------|--------------|
 * | formed        | whether the first MEET was sent; left out where it was lost and nobody could know     | yes          |
 * | nodes         | lines `N NODE-NAME ADDRESS SHARD`                                                     | yes          |
 * | cleared       | when a person agreed that every volume is lost                                        | yes          |
 * | namespace     | whose it is: in a copy elsewhere the addresses are those of the original              | yes          |
 * | budgets       | budgets for pods that people brought                                                  |              |
 * | spec          | the whole ClusterSpec, with marks of restarts and an unfinished change of shape       |              |
 * | config-digest | what ConfigMap NAME-config was last rendered to                                       |              |
 */
import type { ClusterRef } from '../cluster/model/observation.ts';
import { NOT_PRUNED, stateLabels } from './labels.ts';
import type { Manifest } from './manifest.ts';
import { stateName } from './names.ts';

export function stateMap({ name, namespace }: ClusterRef, data: Readonly<Record<string, string>>): Manifest {
  const metadata = { name: stateName(name), namespace, labels: stateLabels(name), annotations: NOT_PRUNED };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}
