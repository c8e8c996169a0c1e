/** What runs under a lease can change nothing without it (FINDINGS K15, law L15). */
import { describe, expect, test } from '@jest/globals';
import { underLease, type Held, type OperationPorts } from '../../../../pkg/engine/operation.ts';
import { connectionsOf } from '../../../../pkg/engine/lease/end-open-work.ts';
import type {
  KubePort,
  RedisCommand,
  RedisPort,
  SlotMove,
  SlotMover,
  StrayKeys,
  StraySettler,
} from '../../../../pkg/engine/ports.ts';
import type { Progress } from '../../../../pkg/engine/report.ts';
import { fakePod } from '../../../support/redis-server.ts';
import { ANN, BOB, CLUSTER, during, scene, type Laptop, type Scene } from './scene.ts';

type Ports = OperationPorts & { readonly mover: SlotMover; readonly strays: StraySettler };

const POD = fakePod(0, '127.0.0.2', 7000);
const LIMITS = { maxPauseMs: 10, maxBandwidth: null };
const NEVER = new AbortController().signal;

interface World extends Scene {
  /** What got through to the cluster, by whom. */
  readonly sent: string[];
  ports(laptop: Laptop): Ports;
}

function world(): World {
  const given = scene();
  const sent: string[] = [];
  const clients = new Map<string, string>();
  const ports = (laptop: Laptop): Ports => {
    const done = <T>(what: string, answer: T) => {
      sent.push(what);
      return Promise.resolve(answer);
    };
    const kube: KubePort = {
      ...laptop.kube,
      apply: (object) => done('apply', object),
      evict: () => done('evict', { kind: 'evicted' as const }),
      readFacts: () => Promise.resolve({ pods: [POD] } as never),
    };
    const redis: RedisPort = {
      ask: () => done('ask', { kind: 'unreachable' as const, why: 'error' as const, detail: 'nobody' }),
      run: (_, commands: readonly RedisCommand[], __, fence) => {
        if (fence !== undefined) clients.set(fence.connectionName, String(clients.size + 5));
        const list = [...clients].map(([name, id]) => `id=${id} addr=10.0.0.1:1 name=${name} db=0`).join('\n');
        return done(commands.map((words) => words.join(' ')).join('; '), commands[0]?.[1] === 'LIST' ? [list] : ['OK']);
      },
      close: () => undefined,
    };
    const nothing = { slots: 0, keys: 0, bytes: 0, arriving: 0 };
    const mover: SlotMover = {
      move: async (_, __, ___, ____, fence) => {
        await fence?.pass();
        return done('move', nothing);
      },
      lacks: () => Promise.resolve(null),
    };
    const strays: StraySettler = {
      settle: async (_, __, ___, ____, fence) => {
        await fence?.pass();
        return done('settle', { slots: [], keys: 0, bytes: 0 });
      },
    };
    return { kube, redis, clock: laptop.clock, mover, strays, identity: laptop === given.ann ? ANN : BOB };
  };
  return { ...given, sent, ports };
}

interface Under {
  readonly held: Held;
  readonly ports: Ports;
  readonly told: Progress[];
  /** Ends the work, and then resolves or rejects as the operation does. */
  readonly end: (error?: Error) => Promise<void>;
}

async function under(given: World, laptop: Laptop, verb = 'scale'): Promise<Under> {
  const told: Progress[] = [];
  let end: (error?: Error) => void = () => undefined;
  const context = { report: (progress: Progress) => void told.push(progress), signal: NEVER };
  let over: Promise<void> = Promise.resolve();
  const begun = new Promise<{ held: Held; ports: Ports }>((resolve, reject) => {
    over = underLease(given.ports(laptop), CLUSTER, verb, context, (held, ports) => {
      resolve({ held, ports });
      return new Promise<void>((done, failed) => (end = (error) => (error === undefined ? done() : failed(error))));
    });
    over.catch(reject);
  });
  const { held, ports } = await during(given.clock, begun);
  return {
    held,
    ports,
    told,
    end: (error) => {
      end(error);
      return during(given.clock, over);
    },
  };
}

