/** Directives as they are recorded (`--config`) and as servers say them (CONFIG GET). Pure. */
import { redisBytes } from '../evidence/eviction.ts';
import { INJECTED_ANNOTATION } from '../model/labels.ts';
import type { Observation } from '../model/observation.ts';
import { recordOf } from '../model/record.ts';
import type { ClusterState } from '../model/state.ts';

/** A value of redis.conf as CONFIG GET tells it: in one line, without quotes around it. */
export function asServersSay(name: string, value: string): string {
  const line = value.trim().replaceAll('\n', ' ');
  const word = /^"([^"\\]*)"$/.exec(line)?.[1] ?? line;
  if (name === 'maxmemory') return String(redisBytes(word) ?? word);
  return /^\d+$/.test(word) ? String(Number(word)) : word.toLowerCase();
}

/**
 * What all servers of the cluster should run by the record, as they would say it; null = the record says nothing of it. What people wrote on a
 * pod that asks the webhook wins there, so such clusters are left out. Of appendonly `persistence-differs` tells.
 */
export function recordedValue(
  { state, observation }: { readonly state: ClusterState; readonly observation: Observation },
  name: string,
): string | null {
  const value = recordOf(observation.kube, state.cluster).spec?.config[name];
  if (value === undefined || name === 'appendonly') return null;
  if (observation.kube.pods.some(({ annotations }) => annotations[INJECTED_ANNOTATION] !== undefined)) return null;
  return asServersSay(name, value);
}

export interface RunningSettings {
  /** Directives that servers were asked for and run otherwise, each with the pods that do. */
  readonly otherwise: readonly { readonly name: string; readonly pods: readonly string[] }[];
  /** Directives that not every server told. */
  readonly untold: readonly string[];
}

/** Whether servers run with directives that are written as in redis.conf. */
export function runningSettings(
  { nodes }: Pick<ClusterState, 'nodes'>,
  directives: Readonly<Record<string, string>>,
): RunningSettings {
  const told = Object.entries(directives).map(([name, value]) => {
    const pods = nodes.flatMap(({ pod, reply }) => (pod === null ? [] : [{ name: pod.name, reply }]));
    const said = pods.map((pod) => ({
      pod: pod.name,
      value: pod.reply?.kind === 'answered' ? pod.reply.answer.config?.[name] : undefined,
    }));
    const other = said.filter(
      (one) => one.value !== undefined && asServersSay(name, one.value) !== asServersSay(name, value),
    );
    return { name, pods: other.map(({ pod }) => pod), isTold: said.every((one) => one.value !== undefined) };
  });
  return {
    otherwise: told.filter(({ pods }) => pods.length > 0).map(({ name, pods }) => ({ name, pods })),
    untold: told.filter(({ pods, isTold }) => pods.length === 0 && !isTold).map(({ name }) => name),
  };
}
