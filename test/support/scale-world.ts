/**
 * A cluster for the planners' tests, with its Kubernetes objects: steps on Redis nodes are `simulate`'s business, those on objects
 * are done here. Throws where a step breaks a law, so that no test needs to look for that.
 */
import { NODES_KEY, SPEC_ANNOTATION, SPEC_KEY } from '../../pkg/cluster/model/labels.ts';
import type { KubeFacts, NodeAnswer, Observation } from '../../pkg/cluster/model/observation.ts';
import type { Batch, Step } from '../../pkg/cluster/model/plan.ts';
import { nodeName, podName, shardOf, type ClusterSpec } from '../../pkg/cluster/model/spec.ts';
import type { OwnedObject } from '../../pkg/cluster/plan/delete.ts';
import { simulate } from '../../pkg/cluster/plan/simulate.ts';
import { recordOf } from '../../pkg/cluster/model/record.ts';
import { specAnnotations } from '../../pkg/pod/annotations.ts';
import { nodeLines, renderNodeTable } from '../../pkg/cluster/model/node-table.ts';
import { asMade } from './as-made.ts';
import { nodeService, podOf, statefulSetOf } from './observation-kube.ts';
import { clusterIpOf, nodeIdOf, type Seat, type Shape } from './observation-seats.ts';
import { DEFAULT_SHAPE, freshAnswer, healthyObservation } from './observation.ts';
import { specOf } from './spec.ts';

export interface World {
  readonly shape: Shape;
  readonly observation: Observation;
  readonly budgets: readonly string[];
  /** Nodes that were ever made: a new one of an old name has another id. */
  readonly made: number;
}

export function worldOf(change: Partial<Shape>): World {
  const shape = { ...DEFAULT_SHAPE, ...change };
  const { masters, replicas } = shape;
  const observation = asMade(healthyObservation(shape), specOf({ masters, replicas }));
  const budgets = Array.from({ length: masters }, (_, i) => `${shape.name}-shard-${i + 1}`);
  return { shape, observation, budgets, made: masters * (1 + replicas) };
}

export function recordedOf({ observation }: World): ClusterSpec {
  const { spec } = recordOf(observation.kube, observation.cluster);
  if (spec === null) throw new Error('no spec is recorded');
  return spec;
}

export function ownedOf({ observation, budgets }: World): OwnedObject[] {
  const { kube } = observation;
  const of = (apiVersion: string, kind: string, names: readonly string[]): OwnedObject[] =>
    names.map((name) => ({ apiVersion, kind, name, uid: `${kind}/${name}`, terminating: false }));
  const named = (objects: readonly { readonly name: string }[]): string[] => objects.map(({ name }) => name);
  return [
    ...of('apps/v1', 'StatefulSet', named(kube.statefulSets)),
    ...of('v1', 'Pod', named(kube.pods)),
    ...of('v1', 'Service', named(kube.services)),
    ...of('v1', 'PersistentVolumeClaim', named(kube.claims)),
    ...of('policy/v1', 'PodDisruptionBudget', budgets),
  ];
}

/** All steps of a batch that `keep` says yes to. */
export function runBatch(world: World, batch: Batch, keep: (step: Step) => boolean = () => true): World {
  return batch.steps.filter(keep).reduce((now, step) => runStep(now, step), world);
}

export function runStep(world: World, step: Step): World {
  assertLawful(world, step);
  const spec = recordedOf(world);
  switch (step.kind) {
    case 'record-spec':
      return record(world, step.spec);
    case 'apply-services':
      return step.ordinals.reduce((now, ordinal) => addService(now, ordinal), world);
    case 'apply-config':
      return withKube(world, { state: { ...world.observation.kube.state, ...tableOf(world, spec) } });
    case 'apply-budgets': {
      const names = step.shards.map((shard) => `${spec.cluster.name}-shard-${shard}`);
      return { ...world, budgets: [...new Set([...world.budgets, ...names])] };
    }
    case 'apply-workloads':
      return step.ordinals.reduce((now, ordinal) => addNode(now, ordinal, spec), world);
    case 'remove-object':
      return removeObject(world, step.object.kind, step.object.name);
    default:
      return { ...world, observation: simulate(world.observation, { title: '', steps: [step] }) };
  }
}

function withKube(world: World, change: Partial<KubeFacts>): World {
  return { ...world, observation: { ...world.observation, kube: { ...world.observation.kube, ...change } } };
}

function record(world: World, spec: ClusterSpec): World {
  const services = world.observation.kube.services.map((service) =>
    service.name === spec.cluster.name
      ? { ...service, annotations: { ...service.annotations, ...specAnnotations(spec) } }
      : service,
  );
  return withKube(world, { services, state: { ...world.observation.kube.state, [SPEC_KEY]: JSON.stringify(spec) } });
}

/** What `apply-config` writes. */
function tableOf({ observation }: World, spec: ClusterSpec): Record<string, string> {
  const { name } = spec.cluster;
  const addresses = observation.kube.services.flatMap((service): [number, string][] => {
    const ordinal = Number(service.name.slice(name.length + 1));
    return ordinal > 0 && spec.nodes?.[String(ordinal)] !== undefined ? [[ordinal, service.clusterIP]] : [];
  });
  return { [NODES_KEY]: renderNodeTable(nodeLines(spec, new Map(addresses))) };
}

