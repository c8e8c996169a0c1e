/**
 * Polls all nodes, over connections that are open already, until they agree, and introduces those whom a handshake lost. Kubernetes is not
 * asked again.
 */
import { AppError } from '../../errors.ts';
import { interpret } from '../../cluster/interpret.ts';
import type { Observation } from '../../cluster/model/observation.ts';
import type { ClusterState } from '../../cluster/model/state.ts';
import { isConverged } from '../../cluster/plan/form.ts';
import { memberOf } from '../../cluster/evidence/members.ts';
import { meetUnknown } from '../../cluster/plan/unknown-nodes.ts';
import { observePods, type ObservePorts } from '../observe.ts';
import type { Report } from '../report.ts';
import { INTRODUCE_EVERY_MS, meet, type RedisStepDeps } from './redis-steps.ts';

/** Redis waits at most 5 s before a primary says ok, and a full resync of an empty node takes well under one. */
const DEADLINE_MS = 60_000;
const POLL_EVERY_MS = 20;
const ASK_DEADLINE_MS = 2_000;

export async function awaitConvergence(
  ports: ObservePorts,
  observation: Observation,
  report: Report,
  signal: AbortSignal,
): Promise<void> {
  const deadline = ports.clock.now() + DEADLINE_MS;
  let introduceAt = ports.clock.now() + INTRODUCE_EVERY_MS;
  let said = '';
  for (;;) {
    const latest = await observePods(ports, observation.cluster, observation.kube, {
      deadlineMs: ASK_DEADLINE_MS,
      signal,
    });
    const state = interpret(latest);
    if (isConverged(state)) return;
    const sentence = whatIsMissing(state);
    if (sentence !== said) report({ kind: 'agreeing', sentence });
    said = sentence;
    if (ports.clock.now() > deadline) {
      throw new AppError(`The nodes did not agree within ${DEADLINE_MS / 1000} s`, {
        code: 'no-convergence',
        cause: new Error(sentence),
        hint: `kubectl redis check ${observation.cluster.name} says what is wrong; run the same command again to go on`,
      });
    }
    if (ports.clock.now() > introduceAt) {
      await introduce({ ...ports, observation: latest, signal }, state);
      introduceAt = ports.clock.now() + INTRODUCE_EVERY_MS;
    }
    await ports.clock.sleep(POLL_EVERY_MS, signal);
  }
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
  return `${answers.length} of ${asked.length} nodes answer, ${complete} know all others, ${ok} say ok, ${following} have their link`;
}
