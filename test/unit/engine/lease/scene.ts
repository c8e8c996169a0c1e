/** Two laptops and an API server, in one process and on a clock that only the test moves. */
import { AppError } from '../../../../pkg/errors.ts';
import { acquireLease, type Acquired } from '../../../../pkg/engine/lease/acquire.ts';
import type { Identity } from '../../../../pkg/engine/lease/identity.ts';
import type { KubeObject, KubePort, RequestOptions } from '../../../../pkg/engine/ports.ts';
import { heldClock, nextTurn, type HeldClock } from '../../../support/fake-clock.ts';
import { createObjectStore } from '../../../support/fake-kube.ts';

export const CLUSTER = { namespace: 'default', name: 'redis' };
export const ANN: Identity = { holder: 'ann@laptop (pid 7)', process: null };
export const BOB: Identity = { holder: 'bob@desk (pid 9)', process: null };

export interface Laptop {
  /** As this laptop reaches it. */
  readonly kube: KubePort;
  readonly clock: HeldClock;
  readonly said: string[];
  /**
   * `hung`: requests get no answer; `refused`: each fails at once; `deaf`: they are done, and their answers are lost.
   */
  network: 'there' | 'hung' | 'refused' | 'deaf';
  /** Writes that reached the server. */
  writes: number;
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
    const own: Laptop = {
      clock: withOwnWall(clock),
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
    return Object.assign(own, { kube: overNetwork(store as unknown as KubePort, own) });
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

/** The same time passes for both; what their walls say is their own. */
function withOwnWall(clock: HeldClock): HeldClock {
  const own = {
    ...clock,
    ahead: 0,
    now: (): number => clock.now() + own.ahead,
    get asleep() {
      return clock.asleep;
    },
  };
  return own;
}

function overNetwork(kube: KubePort, laptop: Laptop): KubePort {
  const send = async <T>(request: () => Promise<T>, options: RequestOptions | undefined): Promise<T> => {
    // As a real one: nothing is answered in the turn in which it is asked.
    await nextTurn();
    if (laptop.network === 'refused') throw new AppError('connection refused', { code: 'unreachable' });
    if (laptop.network === 'hung') return never(options?.signal);
    const answer = await request();
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
