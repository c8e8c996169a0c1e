/** The RedisPort on real servers, and what moves keys beside it. */
import type { NodeReply, PodFacts } from '../cluster/model/observation.ts';
import { AppError } from '../errors.ts';
import { MAX_TUNNELS, type AskOptions, type RedisPort, type SlotMover, type StraySettler } from '../engine/ports.ts';
import { askNode } from './ask.ts';
import { AskTurns } from './ask-turns.ts';
import { behindFence } from './behind-fence.ts';
import { LostWhileIdle, inTime, withLease } from './converse.ts';
import type { Conversation } from './converse.ts';
import { createClusterNodesParser } from './parse/cluster-nodes.ts';
import type { MoverDeps } from './move/mover.ts';
import { Patience } from './move/patience.ts';
import { Roles } from './move/roles.ts';
import { Turns } from './move/turns.ts';
import { ConnectionPool } from './pool.ts';
import type { PoolDeps } from './pool.ts';
import { asUnreachable, Denied, isUnreachableReason } from './why.ts';

/** Where the password for a pod came from. */
export interface LoginSource {
  readonly user: string;
  /** The Secret that holds it; null where none does. */
  readonly secret: string | null;
  /** For people: `the password of Secret shop-auth was given`. */
  readonly words: string;
}

export interface RedisPortDeps extends PoolDeps, Pick<MoverDeps, 'saveConflict'> {
  /** Asked only where a login was refused. */
  readonly loginSource?: (pod: PodFacts) => Promise<LoginSource>;
}

/** They share their connections. */
export interface Redis extends RedisPort {
  readonly mover: SlotMover;
  readonly strays: StraySettler;
}

/** A port whose connections stay open until its close(). */
export function createRedisPort(deps: RedisPortDeps): Redis {
  const pool = new ConnectionPool(deps);
  // One for all moves: they know which node is busy, and as what.
  const moving = { ...deps, pool, turns: new Turns(), patience: new Patience(), roles: new Roles() };
  let mover: Promise<SlotMover> | null = null;
  let strays: Promise<StraySettler> | null = null;
  const parseNodes = createClusterNodesParser();
  const askTurns = new AskTurns(MAX_TUNNELS, MAX_TUNNELS);
  // Few verbs move slots: the others need not load it.
  const moverOf = (): Promise<SlotMover> =>
    (mover ??= import('./move/mover.ts').then(({ createSlotMover }) => createSlotMover(moving)));
  return {
    ask: async (pod, options) => {
      const turn = await askTurns.take();
      try {
        const reply = await ask(pool, pod, options, (connection, stage) =>
          askNode(connection, options, parseNodes, stage),
        );
        return await withSource(reply, pod, deps.loginSource);
      } finally {
        turn.end();
      }
    },
    run: (pod, commands, deadlineMs, fence) =>
      behindFence(fence, async (send) => {
        try {
          return await inTime(deadlineMs, (stage) =>
            withLease(pool, pod, stage, async (connection) => {
              // First this and then the rest: what changes something must not run as another user than was meant.
              await connection.authenticate();
              return send(connection, (ready) => ready.exec(commands));
            }),
          );
        } catch (error) {
          const { code, message, cause } = asUnreachable(error);
          throw new AppError(`Pod ${pod.name}: ${message}`, { code, ...(cause === undefined ? {} : { cause }) });
        }
      }),
    mover: {
      move: async (...move) => (await moverOf()).move(...move),
      lacks: async (...move) => (await moverOf()).lacks(...move),
    },
    strays: {
      settle: async (...job) => {
        strays ??= import('./strays/settler.ts').then(({ createStraySettler }) => createStraySettler(moving));
        return (await strays).settle(...job);
      },
    },
    close: () => pool.close(),
  };
}

async function ask(
  pool: ConnectionPool,
  pod: PodFacts,
  options: AskOptions,
  converse: Conversation<Extract<NodeReply, { kind: 'answered' }>['answer']>,
): Promise<NodeReply> {
  const startedAt = performance.now();
  try {
    const answer = await inTime(options.deadlineMs, async (stage) => {
      try {
        return await withLease(pool, pod, stage, converse);
      } catch (error) {
        // A connection that had been idle may have been lost unnoticed; to ask twice does no harm.
        if (!(error instanceof LostWhileIdle) || stage.over) throw error;
        return await withLease(pool, pod, stage, converse);
      }
    });
    return { kind: 'answered', answer, elapsedMs: Math.round(performance.now() - startedAt) };
  } catch (error) {
    const { code, message } = asUnreachable(error);
    const denied = error instanceof Denied ? { login: { user: error.user, secret: null, denied: error.commands } } : {};
    return { kind: 'unreachable', why: isUnreachableReason(code) ? code : 'error', detail: message, ...denied };
  }
}

/** Says of a login that was refused what it was tried with. */
async function withSource(reply: NodeReply, pod: PodFacts, sourceOf: RedisPortDeps['loginSource']): Promise<NodeReply> {
  if (reply.kind === 'answered' || reply.why !== 'auth' || sourceOf === undefined) return reply;
  // Where even that can't be found out, the server's words must do.
  const source = await sourceOf(pod).catch(() => null);
  if (source === null) return reply;
  const { user, secret, words } = source;
  return { ...reply, detail: `${reply.detail.replace(/\.$/, '')} (${words})`, login: { user, secret, denied: [] } };
}
