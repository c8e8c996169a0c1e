/** Steps that change who leads and who belongs: each is over when the nodes themselves show it. */
import { AppError } from '../../errors.ts';
import type { Step, StepKind, StepNode } from '../../cluster/model/plan.ts';
import { awaitSeenLeading } from './lead.ts';
import { onNode, podOf, until, type RedisStepDeps } from './redis-steps.ts';

type Of<K extends StepKind> = Extract<Step, { kind: K }>;

/** A coordinated failover gives up after 5 s of its own (`cluster-manual-failover-timeout`), and may be asked for again. */
const ASK_AGAIN_MS = 6_000;
/** Within 60 s a node that was told to forget another does not take it back from gossip. */
const FORGET_DEADLINE_MS = 20_000;
const EMPTY_DEADLINE_MS = 60_000;

/**
 * The old primary pauses its clients until the replica has everything, so nothing is lost (law L7). Verified by role in all
 * views, and by offset: who leads then has at least what the old primary had when it was asked.
 */
export async function failover(deps: RedisStepDeps, step: Of<'failover'>): Promise<void> {
  const pod = podOf(deps, step.node);
  let askedAt = -Infinity;
  let refused = '';
  const before = await offsetBefore(deps, step);
  await until(deps, `${step.node.pod} leads in place of ${step.primary.pod}`, async () => {
    const [info] = await onNode(deps, pod, step.node, [['INFO', 'replication']]);
    if (/^role:master/m.test(String(info))) return followsNow(deps, step);
    if (deps.clock.now() - askedAt < ASK_AGAIN_MS) return false;
    askedAt = deps.clock.now();
    const [reply] = await onNode(deps, pod, step.node, [['CLUSTER', 'FAILOVER']]);
    refused = reply instanceof Error ? reply.message : '';
    return false;
  }).catch((error: unknown) => {
    throw refused === ''
      ? error
      : new AppError(`${step.node.pod} did not take over`, { code: 'step-failed', cause: new Error(refused) });
  });
  await awaitSeenLeading(deps, step.node);
  const [info] = await onNode(deps, pod, step.node, [['INFO', 'replication']]);
  const after = offsetIn(info);
  if (after >= before) return;
  throw new AppError(`${step.node.pod} leads and lacks ${before - after} bytes of what ${step.primary.pod} had`, {
    code: 'writes-missing',
    hint: 'The old primary drops them when it follows. Look for them in its append-only file before it is rewritten',
  });
}

/** What the primary has; 0 when the replica has its role already. */
async function offsetBefore(deps: RedisStepDeps, { node, primary }: Of<'failover'>): Promise<number> {
  const [info] = await onNode(deps, podOf(deps, node), node, [['INFO', 'replication']]);
  if (/^role:master/m.test(String(info))) return 0;
  const [replication] = await onNode(deps, podOf(deps, primary), primary, [['INFO', 'replication']]);
  return offsetIn(replication);
}

function offsetIn(info: unknown): number {
  return Number(/^master_repl_offset:(\d+)/m.exec(String(info))?.[1] ?? 0);
}

async function followsNow(deps: RedisStepDeps, { node, primary }: Of<'failover'>): Promise<boolean> {
  const [nodes] = await onNode(deps, podOf(deps, primary), primary, [['CLUSTER', 'NODES']]);
  const own = String(nodes)
    .split('\n')
    .find((line) => line.includes('myself'));
  return own?.includes(node.nodeId) === true;
}

/**
 * Law L9. All at once, so that nobody hears of it again from one who was not told yet; a node that took it back meanwhile is
 * told again.
 */
export async function forget(deps: RedisStepDeps, { victim, nodes }: Of<'forget'>): Promise<void> {
  const what = `nobody knows ${victim.pod === '' ? victim.nodeId.slice(0, 8) : victim.pod} any more`;
  const tell = async (node: StepNode): Promise<boolean> => {
    const pod = podOf(deps, node);
    const [view] = await onNode(deps, pod, node, [['CLUSTER', 'NODES']]);
    if (!String(view).includes(victim.nodeId)) return true;
    const [reply] = await onNode(deps, pod, node, [['CLUSTER', 'FORGET', victim.nodeId]]);
    if (reply instanceof Error && !/unknown node/i.test(reply.message)) {
      const hint = 'kubectl redis check says who follows it; run the same command again when that is mended';
      throw new AppError(`${node.pod} does not forget ${victim.nodeId.slice(0, 8)}`, {
        code: 'step-failed',
        cause: reply,
        hint,
      });
    }
    return false;
  };
  await until(deps, what, async () => (await Promise.all(nodes.map(tell))).every(Boolean), FORGET_DEADLINE_MS);
}

/** Some servers drop keys that they gave away a little later. What stays is a stray key (law L5), and its node must too. */
export async function awaitEmpty(deps: RedisStepDeps, { node }: Of<'await-empty'>): Promise<void> {
  const pod = podOf(deps, node);
  let keys: unknown = '?';
  const empty = async (): Promise<boolean> => {
    [keys] = await onNode(deps, pod, node, [['DBSIZE']]);
    return Number(keys) === 0;
  };
  await until(deps, `${node.pod} is empty`, empty, EMPTY_DEADLINE_MS).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'not-verified') throw error;
    throw new AppError(`${node.pod} owns no slot and still holds ${String(keys)} keys`, {
      code: 'stray-keys',
      hint: 'They are in slots of others: kubectl redis check names them. The node is not removed before they are saved',
    });
  });
}
