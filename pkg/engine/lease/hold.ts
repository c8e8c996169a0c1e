/**
 * Holds a lease: renews it, and knows at any time whether it surely holds it still.
 *
 * It believes so for `RENEW_DEADLINE_MS` from before the request of the last renewal that succeeded; nobody takes it
 * sooner than `DURATION_MS` after. The difference is for what was sent just before. A process that could not run for a
 * while (a long computation, SIGSTOP, a laptop asleep) asks the server before it sends anything else: as long as nobody
 * took the lease, it goes on.
 */
import { AppError } from '../../errors.ts';
import type { Clock, Fence, KubeObject, KubePort } from '../ports.ts';
import { isLostRace } from '../races.ts';
import { inTime, LATE_MS, pauseSince } from './in-time.ts';
import {
  RENEW_DEADLINE_MS,
  RETRY_PERIOD_MS,
  connectionName,
  isHeldBy,
  lostLease,
  notRenewed,
  renewed,
  whoHasIt,
} from './lease-object.ts';

/** Of one renewal: three find room before the deadline, over another connection each where one hangs. */
const ATTEMPT_MS = 3_000;
const RELEASE_MS = 5_000;
const TICK_MS = 1_000;
const BEFORE_NEXT_MS = 250;
const MAX_REMOVALS = 3;

export interface HeldLease extends Fence {
  /** Aborts when it is lost, at the latest when it could not be renewed in time; its reason is what `pass` throws. */
  readonly lost: AbortSignal;
  /** What `status` shows of the operation, from any terminal; written at the next renewal. */
  tell(progress: string): void;
  /** Gives it back, if it is still this very hold on it; nothing is sent any more from then on. Never throws. */
  release(): Promise<void>;
}

export interface Holding {
  readonly kube: Pick<KubePort, 'get' | 'replace' | 'remove'>;
  readonly clock: Clock;
  readonly id: string;
}

interface Times {
  readonly monotonic: number;
  readonly wall: number;
}

/** @param begun before the request was sent that took it */
export function keepLease(holding: Holding, lease: KubeObject, begun: Times): HeldLease {
  const keeper = new Keeper(holding, lease, begun);
  keeper.begin();
  return keeper;
}

class Keeper implements HeldLease {
  readonly connectionName: string;
  readonly #id: string;
  readonly #kube: Holding['kube'];
  readonly #clock: Clock;
  readonly #losing = new AbortController();
  /** Aborts when it is lost or given back. */
  readonly #ending = new AbortController();
  #lease: KubeObject;
  /** Before the request of the last renewal that succeeded. */
  #renewed: Times;
  #triedAt: number;
  /** Before the watch began to sleep: what is later than it meant to sleep until is time in which this process could not run. */
  #watched: Times;
  /** How long it could not run since the last renewal that succeeded, in words. */
  #stood: string | null = null;
  /** When this process could run again after it could not. */
  #wokeAt = -Infinity;
  #told = '';
  #trying: Promise<void> | null = null;
  /** Why the last renewal failed. */
  #trouble: unknown = undefined;

  constructor({ kube, clock, id }: Holding, lease: KubeObject, begun: Times) {
    this.#kube = kube;
    this.#clock = clock;
    this.connectionName = connectionName(id);
    this.#id = id;
    this.#lease = lease;
    this.#renewed = begun;
    this.#triedAt = begun.monotonic;
    this.#watched = begun;
  }

  get lost(): AbortSignal {
    return this.#losing.signal;
  }

  tell(progress: string): void {
    this.#told = progress;
  }

