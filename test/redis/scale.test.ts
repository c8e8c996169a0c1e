/**
 * `scale` on real servers, through the real engine and mover; Kubernetes is a table. Cut short at random, as a kill does it, with
 * failovers in between, and gone on with.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { interpret } from '../../pkg/cluster/interpret.ts';
import type { Observation, PodFacts } from '../../pkg/cluster/model/observation.ts';
import type { Plan, Step } from '../../pkg/cluster/model/plan.ts';
import { countSlots, slotsFromRanges } from '../../pkg/cluster/model/slots.ts';
import { isConverged } from '../../pkg/cluster/plan/form.ts';
import { planScale } from '../../pkg/cluster/plan/scale.ts';
import { systemClock } from '../../pkg/engine/clock.ts';
import { converge } from '../../pkg/engine/converge.ts';
import { countKeys, sampleBytes } from '../../pkg/engine/measure.ts';
import { observePods, type ObservePorts } from '../../pkg/engine/observe.ts';
import { patientLook } from '../../pkg/engine/patience.ts';
import type { KubePort } from '../../pkg/engine/ports.ts';
import { applyStep } from '../../pkg/engine/steps/apply.ts';
import { createRedisPort, type Redis } from '../../pkg/redis/connect.ts';
import { formCluster, must } from '../support/form-cluster.ts';
import { poll, startRedisServers, type RedisServer, type RedisServers } from '../support/redis-server.ts';
import { ownedOf, recordedOf, runStep, worldOf, type World } from '../support/scale-world.ts';

const SERVERS = 18;
const KEYS = 1500;
const ON_REDIS: ReadonlySet<Step['kind']> = new Set([
  'meet',
  'replicate',
  'failover',
  'forget',
  'await-empty',
  'await-convergence',
  'move-slots',
]);

type Move = Extract<Step, { readonly kind: 'move-slots' }>;

interface Wanted {
  readonly masters: number;
  readonly replicas: number;
}

describe('scale on real servers', () => {
  let redis: RedisServers;
  let port: Redis;
  let ports: ObservePorts;
  let world: World;
  const serverOf = new Map<string, RedisServer>();
  let spare: RedisServer[] = [];
  let written = 0;

  beforeAll(async () => {
    redis = await startRedisServers({
      count: SERVERS,
      nodeTimeoutMs: 2000,
      config: [
        ['repl-diskless-sync-delay', '0'],
        ['cluster-allow-replica-migration', 'no'],
        ['cluster-require-full-coverage', 'no'],
      ],
    });
    port = createRedisPort({ dial: redis.dial, credentials: () => Promise.resolve(null) });
    ports = { kube: {} as KubePort, redis: port, clock: systemClock };
    await formCluster(port, redis.servers.slice(0, 6), 3);
    world = worldOf({ masters: 3, replicas: 1 });
    spare = [...redis.servers];
    for (const { name } of world.observation.kube.pods) settle(name);
    for (let key = 0; key < KEYS; key++) await write(`key:${key}`, String(key));
  }, 120_000);
  afterAll(async () => {
    port.close();
    await redis.stop();
  });

  /** Puts the next server behind a pod and its Service. */
  function settle(pod: string): void {
    const server = spare.shift();
    if (server === undefined) throw new Error('no server is left');
    serverOf.set(pod, server);
    const { kube } = world.observation;
    const at = { ip: server.address, port: server.port, uid: server.pod.uid };
    const announced = { 'kubectl-redis.io/announce-ip': server.address };
    const node = pod.replace(/-0$/, '');
    world = {
      ...world,
      observation: {
        ...world.observation,
        replies: [],
        kube: {
          ...kube,
          pods: kube.pods.map((one) => (one.name === pod ? { ...one, ...at, annotations: announced } : one)),
          services: kube.services.map((one) => (one.name === node ? { ...one, clusterIP: server.address } : one)),
          statefulSets: kube.statefulSets.map((one) =>
            one.name === node ? { ...one, templateAnnotations: announced } : one,
          ),
          config: {
            ...kube.config,
            nodes: (kube.config?.['nodes'] ?? '').replace(new RegExp(`(?<= ${node} )\\S+`), server.address),
          },
        },
      },
    };
  }

  async function onKubernetes(step: Step): Promise<void> {
    world = runStep(world, step);
    world = { ...world, observation: { ...world.observation, replies: [] } };
    if (step.kind === 'apply-workloads') {
      for (const { name } of world.observation.kube.pods) if (!serverOf.has(name)) settle(name);
    }
    if (step.kind !== 'remove-object' || step.object.kind !== 'StatefulSet') return;
    await serverOf.get(`${step.object.name}-0`)?.stop();
    serverOf.delete(`${step.object.name}-0`);
  }

  const look = (): Promise<Observation> =>
    observePods(ports, world.observation.cluster, world.observation.kube, { deadlineMs: 2000, withConfig: true });

  /** @param dies whether to stop as if killed, before a step */
  async function scale(wanted: Wanted, dies: (step: Step) => boolean = () => false): Promise<void> {
    const abort = new AbortController();
    const report = (): void => undefined;
    const base = { ...ports, report, signal: abort.signal, podsTimeoutMs: 5000, resume: 'again', ownsObjects: true };
    const moving = { mover: port.mover, limits: { maxPauseMs: 20, maxBandwidth: null } };
    const plan = (observation: Observation): Plan =>
      planScale({
        agreedToGo: null,
        state: interpret(observation),
        kube: observation.kube,
        owned: ownedOf(world),
        recorded: recordedOf(world),
        wanted,
      });
    const tell = (): void => undefined;
    await converge({
      observe: patientLook({ clock: systemClock, signal: abort.signal, look, plan, tell }),
      plan,
      apply: async (step, observation) => {
        if (dies(step)) throw new Error('killed');
        if (ON_REDIS.has(step.kind)) return applyStep({ ...base, moving, spec: recordedOf(world) }, step, observation);
        return onKubernetes(step);
      },
      lease: { pass: () => Promise.resolve() },
      report,
      clock: systemClock,
      signal: abort.signal,
    });
  }

  async function write(key: string, value: string): Promise<void> {
    for (const pod of world.observation.kube.pods) {
      const [reply] = await port.run(pod, [['SET', key, value]], 5000);
      if (reply !== 'OK') continue;
      written += 1;
      return;
    }
    throw new Error(`nobody takes ${key}`);
  }

  const primaryPods = async (): Promise<PodFacts[]> =>
    interpret(await look()).nodes.flatMap((node) => (node.pod !== null && node.slots.length > 0 ? [node.pod] : []));

  async function expectShape({ masters, replicas }: Wanted): Promise<void> {
    const state = interpret(await look());
    expect(isConverged(state)).toBe(true);
    const owners = state.nodes.filter((node) => node.slots.length > 0);
    expect(owners.map((owner) => state.nodes.filter((node) => node.primaryId === owner.nodeId).length)).toEqual(
      Array.from({ length: masters }, () => replicas),
    );
    expect(owners.reduce((sum, owner) => sum + countSlots(owner.slots), 0)).toBe(16384);
    const counts = await Promise.all(
      (await primaryPods()).map(async (pod) => (await port.run(pod, [['DBSIZE']], 5000))[0]),
    );
    expect(counts.reduce((sum: number, count) => sum + Number(count), 0)).toBe(written);
  }

  async function failOver(which: number): Promise<void> {
    const state = interpret(await look());
    const replicas = state.nodes.filter((node) => node.role === 'replica' && node.pod !== null);
    await takeOver(replicas[which % Math.max(1, replicas.length)]?.pod?.name ?? '');
    await poll('all agree', 20_000, async () => (isConverged(interpret(await look())) ? true : null));
  }

  async function takeOver(pod: string): Promise<void> {
    const server = serverOf.get(pod);
    if (server === undefined) return;
    await must(port, server, [['CLUSTER', 'FAILOVER']]);
    await poll('it took over', 15_000, async () => {
      const [role] = await port.run(server.pod, [['ROLE']], 5000);
      return Array.isArray(role) && String(role[0]) === 'master' ? true : null;
    });
  }

  test('3x1 to 5x1 with data, cut short before some steps of every kind', async () => {
    const seen = new Set<string>();
    const once = (step: Step): boolean => {
      if (seen.has(step.kind)) return false;
      seen.add(step.kind);
      return true;
    };
    for (let run = 0; run < 12; run++)
      await scale({ masters: 5, replicas: 1 }, once).catch((error: unknown) =>
        expect(String(error)).toContain('killed'),
      );
    await scale({ masters: 5, replicas: 1 });
    await expectShape({ masters: 5, replicas: 1 });
  }, 180_000);

  test('what slots hold is measured: keys exactly, bytes about', async () => {
    const state = interpret(await look());
    const keys = await countKeys(port, state);
    expect(keys.reduce((sum, count) => sum + count, 0)).toBe(written);
    const bytes = (await sampleBytes(port, state)).reduce((sum, size) => sum + size, 0);
    expect(bytes / written).toBeGreaterThan(30);
    expect(bytes / written).toBeLessThan(200);
  }, 60_000);

  test('5x1 to 3x0, primaries wherever failovers left them, cut short, then down to the end', async () => {
    await failOver(0);
    await failOver(3);
    let steps = 0;
    await scale({ masters: 3, replicas: 0 }, () => ++steps > 9).catch((error: unknown) =>
      expect(String(error)).toContain('killed'),
    );
    await scale({ masters: 3, replicas: 0 });
    await expectShape({ masters: 3, replicas: 0 });
    for (const pod of await primaryPods()) {
      const [nodes] = await port.run(pod, [['CLUSTER', 'NODES']], 5000);
      expect(String(nodes).trim().split('\n')).toHaveLength(3);
    }
  }, 180_000);

  test('3x0 to 3x1: replicas follow, no slot moves', async () => {
    const kinds = new Set<string>();
    await scale({ masters: 3, replicas: 1 }, (step) => {
      kinds.add(step.kind);
      return false;
    });
    expect(kinds.has('move-slots')).toBe(false);
    await expectShape({ masters: 3, replicas: 1 });
  }, 120_000);

  /** As a mover leaves it that was killed: one of the keys of a slot has gone, the others have not. */
  async function leaveHalfMoved({ source, target, ranges }: Move): Promise<number> {
    const [from, to] = [serverOf.get(source.pod), serverOf.get(target.pod)];
    for (const slot of slotsFromRanges(ranges)) {
      const [keys] = await must(port, from, [['CLUSTER', 'GETKEYSINSLOT', slot, 10]]);
      const [first] = (keys as Buffer[]).map(String);
      if (first === undefined) continue;
      await write(`{${first}}`, 'stays');
      await must(port, to, [['CLUSTER', 'SETSLOT', slot, 'IMPORTING', source.nodeId]]);
      await must(port, from, [['CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.nodeId]]);
      await must(port, from, [['MIGRATE', to?.address ?? '', to?.port ?? 0, first, 0, 5000]]);
      return slot;
    }
    throw new Error('no slot that is to go has keys');
  }

  test('3x1 to 4x1: a move whose source failed over in the middle of a slot is finished', async () => {
    const killedIn: Move[] = [];
    const dies = (step: Step): boolean => step.kind === 'move-slots' && killedIn.push(step) > 0;
    await expect(scale({ masters: 4, replicas: 1 }, dies)).rejects.toThrow('killed');
    const [move] = killedIn;
    if (move === undefined) throw new Error('nothing was to be moved');
    const slot = await leaveHalfMoved(move);
    const { nodes } = interpret(await look());
    await takeOver(nodes.find(({ primaryId }) => primaryId === move.source.nodeId)?.pod?.name ?? '');
    // The primary that leads now does not know that the slot is open, and its target's mark names the one before.
    expect(interpret(await look()).openSlots.map((open) => open.slot)).toContain(slot);
    await scale({ masters: 4, replicas: 1 });
    await expectShape({ masters: 4, replicas: 1 });
  }, 120_000);
});