const OBJECT = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } };
const WRITES: Readonly<Record<string, (ports: Ports) => Promise<unknown>>> = {
  apply: ({ kube }) => kube.apply(OBJECT),
  create: ({ kube }) => kube.create(OBJECT),
  replace: ({ kube }) => kube.replace(OBJECT),
  remove: ({ kube }) => kube.remove('v1', 'ConfigMap', 'x'),
  evict: ({ kube }) => kube.evict('x', 'uid'),
  run: ({ redis }) => redis.run(POD, [['CLUSTER', 'SETSLOT', 1, 'NODE', 'a']], 1_000),
  move: ({ mover }) => mover.move({} as SlotMove, LIMITS, () => undefined, NEVER),
  settle: ({ strays }) => strays.settle({} as StrayKeys, LIMITS, () => undefined, NEVER),
};

describe.each(Object.entries(WRITES))('K15: %s', (_, write) => {
  test('goes through while the lease is held', async () => {
    const given = world();
    const { ports, end } = await under(given, given.ann);
    // The objects that are not there answer so; what counts is that they were asked.
    await during(
      given.clock,
      write(ports).catch((error: { code?: string }) => expect(error.code).toBe('not-found')),
    );
    expect(given.sent.length + given.ann.writes).toBeGreaterThan(1);
    await end();
  });

  test('is not sent when it was lost, nor when the operation is over', async () => {
    const given = world();
    const { ports, end } = await under(given, given.ann);
    given.ann.network = 'refused';
    await given.clock.pass(12_000);
    const before = [given.sent.length, given.ann.writes];
    await expect(during(given.clock, write(ports))).rejects.toMatchObject({ code: 'lease-lost' });
    expect([given.sent.length, given.ann.writes]).toEqual(before);
    await expect(end(new Error('stopped'))).rejects.toMatchObject({ code: 'lease-lost' });
    await expect(write(ports)).rejects.toMatchObject({ code: 'lease-lost' });

    const other = world();
    const second = await under(other, other.ann);
    await second.end();
    const sent = other.sent.length;
    await expect(write(second.ports)).rejects.toThrow('The operation is over');
    expect(other.sent.length).toBe(sent);
  });

  test('waits after a time in which the process could not run until the server was asked', async () => {
    const given = world();
    const { ports, end } = await under(given, given.ann);
    given.clock.block(30_000);
    const bob = given.bob.acquire('fix');
    bob.catch(() => undefined);
    const before = given.ann.writes;
    await during(
      given.clock,
      write(ports).catch((error: { code?: string }) => expect(error.code).toBe('not-found')),
    );
    expect(given.ann.writes).toBeGreaterThan(before);
    await expect(during(given.clock, bob)).rejects.toMatchObject({ code: 'operation-in-progress' });
    await end();
  });
});

describe('an operation', () => {
  test('is told to stop when its lease is lost while a step of minutes runs, and says so', async () => {
    const given = world();
    const { held, end } = await under(given, given.ann);
    expect(held.signal.aborted).toBe(false);
    given.ann.network = 'hung';
    await given.clock.pass(11_000);
    expect(held.signal.aborted).toBe(true);
    await expect(end(new Error('stopped'))).rejects.toMatchObject({ code: 'lease-lost' });
  });

  test('tells what it waits for before it takes over, and ends the open connections of the one before', async () => {
    const given = world();
    const first = await under(given, given.ann);
    await first.ports.redis.run(POD, [['PING']], 1_000);
    given.ann.network = 'hung';
    await given.clock.pass(40_000);
    const second = await under(given, given.bob, 'fix');
    expect(second.told).toEqual([{ kind: 'trouble', sentence: expect.stringContaining('looks abandoned') }]);
    // 5 is ann's, 6 bob's own.
    expect(given.sent.slice(-2)).toEqual(['CLIENT LIST', 'CLIENT KILL ID 5']);
    await second.end();
    await expect(first.end(new Error('stopped'))).rejects.toMatchObject({ code: 'lease-lost' });
  });

  test('that nobody was before asks no node for connections', async () => {
    const given = world();
    const { end } = await under(given, given.ann);
    await end();
    expect(given.sent).toEqual([]);
  });
});

test('connections are told by their whole name', () => {
  const list = [
    'id=3 addr=10.0.0.1:5 laddr=10.0.0.2:6379 fd=8 name=kubectl-redis:a age=1 cmd=client',
    'id=14 addr=10.0.0.1:6 name=kubectl-redis:ab age=1\r',
    'id=15 addr=10.0.0.1:7 name= age=1',
    'id=16 addr=10.0.0.1:7 name=kubectl-redis:a age=1\r',
    '',
  ].join('\n');
  expect(connectionsOf(list, 'kubectl-redis:a')).toEqual(['3', '16']);
  expect(connectionsOf('NOPERM', 'kubectl-redis:a')).toEqual([]);
});