function seatOf({ shape, observation, made }: World, ordinal: number, shard: string): Seat {
  const hosts = observation.kube.hosts;
  const host = hosts[made % hosts.length];
  if (host === undefined) throw new Error('no hosts');
  const podIp = `10.245.${Math.floor(made / 200)}.${(made % 200) + 2}`;
  const address = observation.kube.services.find(({ name }) => name === nodeName(shape.name, ordinal))?.clusterIP;
  return {
    ordinal,
    pod: podName(shape.name, ordinal),
    nodeId: nodeIdOf(made + 1),
    shard,
    primary: true,
    podIp,
    announced: address ?? '',
    host,
  };
}

function addService(world: World, ordinal: number): World {
  const { observation, shape } = world;
  const service = nodeService(shape, seatOf(world, ordinal, '1'));
  if (observation.kube.services.some(({ name }) => name === service.name)) return world;
  const taken = new Set(observation.kube.services.map(({ clusterIP }) => clusterIP));
  let number = 500 + world.made;
  while (taken.has(clusterIpOf(number))) number++;
  return withKube(world, { services: [...observation.kube.services, { ...service, clusterIP: clusterIpOf(number) }] });
}

function addNode(world: World, ordinal: number, spec: ClusterSpec): World {
  const { observation, shape } = world;
  const { kube } = observation;
  if (kube.statefulSets.some(({ name }) => name === nodeName(shape.name, ordinal))) return world;
  const seat = seatOf(world, ordinal, shardOf(spec, ordinal));
  const annotations = { 'kubectl-redis.io/announce-ip': seat.announced };
  const pod = { ...podOf(shape, seat), annotations };
  const set = { ...statefulSetOf(shape, seat), templateAnnotations: annotations };
  const claim = { name: `data-${seat.pod}`, phase: 'Bound', storageClass: 'standard' };
  const next = withKube(world, {
    pods: [...kube.pods, pod],
    statefulSets: [...kube.statefulSets, set],
    claims: [...kube.claims.filter(({ name }) => name !== claim.name), claim],
  });
  const reply = { kind: 'answered', answer: freshAnswer(shape, seat), elapsedMs: 1 } as const;
  return {
    ...next,
    made: world.made + 1,
    observation: { ...next.observation, replies: [...observation.replies, { pod: seat.pod, reply }] },
  };
}

function removeObject(world: World, kind: string, name: string): World {
  const { kube } = world.observation;
  const left = <T extends { readonly name: string }>(objects: readonly T[]): T[] =>
    objects.filter((object) => object.name !== name);
  switch (kind) {
    case 'StatefulSet':
      return stopNode(withKube(world, { statefulSets: left(kube.statefulSets) }), `${name}-0`);
    case 'Service':
      return withKube(world, { services: left(kube.services) });
    case 'PersistentVolumeClaim':
      return withKube(world, { claims: left(kube.claims) });
    case 'PodDisruptionBudget':
      return { ...world, budgets: world.budgets.filter((budget) => budget !== name) };
    default:
      throw new Error(`nobody removes a ${kind}`);
  }
}

/** The others soon count it as failed. */
function stopNode(world: World, pod: string): World {
  const { kube, replies } = world.observation;
  const gone = answerOf(world, pod);
  const next = withKube(world, { pods: kube.pods.filter(({ name }) => name !== pod) });
  return {
    ...next,
    observation: {
      ...next.observation,
      replies: replies
        .filter((one) => one.pod !== pod)
        .map((one) => {
          if (one.reply.kind !== 'answered') return one;
          const view = one.reply.answer.view.map((line) =>
            line.nodeId === gone?.myId ? { ...line, linkUp: false, flags: [...line.flags, 'fail'] } : line,
          );
          return { ...one, reply: { ...one.reply, answer: { ...one.reply.answer, view } } };
        }),
    },
  };
}

export function answerOf({ observation }: World, pod: string): NodeAnswer | null {
  const reply = observation.replies.find((one) => one.pod === pod)?.reply;
  return reply?.kind === 'answered' ? reply.answer : null;
}

function ownsSlots(answer: NodeAnswer | null): boolean {
  return (answer?.view.find((line) => line.nodeId === answer.myId)?.slots.length ?? 0) > 0;
}

/** Laws L2, L8, L9 and L13. */
function assertLawful(world: World, step: Step): void {
  const broken = (law: string): never => {
    throw new Error(`${law}: ${JSON.stringify(step)}`);
  };
  if (step.kind === 'meet' && (answerOf(world, step.other.pod)?.view.length ?? 0) > 1)
    broken('met a node that is not new');
  if (step.kind === 'forget') {
    const alive = world.observation.replies.some(({ pod }) => answerOf(world, pod)?.myId === step.victim.nodeId);
    if (alive) broken('forgot a node whose pod is there');
    for (const { pod } of step.nodes) {
      const line = answerOf(world, pod)?.view.find(({ nodeId }) => nodeId === step.victim.nodeId);
      if ((line?.slots.length ?? 0) > 0) broken('forgot an owner of slots');
    }
    if (step.nodes.length !== world.observation.replies.length) broken('forgot on some nodes only');
  }
  if (step.kind !== 'remove-object') return;
  if (step.object.kind === 'StatefulSet' && ownsSlots(answerOf(world, `${step.object.name}-0`)))
    broken('stopped an owner');
  if (step.object.kind === 'Service' || step.object.kind === 'PersistentVolumeClaim') {
    const pod = step.object.kind === 'Service' ? `${step.object.name}-0` : step.object.name.replace(/^data-/, '');
    if (answerOf(world, pod) !== null) broken('took the address or the volume of a node that runs');
  }
  if (step.object.name === world.shape.name || SPEC_ANNOTATION === step.object.name) broken('removed the record');
}
