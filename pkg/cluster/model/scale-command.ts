/** `kubectl redis scale`, as it is to be typed: without its flags it refuses to guess. */
import type { KubeFacts } from './observation.ts';
import { recordOf } from './record.ts';
import type { ClusterSpec } from './spec.ts';
import type { ClusterState, DesiredShape } from './state.ts';

/** To this shape, or on with a change to it that was begun. */
export function scaleCommand(
  cluster: string,
  { masters, replicas }: Pick<DesiredShape, 'masters' | 'replicas'>,
): string {
  return `kubectl redis scale ${cluster} --masters ${masters} --replicas ${replicas}`;
}

/** The recorded shape where a change to it was begun and is not finished; null = none was. */
export function unfinishedShape({ cluster }: Pick<ClusterState, 'cluster'>, kube: KubeFacts): ClusterSpec | null {
  const { spec } = recordOf(kube, cluster);
  return spec?.scaling == null ? null : spec;
}

/**
 * Whether nodes that are missing are the business of `scale`: a change was begun, and the cluster serves. One that was stopped in between is
 * started by `create`, as it was.
 */
export function isLeftToScale({ formed, uncovered, nodes }: ClusterState, spec: Pick<ClusterSpec, 'scaling'>): boolean {
  const serves =
    uncovered.length === 0 && nodes.every(({ slots, reply }) => slots.length === 0 || reply?.kind === 'answered');
  return spec.scaling !== null && formed && serves;
}
