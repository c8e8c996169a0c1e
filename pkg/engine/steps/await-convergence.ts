/**
 * Polls all nodes, over connections that are open already, until they agree, and introduces those whom a handshake lost. A replica that
 * copies a large primary takes minutes: for as long as that gets on, nobody gives up.
 */
import { AppError } from '../../errors.ts';
import { interpret } from '../../cluster/interpret.ts';
import type { KubeFacts, Observation } from '../../cluster/model/observation.ts';
import type { ClusterNode, ClusterState } from '../../cluster/model/state.ts';
import { isConverged } from '../../cluster/plan/form.ts';
import { memberOf } from '../../cluster/evidence/members.ts';
import { meetUnknown } from '../../cluster/plan/unknown-nodes.ts';
import { observePods, type ObservePorts } from '../observe.ts';
import type { Report } from '../report.ts';
import { INTRODUCE_EVERY_MS, meet, type RedisStepDeps } from './redis-steps.ts';

/** Without a copy under way. Redis waits at most 5 s before a primary says ok, and a resync of an empty node takes well under one. */
const IDLE_DEADLINE_MS = 60_000;
/** At first a cluster agrees within milliseconds; one that copies for minutes need not be asked fifty times a second. */
const FIRST_POLL_MS = 20;
const LAST_POLL_MS = 500;
/** Pods get other addresses when they are replaced. */
const READ_FACTS_EVERY_MS = 10_000;
const ASK_DEADLINE_MS = 2_000;

export interface AwaitConvergenceOptions {
  readonly report: Report;
  readonly signal: AbortSignal;
  /** How long a copy may stand still, in milliseconds: `--timeout`. */
  readonly stillMs: number;
}

/** @throws AppError `no-convergence`, with what is missing */
export async function awaitConvergence(
  ports: ObservePorts,
  observation: Observation,
  { report, signal, stillMs }: AwaitConvergenceOptions,
): Promise<void> {
  const { clock } = ports;
  const { cluster } = observation;
  const startedAt = clock.monotonic();
  let introduceAt = startedAt + INTRODUCE_EVERY_MS;
  let kube: KubeFacts = observation.kube;
  let readAt = startedAt;
  let said = '';
  // What was there before is no progress: a copy that fails and begins again comes by the same marks each time.
  const marks = new Set<string>();
  let progressAt = startedAt;
  for (;;) {
    if (clock.monotonic() - readAt > READ_FACTS_EVERY_MS) {
      kube = await ports.kube.readFacts(cluster, signal);
      readAt = clock.monotonic();
    }
    const latest = await observePods(ports, cluster, kube, { deadlineMs: ASK_DEADLINE_MS, signal });
    const state = interpret(latest);
    if (isConverged(state)) return;
    const now = clock.monotonic();
    const sentence = whatIsMissing(state);
    if (sentence !== said) report({ kind: 'agreeing', sentence });
    said = sentence;
    const copies = state.nodes.flatMap(copyMark);
    const mark = `${sentence} ${copies.join(' ')}`;
    if (!marks.has(mark)) progressAt = now;
    marks.add(mark);
    const patienceMs = copies.length > 0 ? Math.max(stillMs, IDLE_DEADLINE_MS) : IDLE_DEADLINE_MS;
    if (now - progressAt > patienceMs) {
      throw new AppError(`The nodes did not agree, and got no further for ${patienceMs / 1000} s`, {
        code: 'no-convergence',
        cause: new Error(sentence),
        hint: `kubectl redis check ${cluster.name} says what is wrong; run the same command again to go on`,
      });
    }
    if (now > introduceAt) {
      await introduce({ ...ports, observation: latest, signal }, state);
      introduceAt = clock.monotonic() + INTRODUCE_EVERY_MS;
    }
    await clock.sleep(Math.min(LAST_POLL_MS, Math.max(FIRST_POLL_MS, (now - startedAt) / 20)), signal);
  }
}

/** What changes while a node copies or loads; none where it does neither. */
function copyMark({ reply, unreachable, pod }: ClusterNode): string[] {
  if (unreachable?.why === 'loading') return [`${pod?.name ?? ''} ${unreachable.detail}`];
  const copied = reply?.kind === 'answered' ? reply.answer.info.copied : undefined;
  return copied === undefined ? [] : [`${pod?.name ?? ''} ${copied}`];
}

/** What fails is tried again: the deadline is that of the whole. */
async function introduce(deps: RedisStepDeps, state: ClusterState): Promise<void> {
  const steps = meetUnknown(state.nodes.flatMap(memberOf));
  await Promise.allSettled(steps.map((step) => meet(deps, step)));
}

/** How far the nodes have come, in a sentence with numbers. */
export function whatIsMissing(state: ClusterState): string {
  const asked = state.nodes.filter((node) => node.pod !== null);
  const answers = asked.flatMap((node) => (node.reply?.kind === 'answered' ? [node.reply.answer] : []));
  const ok = answers.filter((answer) => answer.clusterInfo.state === 'ok').length;
  const complete = answers.filter((answer) => answer.view.length === asked.length).length;
  const following = answers.filter(
    (answer) => answer.info.role === 'primary' || answer.info.primaryLinkUp === true,
  ).length;
  const copying = answers.filter(({ info }) => info.role === 'replica' && info.syncInProgress).length;
  const copies = copying === 0 ? '' : `, ${copying} ${copying === 1 ? 'copies its' : 'copy their'} data`;
  return `${answers.length} of ${asked.length} nodes answer, ${complete} know all others, ${ok} say ok, ${following} have their link${copies}`;
}
