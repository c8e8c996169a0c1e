/** Who leads a shard, in everybody's eyes: taking the lead without the old primary, and waiting until all have heard of it. */
import { AppError } from '../../errors.ts';
import type { Step, StepNode } from '../../cluster/model/plan.ts';
import { inAllViews, lineIn } from './in-views.ts';
import { onNode, podOf, until, type RedisStepDeps } from './redis-steps.ts';

type TakeOver = Extract<Step, { kind: 'take-over' }>;

/** A forced failover gives up after 5 s without a majority's votes, and may be asked for again. */
const ASK_AGAIN_MS = 6_000;
const LEAD_DEADLINE_MS = 25_000;
/** Gossip tells a new owner of slots to everybody within a second or two. */
const SEEN_DEADLINE_MS = 15_000;

/** CLUSTER FAILOVER FORCE needs a majority of the primaries, TAKEOVER nobody (law L7). */
export async function takeOver(deps: RedisStepDeps, step: TakeOver): Promise<void> {
  const { node, how } = step;
  const pod = podOf(deps, node);
  let askedAt = -Infinity;
  let refused = '';
  const leads = async (): Promise<boolean> => {
    const [info] = await onNode(deps, pod, node, [['INFO', 'replication']]);
    if (/^role:master/m.test(String(info))) return true;
    if (deps.clock.monotonic() - askedAt < ASK_AGAIN_MS) return false;
    askedAt = deps.clock.monotonic();
    await assertStillDead(deps, step, String(info));
    const word = how === 'force' ? 'FORCE' : 'TAKEOVER';
    const [reply] = await onNode(deps, pod, node, [['CLUSTER', 'FAILOVER', word]]);
    refused = reply instanceof Error ? reply.message : '';
    return false;
  };
  await until(deps, `${node.pod} leads`, leads, LEAD_DEADLINE_MS).catch((error: unknown) => {
    throw error instanceof AppError && error.code === 'not-verified' ? notTaken(node, how, refused) : error;
  });
  await awaitSeenLeading(deps, node);
}

/** It was looked at some time ago, and may be back: then its replica hears it, or has its link again. @throws AppError `node-changed` */
async function assertStillDead(deps: RedisStepDeps, { node, dead }: TakeOver, replication: string): Promise<void> {
  if (dead === null) return;
  const [view] = await onNode(deps, podOf(deps, node), node, [['CLUSTER', 'NODES']]);
  const line = lineIn(String(view), dead.nodeId);
  const heard = line !== null && line.linkUp && !line.failing;
  if (!heard && !/^master_link_status:up/m.test(replication)) return;
  throw new AppError(
    `${dead.pod === '' ? dead.nodeId.slice(0, 8) : dead.pod} is back: ${node.pod} does not take over`,
    {
      code: 'node-changed',
      hint: 'Nothing was changed. Run the same command again: it looks anew',
    },
  );
}

function notTaken(node: StepNode, how: TakeOver['how'], refused: string): AppError {
  const why = refused === '' ? 'it was not elected: too few primaries gave it their vote' : refused;
  return new AppError(`${node.pod} did not take over within ${LEAD_DEADLINE_MS / 1000} s`, {
    code: 'step-failed',
    cause: new Error(why),
    hint:
      how === 'force'
        ? 'Where most primaries are gone for good, --takeover needs no votes'
        : 'Run the same command again',
  });
}

/** Until every node that answers sees it lead. */
export async function awaitSeenLeading(deps: RedisStepDeps, node: StepNode): Promise<void> {
  const inAll = inAllViews(deps, node);
  const seen = async (): Promise<boolean> =>
    (await inAll((line) => line !== null && line.leads && !line.failing)).length === 0;
  await until(deps, `all nodes see that ${node.pod} leads`, seen, SEEN_DEADLINE_MS);
}
