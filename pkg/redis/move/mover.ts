/** The SlotMover: looks where the slots stand, picks the back end that both ends can do, and proves the result. */
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { formatRanges, rangesFromSlots, slotsFromRanges } from '../../cluster/model/slots.ts';
import type { SlotRanges } from '../../cluster/model/slots.ts';
import type { SlotMove, SlotMover } from '../../engine/ports.ts';
import type { ConnectionPool, PoolDeps } from '../pool.ts';
import { importAtTarget } from './atomic-import.ts';
import { exportFromSource } from './atomic-export.ts';
import { moveAtomically } from './atomic.ts';
import type { KeyConflict } from './conflicts.ts';
import { chooseWay } from './capability.ts';
import { stopIfAborted } from './context.ts';
import type { MoveContext, Moved } from './context.ts';
import { awaitSettledEpochs } from './epochs.ts';
import { lacksOf } from './lacks.ts';
import { leaveFewOpen } from './leave-few-open.ts';
import { awaitTarget, viewsOfEnds } from './look.ts';
import { moveByMigrate } from './migrate-backend.ts';
import { nameOwner } from './own.ts';
import { NodeLine } from './node-line.ts';
import type { Patience } from './patience.ts';
import type { Roles } from './roles.ts';
import { checkRoom } from './room.ts';
import { mustBeOurs, survey } from './survey.ts';
import type { Survey } from './survey.ts';
import { portForKeys } from './target-port.ts';
import type { Turns } from './turns.ts';
import { readWeights } from './weigh.ts';

/**
 * What passes when it is looked at anew: a broken tunnel, a target that forgot an open slot over a restart, slots that an
 * earlier job of the servers themselves took away in between.
 */
const PASSING: ReadonlySet<string> = new Set(['tunnel', 'error', 'timeout', 'slot-closed', 'migration-refused']);
/** What a failover of an end looks like from within: what it was, a look tells. */
const MAY_BE_FAILOVER: ReadonlySet<string> = new Set([
  'migrate-failed',
  'step-failed',
  'slot-closed',
  'moved-by-others',
  'source-doubted',
]);
const NOT_VERIFIED = 'not-verified';
/** Attempts without a single key or slot between them; and proofs that failed, whatever was moved for each. */
const MAX_ATTEMPTS = 3;
const BEFORE_NEXT_MS = 500;
const PROVED_WITHIN_MS = 10_000;
/** Gossip gives no slot to a target that its source does not claim any more: that is no wait, but lost. */
const LOST_AFTER_MS = 1_000;
const PROVE_EVERY_MS = 10;
const NOTHING: Moved = { slots: 0, keys: 0, bytes: 0 };

export interface MoverDeps extends Pick<PoolDeps, 'credentials'> {
  /** Where copies of keys go that lose against the owner's; without it, such a move stops. */
  readonly saveConflict?: (conflict: KeyConflict) => Promise<void>;
  readonly pool: ConnectionPool;
  /** Of all that moves keys over this pool. */
  readonly turns: Turns;
  readonly patience: Patience;
  readonly roles: Roles;
}

export function createSlotMover(deps: MoverDeps): SlotMover {
  const { turns, patience, roles } = deps;
  return {
    move: async (move, limits, onProgress, signal, fence) => {
      let done = NOTHING;
      const context: MoveContext = {
        source: new NodeLine(deps.pool, move.source, fence),
        target: new NodeLine(deps.pool, move.target, fence),
        others: move.others.map((other) => new NodeLine(deps.pool, other, fence)),
        targetLogin: await deps.credentials(move.target.pod),
        targetPort: move.target.port,
        limits,
        signal,
        turns,
        patience,
        movesToTarget: () => roles.movesTo(move.target.nodeId),
        weights: { meanBytes: 0, weighAll: true },
        ...(deps.saveConflict === undefined ? {} : { saveConflict: deps.saveConflict }),
        count: ({ slots = 0, keys = 0, bytes = 0 }) => {
          done = add(done, { slots, keys, bytes });
          onProgress({ ...done, arriving: 0 });
        },
        expect: ({ slots, keys, bytes }) => {
          onProgress({ ...add(done, { slots: 0, keys, bytes }), arriving: slots });
        },
      };
      const { source, target } = context;
      return roles.hold(source.end.nodeId, target.end.nodeId, async () => {
        await moveUntilDone(context, move, () => done);
        return { ...done, arriving: 0 };
      });
    },
    lacks: ({ source, target, ranges }, signal) => {
      const ends = { source: new NodeLine(deps.pool, source), target: new NodeLine(deps.pool, target) };
      return lacksOf({ ...ends, signal, movesToTarget: () => 1 }, slotsFromRanges(ranges));
    },
  };
}

