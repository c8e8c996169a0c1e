/** One pod on its host: volumes, address, containers, and its status in the API until it is gone. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { timestamp } from '../api/objects.ts';
import type { Condition, Container, Pod } from '../api/objects.ts';
import type { Store } from '../api/store.ts';
import type { RecordEvent } from '../controllers/events.ts';
import { runContainer } from './container.ts';
import type { RunningContainer } from './container.ts';
import { commandOf } from './image.ts';
import { surroundingsOf, valueOf } from './process.ts';
import { MountTrouble } from './volumes.ts';
import type { Volumes } from './volumes.ts';

export interface RunnerDeps {
  readonly store: Store;
  readonly volumes: Volumes;
  readonly record: RecordEvent;
  readonly newPodIp: () => string;
  /** Directory of the commands that stand in for an image. */
  readonly image: string;
}

export interface PodRunner {
  readonly pod: Pod;
  /** Ends it; then the pod is gone from the API too. 0 is at once. */
  stop(graceMs: number): Promise<void>;
  /** Writes ConfigMaps and Secrets anew. */
  refresh(): Promise<void>;
  logFile(container: string | null, previous: boolean): string | null;
}

const RETRY_MS = 500;

export function runPod(deps: RunnerDeps, pod: Pod): PodRunner {
  const { store, volumes, record } = deps;
  const containers: RunningContainer[] = [];
  const stopping = new AbortController();
  let podIp: string | null = null;
  let gone = false;
  const tell = (): void => {
    if (gone) return;
    store.update<Pod>('pods', pod, (now) => ({
      ...now,
      status: { ...now.status, ...statusOf(now, podIp, containers) },
    }));
  };

  const mounted = async (): Promise<ReadonlyMap<string, string> | null> => {
    while (!stopping.signal.aborted) {
      try {
        return await volumes.mount(pod);
      } catch (error) {
        if (!(error instanceof MountTrouble)) throw error;
        record(pod, 'Warning', 'FailedMount', error.message);
        await delay(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
    return null;
  };
  const start = async (): Promise<void> => {
    const directories = await mounted();
    if (directories === null || stopping.signal.aborted) return;
    const ip = deps.newPodIp();
    podIp = ip;
    for (const container of pod.spec.containers) {
      const command = commandOf(container);
      const where = { podName: pod.metadata.name, namespace: pod.metadata.namespace ?? 'default', podIp: ip };
      if (command === null || (container.env ?? []).some((each) => valueOf(each, where) === null)) {
        refuse(deps, pod, container, command === null);
        continue;
      }
      const directory = join(volumes.podDirectory(pod), container.name);
      const paths = await pathsOf(container, directory, directories);
      const place = { ...where, image: deps.image, directory, paths };
      const about = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
        record(pod, type, reason, message);
      const around = surroundingsOf(container, place);
      const { restartPolicy = 'Always' } = pod.spec;
      containers.push(
        runContainer({ container, command, around, podIp: ip, restartPolicy, onChange: tell, record: about }),
      );
    }
    tell();
  };
  const starting = start().catch((error: unknown) => {
    record(pod, 'Warning', 'Failed', String(error));
  });

  return {
    pod,
    stop: async (graceMs) => {
      stopping.abort();
      await starting;
      await Promise.all(containers.map((container) => container.stop(graceMs)));
      if (gone) return;
      gone = true;
      store.remove('pods', pod);
      await volumes.removePod(pod);
    },
    refresh: async () => {
      await starting;
      if (!stopping.signal.aborted) await volumes.mount(pod).catch(() => undefined);
    },
    logFile: (name, previous) => {
      const index = name === null ? 0 : pod.spec.containers.findIndex((each) => each.name === name);
      return containers[index]?.logFile(previous) ?? null;
    },
  };
}

/** Container paths -> directories; /tmp and /data are the container's own where nothing is mounted. */
async function pathsOf(
  container: Container,
  directory: string,
  volumes: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, string>> {
  const own = ['/tmp', '/data'].map((path) => [path, join(directory, path)] as const);
  const mounts = (container.volumeMounts ?? []).map(({ name, mountPath, subPath }) => {
    return [mountPath.replace(/\/$/, ''), join(volumes.get(name) ?? directory, subPath ?? '')] as const;
  });
  const paths = new Map([...own, ...mounts]);
  for (const path of paths.values()) await mkdir(path, { recursive: true });
  return paths;
}

function refuse({ store, record }: RunnerDeps, pod: Pod, { name, image }: Container, unknown: boolean): void {
  const [reason, message] = unknown
    ? (['ErrImagePull', `failed to pull "${image}": the playground knows no command for it`] as const)
    : ([
        'CreateContainerConfigError',
        'the playground has env with valueFrom only of name, namespace and podIP',
      ] as const);
  record(pod, 'Warning', 'Failed', message);
  const waiting = { waiting: { reason, message } };
  const status = {
    name,
    image,
    imageID: '',
    ready: false,
    started: false,
    restartCount: 0,
    state: waiting,
    lastState: {},
  };
  store.update<Pod>('pods', pod, (now) => ({ ...now, status: { ...now.status, containerStatuses: [status] } }));
}

function statusOf(now: Pod, podIp: string | null, containers: readonly RunningContainer[]): Partial<Pod['status']> {
  const statuses = containers.map((each) => each.status());
  const ready = statuses.length === now.spec.containers.length && statuses.every((each) => each.ready);
  const ends = containers.map((each) => each.over()).filter((end) => end !== null);
  const over =
    containers.length > 0 && ends.length === containers.length && now.metadata.deletionTimestamp === undefined;
  const ended = ends.every(({ code }) => code === 0) ? 'Succeeded' : 'Failed';
  const is = (holds: boolean): Condition['status'] => (holds ? 'True' : 'False');
  const known = now.status.conditions ?? [];
  const wanted = [
    ...known.filter(({ type }) => type === 'PodScheduled'),
    { type: 'PodReadyToStartContainers', status: is(podIp !== null) },
    { type: 'Initialized', status: 'True' as const },
    { type: 'ContainersReady', status: is(ready) },
    { type: 'Ready', status: is(ready) },
  ];
  const conditions = wanted.map((condition) => {
    const before = known.find(({ type }) => type === condition.type);
    return before?.status === condition.status ? before : { ...condition, lastTransitionTime: timestamp() };
  });
  return {
    phase: over ? ended : 'Running',
    startTime: now.status.startTime ?? timestamp(),
    hostIP: '127.0.0.1',
    ...(podIp === null ? {} : { podIP: podIp, podIPs: [{ ip: podIp }] }),
    conditions,
    containerStatuses: statuses,
  };
}
