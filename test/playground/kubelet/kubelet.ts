/** Runs the pods that have a host, on all hosts of the playground. */
import { readFile } from 'node:fs/promises';
import { badRequest } from '../api/failure.ts';
import type { Pod } from '../api/objects.ts';
import type { LogOptions } from '../api/server.ts';
import type { Change } from '../api/store.ts';
import { runPod } from './pod-runner.ts';
import type { PodRunner, RunnerDeps } from './pod-runner.ts';

export interface Kubelet {
  /** Starts and stops what is to be started and stopped. */
  readonly sync: () => void;
  readonly readLog: (pod: Pod, options: LogOptions) => Promise<string>;
  /** Kills all. */
  close(): Promise<void>;
}

export function createKubelet(deps: RunnerDeps): Kubelet {
  const { store, volumes } = deps;
  const runners = new Map<string, PodRunner>();
  const leaving = new Map<string, { readonly graceMs: number; readonly gone: Promise<void> }>();

  const stop = (runner: PodRunner, graceMs: number): void => {
    const { uid } = runner.pod.metadata;
    const known = leaving.get(uid);
    if (known !== undefined && known.graceMs <= graceMs) return;
    const gone = runner.stop(graceMs).then(() => {
      runners.delete(uid);
      leaving.delete(uid);
    });
    leaving.set(uid, { graceMs, gone });
  };
  const onChange = ({ type, resource, object }: Change): void => {
    const { name, namespace, uid } = object.metadata;
    if (resource === 'persistentvolumeclaims' && type === 'DELETED') void volumes.removeClaim(uid);
    if (type !== 'DELETED' && (resource === 'configmaps' || resource === 'secrets')) {
      for (const runner of runners.values()) {
        if (runner.pod.metadata.namespace === namespace && mounts(runner.pod, name)) void runner.refresh();
      }
    }
  };
  const forget = store.onChange(onChange);

  return {
    sync: () => {
      const pods = new Map(store.list<Pod>('pods').map((pod) => [pod.metadata.uid, pod]));
      for (const [uid, runner] of runners) {
        const pod = pods.get(uid);
        if (pod === undefined) stop(runner, 0);
        else if (pod.metadata.deletionTimestamp !== undefined) {
          stop(runner, (pod.metadata.deletionGracePeriodSeconds ?? 30) * 1000);
        }
      }
      for (const [uid, pod] of pods) {
        const { deletionTimestamp } = pod.metadata;
        if (runners.has(uid) || pod.spec.nodeName === undefined || pod.status.phase !== 'Pending') continue;
        if (deletionTimestamp === undefined) runners.set(uid, runPod(deps, pod));
        else store.remove('pods', pod);
      }
    },
    readLog: async (pod, { container, previous, tailLines }) => {
      const file = runners.get(pod.metadata.uid)?.logFile(container, previous) ?? null;
      const text = file === null ? null : await readFile(file, 'utf8').catch(() => null);
      if (text === null)
        throw badRequest(`container "${container ?? '?'}" in pod "${pod.metadata.name}" has no such log`);
      if (tailLines === null) return text;
      const lines = text.split('\n');
      // The text ends in a line break: what comes behind it is no line.
      return lines.slice(Math.max(0, lines.length - 1 - tailLines)).join('\n');
    },
    close: async () => {
      forget();
      for (const runner of runners.values()) stop(runner, 0);
      await Promise.all([...leaving.values()].map(({ gone }) => gone));
    },
  };
}

const mounts = ({ spec }: Pod, name: string): boolean =>
  (spec.volumes ?? []).some(
    ({ configMap, secret, projected }) =>
      configMap?.name === name ||
      secret?.secretName === name ||
      projected?.sources?.some((source) => source.configMap?.name === name) === true,
  );
