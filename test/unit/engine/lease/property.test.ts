/**
 * Whatever happens to networks, clocks and processes: never do two surely hold one lease (FINDINGS K15), and when all is well again somebody
 * gets it.
 */
import * as fc from 'fast-check';
import { expect, test } from '@jest/globals';
import type { HeldLease } from '../../../../pkg/engine/lease/hold.ts';
import { scene, type Laptop, type Scene } from './scene.ts';

/** $LEASE_RUNS: how many stories. */
const RUNS = Number(process.env['LEASE_RUNS'] ?? 60);

type Event =
  | { readonly kind: 'network'; readonly who: number; readonly state: Laptop['network'] }
  | { readonly kind: 'set clock'; readonly who: number; readonly by: number }
  /** The process stops, or goes on. */
  | { readonly kind: 'stop'; readonly who: number; readonly stopped: boolean }
  | { readonly kind: 'acquire'; readonly who: number }
  | { readonly kind: 'release'; readonly who: number }
  /** Wants to send something. */
  | { readonly kind: 'send'; readonly who: number }
  /** All stand still: nobody's timers wake in time. */
  | { readonly kind: 'freeze'; readonly seconds: number };

const who = fc.nat({ max: 1 });
const event: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('network' as const),
      who,
      state: fc.constantFrom('there', 'slow', 'slow', 'hung', 'refused', 'deaf'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('set clock' as const),
      who,
      by: fc.integer({ min: -100_000, max: 100_000 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('stop' as const), who, stopped: fc.boolean() }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('acquire' as const), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('release' as const), who }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('send' as const), who }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('freeze' as const), seconds: fc.integer({ min: 1, max: 40 }) }),
  },
);
const story = fc.array(fc.tuple(event, fc.integer({ min: 0, max: 12_000 })), { minLength: 5, maxLength: 30 });

interface Actor {
  readonly laptop: Laptop;
  lease: HeldLease | null;
  busy: boolean;
}

/** Tries again until it has it. */
async function insist(actor: Actor): Promise<void> {
  const { laptop } = actor;
  for (let tries = 0; tries < 20; tries++) {
    try {
      actor.lease = (await laptop.acquire('scale')).lease;
      return;
    } catch {
      await laptop.clock.sleep(1_000);
    }
  }
}

function play({ clock }: Scene, actor: Actor, what: Event): void {
  const { laptop } = actor;
  switch (what.kind) {
    case 'network':
      laptop.network = what.state;
      return;
    case 'set clock':
      laptop.clock.ahead += what.by;
      return;
    case 'stop':
      laptop.stop(what.stopped);
      return;
    case 'acquire':
      if (actor.busy || actor.lease?.isOpen() === true) return;
      actor.busy = true;
      void insist(actor).finally(() => (actor.busy = false));
      return;
    case 'release':
      void actor.lease?.release();
      return;
    case 'send':
      actor.lease?.pass().catch(() => undefined);
      return;
    case 'freeze':
      clock.block(what.seconds * 1_000);
      return;
    default:
      what satisfies never;
  }
}

/** Looks at both every half second. @returns how often one of them had it */
async function watch({ clock }: Scene, actors: readonly Actor[], milliseconds: number): Promise<number> {
  let held = 0;
  for (let left = milliseconds; left >= 0; left -= 500) {
    await clock.pass(Math.min(500, Math.max(0, left)));
    const holders = actors.filter(({ lease }) => lease?.isOpen() === true).length;
    expect(holders).toBeLessThanOrEqual(1);
    held += holders;
  }
  return held;
}

test(
  'K15: never two at a time, and never nobody for good',
  async () => {
    let held = 0;
    await fc.assert(
      fc.asyncProperty(story, async (events) => {
        const given = scene();
        const actors = [given.ann, given.bob].map((laptop): Actor => ({ laptop, lease: null, busy: false }));
        for (const [what, pauseMs] of events) {
          const actor = actors['who' in what ? what.who : 0];
          if (actor !== undefined) play(given, actor, what);
          held += await watch(given, actors, pauseMs);
        }
        for (const { laptop, lease } of actors) {
          laptop.stop(false);
          laptop.network = 'there';
          void lease?.release();
        }
        // Who still wants it gets it, and gives it back.
        for (let turn = 0; turn < 3; turn++) {
          await watch(given, actors, 40_000);
          for (const { lease } of actors) void lease?.release();
        }
        const [first] = actors;
        if (first !== undefined) play(given, first, { kind: 'acquire', who: 0 });
        await watch(given, actors, 40_000);
        expect(first?.lease?.isOpen()).toBe(true);
      }),
      { numRuns: RUNS },
    );
    expect(held).toBeGreaterThan(RUNS);
  },
  60_000 + RUNS * 500,
);