function add(one: Moved, other: Moved): Moved {
  return { slots: one.slots + other.slots, keys: one.keys + other.keys, bytes: one.bytes + other.bytes };
}

async function moveUntilDone(
  context: MoveContext,
  { ranges, marks = [] }: SlotMove,
  progress: () => Moved,
): Promise<void> {
  const known = new Set(marks);
  let attempts = 0;
  let unproved = 0;
  for (;;) {
    const before = progress();
    try {
      stopIfAborted(context);
      const found = await lookAtSlots(context, ranges);
      mustBeOurs(found.foreign, context.target.end.nodeId, found.drain, known);
      if (countLeft(found) === 0) return;
      await moveFound(context, found);
      return await proveMoved(context, () => lookAtSlots(context, ranges));
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      if (error.code === 'target-out-of-memory') throw await stoppedForRoom(context, ranges, error);
      if (MAY_BE_FAILOVER.has(error.code)) await lookAtSlots(context, ranges);
      // Moving anew is progress, too: with a rival that takes the slots again and again, it would never end.
      if (error.code === NOT_VERIFIED && ++unproved < MAX_ATTEMPTS) continue;
      if (!PASSING.has(error.code)) throw error;
      attempts = progress() === before ? attempts + 1 : 1;
      if (attempts >= MAX_ATTEMPTS) throw error;
      await delay(BEFORE_NEXT_MS);
    }
  }
}

/** What can't be tidied stays open: why it stopped is what a person must hear. */
async function stoppedForRoom(context: MoveContext, ranges: SlotRanges, error: AppError): Promise<AppError> {
  const open = await leaveFewOpen(context, ranges).catch(() => null);
  if (open === 0) return error;
  const { message, code, exitCode, cause, hint } = error;
  const back =
    'Slots that are open still work; kubectl redis fix takes them back, or goes on where there is room by then';
  return new AppError(message, { code, exitCode, cause, hint: hint === undefined ? back : `${hint}. ${back}` });
}

async function lookAtSlots(context: MoveContext, ranges: SlotRanges): Promise<Survey> {
  const views = await viewsOfEnds(context);
  const ends = { sourceId: context.source.end.nodeId, targetId: context.target.end.nodeId };
  return survey(ranges, ends, views.source, views.target);
}

function countLeft({ drain, claim, tell }: Survey): number {
  return drain.length + claim.length + tell.length;
}

/** What lies between two owners, and slots that are open, first and by MIGRATE; the rest as both ends can. */
async function moveFound(context: MoveContext, found: Survey): Promise<void> {
  if (found.misnamed.length > 0) await nameOwner(context, found.misnamed);
  await awaitTarget(context);
  await moveByMigrate(context, { ...found, drain: [] });
  await awaitSettledEpochs(context);
  [context.weights, context.targetPort] = await Promise.all([readWeights(context), portForKeys(context)]);
  const way = await chooseWay(context);
  await checkRoom(context, way, found);
  const rest = { ...found, claim: [], tell: [] };
  if (way === 'migrate') return moveByMigrate(context, rest);
  await moveByMigrate(context, { ...rest, drain: [...found.marked] });
  const closed = found.drain.filter((slot) => !found.marked.has(slot));
  const left = await moveAtomically(context, way === 'import' ? importAtTarget : exportFromSource, closed);
  await moveByMigrate(context, { ...rest, drain: left });
}

/** Both ends must say so themselves: +OK is no proof. The one that did not make the change may hear of it by gossip. */
async function proveMoved(context: MoveContext, look: () => Promise<Survey>): Promise<void> {
  const from = performance.now();
  for (;;) {
    const found = await look();
    if (countLeft(found) === 0) return;
    const patience = found.claim.length > 0 ? LOST_AFTER_MS : PROVED_WITHIN_MS;
    if (performance.now() > from + patience) throw notProved(found);
    await delay(PROVE_EVERY_MS);
    stopIfAborted(context);
  }
}

function notProved(found: Survey): AppError {
  const left = formatRanges(rangesFromSlots([...found.drain, ...found.claim, ...found.tell]));
  return new AppError(`Slots ${left} did not stay with their new owner`, {
    code: NOT_VERIFIED,
    hint: 'Look at kubectl redis status, then run the same command again',
  });
}
