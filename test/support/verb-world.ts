/**
 * A verb run in this process on a cluster that is only an observation, by somebody who writes down whatever it would change. The first
 * change is refused, so that nothing is ever half done here.
 */
import type { Deps, Session } from '../../cmd/deps.ts';
import { run } from '../../cmd/run.ts';
import { VERBS } from '../../cmd/verbs/all.ts';
import { CLUSTER_LABEL, MANAGED_BY, MANAGED_BY_LABEL } from '../../pkg/cluster/model/labels.ts';
import type { Observation } from '../../pkg/cluster/model/observation.ts';
import type { KubeObject, KubePort } from '../../pkg/engine/ports.ts';
import { AppError } from '../../pkg/errors.ts';
import { movingClock } from './fake-clock.ts';

export interface VerbWorld {
  readonly observation: Observation;
  /** Objects besides those of the cluster. */
  readonly others?: readonly KubeObject[];
  /** What a person answers; left out: nobody is there. */
  readonly objects?: (objects: readonly KubeObject[]) => readonly KubeObject[];
}

export interface VerbEnd {
  readonly exitCode: number;
  readonly stderr: string;
  /** What it would have changed, in order: `create Lease redis-operation`, `redis-1-0 CLUSTER FAILOVER`. */
  readonly writes: readonly string[];
}

/** Asks without changing anything. */
const READS: ReadonlySet<string> = new Set([
  'INFO',
  'CLUSTER COUNTKEYSINSLOT',
  'CLUSTER GETKEYSINSLOT',
  'CLUSTER NODES',
  'CLUSTER MYID',
  'CLUSTER INFO',
  'CONFIG GET',
  'DBSIZE',
  'FUNCTION LIST',
  'FUNCTION DUMP',
  'MEMORY USAGE',
  'TIME',
]);

export async function runVerb(argv: readonly string[], world: VerbWorld): Promise<VerbEnd> {
  const writes: string[] = [];
  const write = (what: string): never => {
    writes.push(what);
    throw new AppError(`nothing may be changed here: ${what}`, { code: 'not-here' });
  };
  let stderr = '';
  const deps: Deps = {
    terminal: {
      write: () => undefined,
      say: (text) => void (stderr += text),
      look: () => ({ width: null, colour: false }),
      size: () => null,
      live: false,
      unread: new AbortController().signal,
      onResize: () => () => undefined,
    },
    clock: movingClock(Date.parse(world.observation.observedAt)),
    signal: new AbortController().signal,
    env: {},
    interactive: false,
    openSession: async () => sessionOf(world, write),
  };
  const exitCode = await run(argv, deps, { verbs: VERBS, debug: false });
  return { exitCode, stderr, writes };
}

function sessionOf(world: VerbWorld, write: (what: string) => never): Session {
  const { observation } = world;
  const session: Session = {
    namespace: observation.cluster.namespace,
    kube: kubeOf(world, write),
    redis: {
      ask: async (pod) =>
        observation.replies.find((one) => one.pod === pod.name)?.reply ?? {
          kind: 'unreachable',
          why: 'timeout',
          detail: 'no answer',
        },
      run: async (pod, commands) => {
        for (const command of commands) {
          const [verb = '', sub = ''] = command.map(String);
          if (!READS.has(verb) && !READS.has(`${verb} ${sub}`)) write(`${pod.name} ${verb} ${sub}`);
        }
        return commands.map(() => 0);
      },
      mover: { move: async () => write('move slots'), lacks: () => Promise.resolve(null) },
      strays: { settle: async () => write('settle strays') },
      close: () => undefined,
    },
    prepare: () => undefined,
    inNamespace: () => session,
    close: () => undefined,
  };
  return session;
}

function kubeOf(world: VerbWorld, write: (what: string) => never): KubePort {
  const { observation, others = [], objects: change = (objects) => objects } = world;
  const { cluster, kube } = observation;
  const objects = [...change(objectsOf(observation)), ...others];
  return {
    namespace: cluster.namespace,
    readFacts: async (ref) => (ref.name === cluster.name ? kube : { ...kube, pods: [], services: [] }),
    listClusters: async () => [{ ...cluster, origin: 'ours', pods: kube.pods.length }],
    get: async (apiVersion, kind, name) =>
      kind === 'Namespace'
        ? { apiVersion, kind, metadata: { name } }
        : (objects.find((object) => object.kind === kind && object.metadata.name === name) ?? null),
    list: async (_, kind, options) => {
      const wanted = (options?.selector ?? '').split(',').map((term) => term.split('='));
      return objects.filter(
        ({ kind: each, metadata }) =>
          each === kind && wanted.every(([key = '', value]) => value === undefined || metadata.labels?.[key] === value),
      );
    },
    apply: async (object, options) =>
      options?.dryRun === true ? object : write(`apply ${object.kind} ${object.metadata.name}`),
    create: async ({ kind, metadata }) => write(`create ${kind} ${metadata.name}`),
    replace: async ({ kind, metadata }) => write(`replace ${kind} ${metadata.name}`),
    remove: async (_, kind, name, options) => (options?.dryRun === true ? true : write(`remove ${kind} ${name}`)),
    evict: async (pod) => write(`evict ${pod}`),
    watchPods: async () => undefined,
    logTail: async () => [],
    whyNotReady: async () => null,
    whyNoPod: async () => null,
    close: () => undefined,
  };
}

function objectsOf({ cluster, kube }: Observation): KubeObject[] {
  const labels = { [CLUSTER_LABEL]: cluster.name, [MANAGED_BY_LABEL]: MANAGED_BY };
  const of =
    (apiVersion: string, kind: string) =>
    ({ name }: { readonly name: string }): KubeObject => ({
      apiVersion,
      kind,
      metadata: { name, uid: kube.pods.find((pod) => pod.name === name)?.uid ?? `${kind}/${name}`, labels },
    });
  return [
    ...kube.statefulSets.map(of('apps/v1', 'StatefulSet')),
    ...kube.pods.map(of('v1', 'Pod')),
    ...kube.services.map(of('v1', 'Service')),
    ...kube.claims.map(of('v1', 'PersistentVolumeClaim')),
    { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: 'standard', annotations: DEFAULT } },
  ];
}

const DEFAULT = { 'storageclass.kubernetes.io/is-default-class': 'true' };
