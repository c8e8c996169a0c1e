/** A terminal that keeps what is written to it, and the rest of what a verb is given. */
import type { Deps, Session } from '../../cmd/deps.ts';
import { run } from '../../cmd/run.ts';
import { VERBS } from '../../cmd/verbs/all.ts';
import type { KubeFacts, NodeReply, Observation } from '../../pkg/cluster/model/observation.ts';
import type { KubePort, ListedCluster } from '../../pkg/engine/ports.ts';
import { AppError } from '../../pkg/errors.ts';
import { movingClock } from './fake-clock.ts';

export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface World {
  /** Observations of the clusters that are there. */
  readonly clusters: readonly Observation[];
  readonly namespace?: string;
  /** null (default) = output is not a terminal. */
  readonly columns?: number | null;
  /** What opening a session throws. */
  readonly broken?: Error;
}

/** Runs a command line in this process, against clusters that are only observations. */
export async function runCommand(argv: readonly string[], world: World = { clusters: [] }): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  const columns = world.columns ?? null;
  const deps: Deps = {
    terminal: {
      write: (text) => void (stdout += text),
      say: (text) => void (stderr += text),
      look: (colour) => ({ width: columns, colour: colour === 'always' }),
      size: () => (columns === null ? null : { columns, rows: 24 }),
      live: false,
      unread: new AbortController().signal,
      onResize: () => () => undefined,
    },
    clock: movingClock(Date.parse('2026-11-23T10:00:00.000Z')),
    signal: new AbortController().signal,
    env: {},
    interactive: false,
    openSession: (globals) =>
      world.broken === undefined
        ? Promise.resolve(sessionIn(globals.namespace ?? world.namespace ?? 'default', world))
        : Promise.reject(world.broken),
  };
  const exitCode = await run(argv, deps, { verbs: VERBS, debug: false });
  return { exitCode, stdout, stderr };
}

function sessionIn(namespace: string, world: World): Session {
  return {
    namespace,
    kube: kubeOf(namespace, world.clusters),
    redis: redisOf(world.clusters.filter(({ cluster }) => cluster.namespace === namespace)),
    prepare: () => undefined,
    inNamespace: (other) => sessionIn(other, world),
    close: () => undefined,
  };
}

const NOTHING: KubeFacts = {
  pods: [],
  services: [],
  statefulSets: [],
  hosts: [],
  claims: [],
  config: null,
  operation: null,
  gaps: [],
};

function kubeOf(namespace: string, clusters: readonly Observation[]): KubePort {
  const refuse = (): never => {
    throw new AppError('a view must not do this', { code: 'not-in-a-view' });
  };
  return {
    namespace,
    readFacts: (ref) =>
      Promise.resolve(
        clusters.find(({ cluster }) => cluster.name === ref.name && cluster.namespace === ref.namespace)?.kube ??
          NOTHING,
      ),
    listClusters: (where) =>
      Promise.resolve(clusters.map(listedAs).filter((one) => where === null || one.namespace === where)),
    get: (_, kind, name) => {
      const known =
        kind === 'Namespace' && [namespace, ...clusters.map(({ cluster }) => cluster.namespace)].includes(name);
      const there = known && !name.startsWith('missing');
      return Promise.resolve(there ? { apiVersion: 'v1', kind, metadata: { name } } : null);
    },
    list: refuse,
    apply: refuse,
    create: refuse,
    replace: refuse,
    remove: refuse,
    evict: refuse,
    watchPods: refuse,
    logTail: () => Promise.resolve([]),
    whyNotReady: () => Promise.resolve(null),
    whyNoPod: refuse,
    close: () => undefined,
  };
}

function listedAs({ cluster, kube }: Observation): ListedCluster {
  return { ...cluster, origin: 'ours', pods: kube.pods.length };
}

function redisOf(clusters: readonly Observation[]): Session['redis'] {
  const replies = new Map<string, NodeReply>();
  for (const { kube, replies: said } of clusters) {
    for (const pod of kube.pods) {
      const reply = said.find((one) => one.pod === pod.name)?.reply;
      if (reply !== undefined) replies.set(pod.uid, reply);
    }
  }
  return {
    ask: (pod) =>
      Promise.resolve(replies.get(pod.uid) ?? { kind: 'unreachable', why: 'error', detail: 'not in this observation' }),
    run: () => Promise.reject(new AppError('a view must not do this', { code: 'not-in-a-view' })),
    mover: { move: () => Promise.reject(new Error('nothing moves here')), lacks: () => Promise.resolve(null) },
    strays: { settle: () => Promise.reject(new Error('nothing moves here')) },
    close: () => undefined,
  };
}
