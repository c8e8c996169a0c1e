/** Two laptops and an API server, in one process and on a clock that only the test moves. */
import { AppError } from '../../../../pkg/errors.ts';
import type { HeldLease } from '../../../../pkg/engine/lease/hold.ts';
import { acquireLease, type Acquired } from '../../../../pkg/engine/lease/acquire.ts';
import type { Identity } from '../../../../pkg/engine/lease/identity.ts';
import type { KubeObject, KubePort, RequestOptions } from '../../../../pkg/engine/ports.ts';
import { heldClock, nextTurn, type HeldClock } from '../../../support/fake-clock.ts';
import { createObjectStore } from '../../../support/fake-kube.ts';

const SLOW_MS = 1_500;
export const CLUSTER = { namespace: 'default', name: 'redis' };
export const ANN: Identity = { holder: 'ann@laptop (pid 7)', process: null };
export const BOB: Identity = { holder: 'bob@desk (pid 9)', process: null };

export interface Laptop {
  /** As this laptop reaches it. */
  readonly kube: KubePort;
  readonly clock: HeldClock;
  readonly said: string[];
  /**
   * `slow`: answers come late; `hung`: requests get none; `refused`: each fails at once; `deaf`: they are done, and their
   * answers are lost.
   */
  network: 'there' | 'slow' | 'hung' | 'refused' | 'deaf';
  /** Writes that reached the server. */
  writes: number;
  /** Its process runs no further until it is told to go on: neither timers nor answers reach it. */
  readonly stop: (stopped: boolean) => void;
  readonly acquire: (verb: string) => Promise<Acquired>;
}

export interface Scene {
  readonly clock: HeldClock;
  readonly ann: Laptop;
  readonly bob: Laptop;
  readonly lease: () => KubeObject | undefined;
  /** By hand, as kubectl would. */
  readonly put: (lease: KubeObject) => Promise<KubeObject>;
  readonly drop: () => void;
}

export function scene(): Scene {
  const store = createObjectStore();
  const clock = heldClock();
  const laptop = (identity: Identity): Laptop => {
    const process = stoppable();
    const own: Laptop = {
      clock: ownClock(clock, process.running),
      stop: process.stop,
      said: [],
      network: 'there',
      writes: 0,
      kube: {} as KubePort,
      acquire: (verb) =>
        acquireLease({
          kube: own.kube,
          clock: own.clock,
          cluster: CLUSTER,
          verb,
          identity,
          tell: (sentence) => own.said.push(sentence),
          signal: new AbortController().signal,
        }),
    };
    return Object.assign(own, { kube: overNetwork(store as unknown as KubePort, own, process.running) });
  };
  return {
    clock,
    ann: laptop(ANN),
    bob: laptop(BOB),
    lease: () => store.objects.get('Lease/redis-operation'),
    put: (lease) => store.apply(lease),
    drop: () => void store.objects.delete('Lease/redis-operation'),
  };
}

function stoppable(): { readonly stop: (stopped: boolean) => void; readonly running: () => Promise<void> } {
  let stopped = false;
  let waiting: (() => void)[] = [];
  return {
    stop: (now) => {
      stopped = now;
      if (stopped) return;
      for (const go of waiting) go();
      waiting = [];
    },
    running: () => (stopped ? new Promise((resolve) => waiting.push(resolve)) : Promise.resolve()),
  };
}

/** The same time passes for both; what their walls say is their own, and who is stopped wakes later. */
function ownClock(clock: HeldClock, running: () => Promise<void>): HeldClock {
  const own = {
    ...clock,
    sleep: async (milliseconds: number, signal?: AbortSignal) => {
      try {
        await clock.sleep(milliseconds, signal);
      } finally {
        await running();
      }
    },
    ahead: 0,
    now: (): number => clock.now() + own.ahead,
    get asleep() {
      return clock.asleep;
    },
  };
  return own;
}

function overNetwork(kube: KubePort, laptop: Laptop, running: () => Promise<void>): KubePort {
  const send = async <T>(request: () => Promise<T>, options: RequestOptions | undefined): Promise<T> => {
    try {
      return await reach(request, options);
    } finally {
      await running();
    }
  };
  const reach = async <T>(request: () => Promise<T>, options: RequestOptions | undefined): Promise<T> => {
    // As a real one: nothing is answered in the turn in which it is asked.
    await nextTurn();
    if (laptop.network === 'refused') throw new AppError('connection refused', { code: 'unreachable' });
    if (laptop.network === 'hung') return never(options?.signal);
    const answer = await request();
    if (laptop.network === 'slow') await laptop.clock.sleep(SLOW_MS);
    return laptop.network === 'deaf' ? never(options?.signal) : answer;
  };
  const write = <T>(request: () => Promise<T>, options: RequestOptions | undefined): Promise<T> =>
    send(() => {
      laptop.writes += 1;
      return request();
    }, options);
  return {
    ...kube,
    get: (apiVersion, kind, name, options) => send(() => kube.get(apiVersion, kind, name), options),
    create: (object, options) => write(() => kube.create(object), options),
    replace: (object, options) => write(() => kube.replace(object), options),
    remove: (apiVersion, kind, name, options) => write(() => kube.remove(apiVersion, kind, name, options), options),
  };
}

function never(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('given up'))));
}

/** Lets time pass until it is over. */
export async function during<T>(clock: HeldClock, work: Promise<T>): Promise<T> {
  const ended = work.then(
    () => true,
    () => true,
  );
  for (let seconds = 0; seconds < 120; seconds++) {
    if (await Promise.race([ended, nextTurn()])) break;
    await clock.pass(1_000);
  }
  return work;
}

/** Ann has it, and is between two renewals. */
export async function held(given: Scene): Promise<HeldLease> {
  const { lease } = await during(given.clock, given.ann.acquire('scale'));
  // Between two renewals.
  await given.clock.pass(500);
  return lease;
}

/** Bob has it, however that came. */
export async function takeOver({ bob, lease, put }: Scene): Promise<void> {
  const there = lease();
  if (there === undefined) throw new Error('no lease');
  const annotations = { ...there.metadata.annotations, 'kubectl-redis.io/holder-id': 'bob' };
  const spec = {
    ...(there['spec'] as object),
    holderIdentity: BOB.holder,
    renewTime: new Date(bob.clock.now()).toISOString(),
  };
  await put({ ...there, metadata: { ...there.metadata, annotations }, spec });
}