  isOpen(): boolean {
    if (this.#ending.signal.aborted) return false;
    const { monotonic, wall } = this.#renewed;
    if (this.#clock.monotonic() - monotonic >= RENEW_DEADLINE_MS) return false;
    // A clock of the wall that leapt may be the only trace of a virtual machine that stood still: the server knows.
    return this.#clock.now() - wall < RENEW_DEADLINE_MS;
  }

  async pass(): Promise<void> {
    while (!this.isOpen()) {
      this.#losing.signal.throwIfAborted();
      if (this.#ending.signal.aborted) throw new Error('The operation is over, and wanted to change something');
      await this.#try();
      if (!this.isOpen()) await this.#pause(BEFORE_NEXT_MS);
    }
  }

  /** Until it is over. Also while nobody passes, so that a step of minutes is told to stop. */
  begin(): void {
    const watch = async (): Promise<void> => {
      while (!this.#ending.signal.aborted) {
        const now = this.#clock.monotonic();
        const deadline = Math.max(this.#renewed.monotonic, this.#wokeAt) + RENEW_DEADLINE_MS;
        if (now >= deadline) return this.#lose(notRenewed(this.#trouble, this.#stood));
        if (now - this.#triedAt >= RETRY_PERIOD_MS) void this.#try();
        const ms = Math.min(TICK_MS, deadline - now);
        this.#notePause();
        this.#watched = { monotonic: this.#clock.monotonic(), wall: this.#clock.now() };
        await this.#pause(ms);
        // Time that it slept through does not count: nothing was sent in it, and nothing is before the server was
        // asked.
        if (this.#clock.monotonic() - now > ms + LATE_MS) this.#wokeAt = this.#clock.monotonic();
      }
    };
    void watch();
  }

  async release(): Promise<void> {
    this.#ending.abort();
    try {
      await inTime(this.#clock, RELEASE_MS, new AbortController().signal, (signal) => this.#remove(signal));
    } catch {
      // Others see in time that it is not renewed, and whatever made this fail must not hide why the operation ended.
    }
  }

  async #remove(signal: AbortSignal): Promise<void> {
    const { apiVersion, kind, metadata } = this.#lease;
    // A renewal that is under way would change the version in between.
    await this.#trying;
    for (let tries = 0, removed = false; !removed && tries < MAX_REMOVALS; tries++) {
      const there = await this.#kube.get(apiVersion, kind, metadata.name, { signal });
      if (there === null || !isHeldBy(there, this.#id)) return;
      const { uid = '', resourceVersion = '' } = there.metadata;
      removed = await this.#kube.remove(apiVersion, kind, metadata.name, { uid, resourceVersion, signal });
    }
  }

  /** One at a time. Never throws: time decides whether a failure is a loss. */
  #try(): Promise<void> {
    this.#trying ??= this.#renew().finally(() => (this.#trying = null));
    return this.#trying;
  }

  async #renew(): Promise<void> {
    this.#triedAt = this.#clock.monotonic();
    // Whoever wants to send something may be here before the watch has woken.
    this.#notePause();
    try {
      await inTime(this.#clock, ATTEMPT_MS, this.#losing.signal, (signal) => this.#write(signal));
    } catch (error) {
      this.#trouble = error;
      if (error instanceof Taken) this.#lose(error);
    }
  }

  /**
   * Twice, because a write whose answer was lost, or anybody's annotation, changes the version. @throws Taken; and what
   * says nothing
   */
  async #write(signal: AbortSignal, again = false): Promise<void> {
    const begun = { monotonic: this.#clock.monotonic(), wall: this.#clock.now() };
    try {
      const stored = await this.#kube.replace(renewed(this.#lease, this.#told, begun.wall), { signal });
      if (signal.aborted) return;
      [this.#lease, this.#renewed, this.#stood] = [stored, begun, null];
    } catch (error) {
      const gone = error instanceof AppError && error.code === 'not-found';
      if (!gone && !isLostRace(error)) throw error;
      const { apiVersion, kind, metadata } = this.#lease;
      const there = gone ? null : await this.#kube.get(apiVersion, kind, metadata.name, { signal });
      signal.throwIfAborted();
      if (there === null || !isHeldBy(there, this.#id)) throw new Taken(whoHasIt(there, this.#silentMs(), this.#stood));
      this.#lease = there;
      if (again) throw error;
      await this.#write(signal, true);
    }
  }

  #notePause(): void {
    this.#stood = pauseSince(this.#clock, this.#watched, TICK_MS) ?? this.#stood;
  }

  #silentMs(): number {
    const { monotonic, wall } = this.#renewed;
    return Math.max(this.#clock.monotonic() - monotonic, this.#clock.now() - wall);
  }

  #lose(cause: unknown): void {
    if (this.#ending.signal.aborted) return;
    this.#losing.abort(lostLease(this.#lease, cause));
    this.#ending.abort();
  }

  async #pause(milliseconds: number): Promise<void> {
    await this.#clock.sleep(milliseconds, this.#ending.signal).catch(() => undefined);
  }
}

/** Somebody else holds it, or nobody any more. */
class Taken extends Error {}
