/**
 * A coordinated failover: the old primary pauses its clients until the replica has everything, so nothing is lost (law L7). Verified by
 * role in all views, and by offset.
 */
import { AppError } from '../../errors.ts';
import { keysLacking } from '../../cluster/evidence/lacking-keys.ts';
import type { ServerInfo } from '../../cluster/model/observation.ts';
import type { Step, StepNode } from '../../cluster/model/plan.ts';
import { awaitSeenLeading } from './lead.ts';
import { nodeTimeoutOf, untilVotersCan } from './voters.ts';
import { onNode, ownLineOf, podOf, until, type RedisStepDeps } from './redis-steps.ts';

type FailoverStep = Extract<Step, { kind: 'failover' }>;

/** Redis holds a second election four node timeouts after one that was lost, and no sooner. */
const ELECTIONS_APART = 4;
const MARGIN_MS = 1_000;
const ASK_DEADLINE_MS = 2_000;

/** @throws AppError `step-failed`, `writes-missing`, `not-verified` */
export async function failover(deps: RedisStepDeps, step: FailoverStep): Promise<void> {
  const pod = podOf(deps, step.node);
  const [info] = await onNode(deps, pod, step.node, [['INFO', 'replication']]);
  const done = isPrimary(info);
  const before = done ? 0 : await offsetOfPrimary(deps, step);
  if (!done) {
    await refuseIncomplete(deps, step);
    await takeRole(deps, step);
  }
  await awaitSeenLeading(deps, step.node);
  const [replication] = await onNode(deps, pod, step.node, [['INFO', 'replication']]);
  const after = offsetIn(replication);
  if (after >= before) return;
  throw new AppError(`${step.node.pod} leads and lacks ${before - after} bytes of what ${step.primary.pod} had`, {
    code: 'writes-missing',
    hint: 'The old primary drops them when it follows. Look for them in its append-only file before it is rewritten',
  });
}

/** The look that planned this may be old. @throws AppError `replica-incomplete` */
async function refuseIncomplete(deps: RedisStepDeps, { node, primary }: FailoverStep): Promise<void> {
  const ask = async (one: StepNode): Promise<ServerInfo | null> => {
    const reply = await deps.redis.ask(podOf(deps, one), { deadlineMs: ASK_DEADLINE_MS });
    return reply.kind === 'answered' ? reply.answer.info : null;
  };
  const [heir, old] = await Promise.all([ask(node), ask(primary)]);
  const lacking = heir === null || old === null ? 0 : keysLacking(heir, [old]);
  if (lacking === 0) return;
  throw new AppError(`${node.pod} has heard all that ${primary.pod} said, and lacks ${lacking} of its keys`, {
    code: 'replica-incomplete',
    hint: 'It was not given the role. kubectl redis check says how it copies its primary anew',
  });
}

async function takeRole(deps: RedisStepDeps, step: FailoverStep): Promise<void> {
  const pod = podOf(deps, step.node);
  const nodeTimeoutMs = await nodeTimeoutOf(deps, step);
  await untilVotersCan(deps, step, nodeTimeoutMs);
  const askAgainMs = ELECTIONS_APART * nodeTimeoutMs + MARGIN_MS;
  let askedAt = -Infinity;
  let refused = '';
  const leads = async (): Promise<boolean> => {
    const [info] = await onNode(deps, pod, step.node, [['INFO', 'replication']]);
    if (isPrimary(info)) return followsNow(deps, step);
    if (deps.clock.monotonic() - askedAt < askAgainMs) return false;
    askedAt = deps.clock.monotonic();
    const [reply] = await onNode(deps, pod, step.node, [['CLUSTER', 'FAILOVER']]);
    refused = reply instanceof Error ? reply.message : '';
    return false;
  };
  const what = `${step.node.pod} leads in place of ${step.primary.pod}`;
  await until(deps, what, leads, 2 * askAgainMs).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'not-verified') throw error;
    const why = refused === '' ? 'it got no majority of the primaries twice' : refused;
    throw new AppError(`${step.node.pod} did not take over`, {
      code: 'step-failed',
      cause: new Error(why),
      hint: 'kubectl redis check says whether all nodes reach each other; then run the same command again',
    });
  });
}

async function followsNow(deps: RedisStepDeps, { node, primary }: FailoverStep): Promise<boolean> {
  const [nodes] = await onNode(deps, podOf(deps, primary), primary, [['CLUSTER', 'NODES']]);
  return ownLineOf(String(nodes))?.includes(node.nodeId) === true;
}

async function offsetOfPrimary(deps: RedisStepDeps, { primary }: FailoverStep): Promise<number> {
  const [replication] = await onNode(deps, podOf(deps, primary), primary, [['INFO', 'replication']]);
  return offsetIn(replication);
}

function isPrimary(info: unknown): boolean {
  return /^role:master/m.test(String(info));
}

function offsetIn(info: unknown): number {
  return Number(/^master_repl_offset:(\d+)/m.exec(String(info))?.[1] ?? 0);
}
