/** The SlotMover: looks where the slots stand, picks the back end that both ends can do, and proves the result. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { formatRanges, rangesFromSlots } from '../../cluster/model/slots.ts';
import type { MoveProgress, SlotMover } from '../../engine/ports.ts';
import type { ConnectionPool, PoolDeps } from '../pool.ts';
import { importAtTarget } from './atomic-import.ts';
import { exportFromSource } from './atomic-export.ts';
import { moveAtomically } from './atomic.ts';
import type { KeyConflict } from './conflicts.ts';
import { chooseWay } from './capability.ts';
import { stopIfAborted } from './context.ts';
import type { MoveContext } from './context.ts';
import { awaitTarget, viewsOfEnds } from './look.ts';
import { moveByMigrate } from './migrate-backend.ts';
import { NodeLine } from './node-line.ts';
import { checkRoom } from './room.ts';
import { survey } from './survey.ts';
import type { Survey } from './survey.ts';
import { Turns } from './turns.ts';
import { readWeights } from './weigh.ts';
import type { Weights } from './weigh.ts';

/**
 * What passes when it is looked at anew: a broken tunnel, a target that forgot an open slot over a restart, slots that an
 * earlier job of the servers themselves took away in between.
 */
const PASSING: ReadonlySet<string> = new Set(['tunnel', 'error', 'timeout', 'slot-closed', 'migration-refused']);
/** Attempts without a single key or slot between them. */
const MAX_ATTEMPTS = 3;
const BEFORE_NEXT_MS = 500;
const PROVED_WITHIN_MS = 10_000;
const PROVE_EVERY_MS = 10;

export interface MoverDeps extends Pick<PoolDeps, 'credentials'> {
  /** Where copies of keys go that lose against the owner's; without it, such a move stops. */
  readonly saveConflict?: (conflict: KeyConflict) => Promise<void>;
  readonly pool: ConnectionPool;
}

export function createSlotMover(deps: MoverDeps): SlotMover {
  const turns = new Turns();
  return {
    move: async (move, limits, onProgress, signal) => {
      let done: MoveProgress = { slots: 0, keys: 0, bytes: 0 };
      let weights: Weights = { meanBytes: 0, weighAll: true };
      const context: MoveContext = {
        source: new NodeLine(deps.pool, move.source),
        target: new NodeLine(deps.pool, move.target),
        others: move.others.map((other) => new NodeLine(deps.pool, other)),
        targetLogin: await deps.credentials(move.target.pod),
        limits,
        signal,
        turns,
        get weights() {
          return weights;
        },
        ...(deps.saveConflict === undefined ? {} : { saveConflict: deps.saveConflict }),
        count: ({ slots = 0, keys = 0, bytes = 0 }) => {
          done = { slots: done.slots + slots, keys: done.keys + keys, bytes: done.bytes + bytes };
          onProgress(done);
        },
      };
      const look = (): Promise<Survey> => lookAtSlots(context, move.ranges);
      let attempts = 0;
      for (;;) {
        const before = done;
        try {
          stopIfAborted(context);
          const found = await look();
          if (countLeft(found) === 0) return done;
          await awaitTarget(context);
          weights = await readWeights(context);
          await moveFound(context, found);
          await proveMoved(context, look);
          return done;
        } catch (error) {
          if (!(error instanceof AppError) || !PASSING.has(error.code)) throw error;
          attempts = done === before ? attempts + 1 : 1;
          if (attempts >= MAX_ATTEMPTS) throw error;
          await delay(BEFORE_NEXT_MS);
        }
      }
    },
  };
}

async function lookAtSlots(context: MoveContext, ranges: Parameters<typeof survey>[0]): Promise<Survey> {
  const views = await viewsOfEnds(context);
  const ends = { sourceId: context.source.end.nodeId, targetId: context.target.end.nodeId };
  return survey(ranges, ends, views.source, views.target);
}

function countLeft({ drain, claim, tell }: Survey): number {
  return drain.length + claim.length + tell.length;
}

/** What lies between two owners, and slots that are open, first and by MIGRATE; the rest as both ends can. */
async function moveFound(context: MoveContext, found: Survey): Promise<void> {
  const way = await chooseWay(context);
  await checkRoom(context, way, found);
  if (way === 'migrate') return moveByMigrate(context, found);
  await moveByMigrate(context, { ...found, drain: [...found.marked] });
  const closed = found.drain.filter((slot) => !found.marked.has(slot));
  const left = await moveAtomically(context, way === 'import' ? importAtTarget : exportFromSource, closed);
  await moveByMigrate(context, { ...found, claim: [], tell: [], drain: left });
}

/** Both ends must say so themselves: +OK is no proof. The one that did not make the change may hear of it by gossip. */
async function proveMoved(context: MoveContext, look: () => Promise<Survey>): Promise<void> {
  const until = performance.now() + PROVED_WITHIN_MS;
  for (;;) {
    const found = await look();
    if (countLeft(found) === 0) return;
    if (performance.now() > until) throw notProved(found);
    await delay(PROVE_EVERY_MS);
    stopIfAborted(context);
  }
}

function notProved(found: Survey): AppError {
  const left = formatRanges(rangesFromSlots([...found.drain, ...found.claim, ...found.tell]));
  return new AppError(`Slots ${left} did not stay with their new owner`, {
    code: 'not-verified',
    hint: 'Look at kubectl redis status, then run the same command again',
  });
}
