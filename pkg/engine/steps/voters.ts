/**
 * Whether an election can be won now. A lost one costs 5 s of paused writes, and Redis holds the next only four node timeouts after it, so
 * what would lose it for certain is waited out before it is asked for:
 *
 * - A voter gives no second vote against a primary within two node timeouts. One that has only just got its role may have lost it just before.
 * - A vote comes over the voter's own link to the replica. To a replica that has just been restarted such a link may still be under
 *   way, to an address behind which the old pod was; everybody shows it as connected.
 */
import type { Step } from '../../cluster/model/plan.ts';
import { onNode, podOf, type RedisStepDeps } from './redis-steps.ts';

type FailoverStep = Extract<Step, { kind: 'failover' }>;

/** What Redis has where CONFIG GET is not allowed. */
const DEFAULT_NODE_TIMEOUT_MS = 15_000;
/** INFO and CLIENT LIST count whole seconds; a restart takes a few. */
const START_SECONDS = 5;
const MARGIN_MS = 1_000;
const LOOK_EVERY_MS = 100;
const MOST_WAIT_MS = 60_000;
/** In a reply of CLUSTER LINKS: who has a link to the one that was asked. */
const ARRIVED = /"from","node","([0-9a-f]{40})"/g;

export async function nodeTimeoutOf(deps: RedisStepDeps, { node }: FailoverStep): Promise<number> {
  const [reply] = await onNode(deps, podOf(deps, node), node, [['CONFIG', 'GET', 'cluster-node-timeout']]);
  const value = Array.isArray(reply) ? Number(reply[1]) : Number.NaN;
  return Number.isFinite(value) && value > 0 ? value : DEFAULT_NODE_TIMEOUT_MS;
}

/**
 * Waits for all links for one node timeout, then for those of a majority, for at most a minute: a link that hangs is made anew only when the
 * voter hears nothing from the replica for half a node timeout, and that is a matter of luck.
 */
export async function untilVotersCan(deps: RedisStepDeps, step: FailoverStep, nodeTimeoutMs: number): Promise<void> {
  const { clock, signal } = deps;
  const freeInMs = await untilFree(deps, step, nodeTimeoutMs);
  if (freeInMs > 0) await clock.sleep(freeInMs, signal);
  const begun = clock.monotonic();
  for (;;) {
    const share = await linkedShare(deps, step, nodeTimeoutMs);
    const waited = clock.monotonic() - begun;
    if (share === 1 || waited > MOST_WAIT_MS || (waited > nodeTimeoutMs && share > 0.5)) return;
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

/**
 * Milliseconds. When the primary got its role is told by how long its replica has been connected to it, unless the replica has only
 * just been started; then there is nothing to tell it by.
 */
async function untilFree(deps: RedisStepDeps, step: FailoverStep, nodeTimeoutMs: number): Promise<number> {
  const { primary } = step;
  const [clients] = await onNode(deps, podOf(deps, primary), primary, [['CLIENT', 'LIST', 'TYPE', 'replica']]);
  const ages = [...String(clients).matchAll(/ age=(\d+) /g)].map((match) => Number(match[1]));
  const youngest = Math.min(...ages);
  if (ages.length === 0 || (await uptimeSeconds(deps, step)) < youngest + START_SECONDS) return 0;
  return 2 * nodeTimeoutMs + MARGIN_MS - youngest * 1000;
}

/** How many of the primaries have a link that has arrived at the replica, 0 to 1; before 7.0 nobody tells. */
async function linkedShare(deps: RedisStepDeps, step: FailoverStep, nodeTimeoutMs: number): Promise<number> {
  const [links] = await onNode(deps, podOf(deps, step.node), step.node, [['CLUSTER', 'LINKS']]);
  if (links instanceof Error) return (await uptimeSeconds(deps, step)) * 1000 > nodeTimeoutMs ? 1 : 0;
  const arrived = new Set([...JSON.stringify(links).matchAll(ARRIVED)].map((match) => match[1]));
  const voters = votersOf(deps);
  return voters.length === 0 ? 1 : voters.filter((id) => arrived.has(id)).length / voters.length;
}

function votersOf({ observation }: RedisStepDeps): string[] {
  return observation.replies.flatMap(({ reply }) => {
    if (reply.kind !== 'answered' || reply.answer.info.role !== 'primary') return [];
    const own = reply.answer.view.find((line) => line.nodeId === reply.answer.myId);
    return own === undefined || own.slots.length === 0 ? [] : [own.nodeId];
  });
}

async function uptimeSeconds(deps: RedisStepDeps, { node }: FailoverStep): Promise<number> {
  const [server] = await onNode(deps, podOf(deps, node), node, [['INFO', 'server']]);
  return Number(/^uptime_in_seconds:(\d+)/m.exec(String(server))?.[1] ?? 0);
}
