/** Steps that change who belongs: each is over when the nodes themselves show it. */
import { AppError } from '../../errors.ts';
import type { Step, StepKind, StepNode } from '../../cluster/model/plan.ts';
import { keysOfAll } from '../../cluster/wire/keyspace.ts';
import { allOrFirstFailure } from '../side-by-side.ts';
import type { RedisCommand } from '../ports.ts';
import { onNode, ownLineOf, podOf, until, type RedisStepDeps } from './redis-steps.ts';

type Of<K extends StepKind> = Extract<Step, { kind: K }>;

/** Within 60 s a node that was told to forget another does not take it back from gossip. */
const FORGET_DEADLINE_MS = 20_000;
const EMPTY_DEADLINE_MS = 60_000;
const KEYSPACE: RedisCommand = ['INFO', 'keyspace'];

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
  const toldAll = async (): Promise<boolean> => (await allOrFirstFailure(nodes, Infinity, tell)).every(Boolean);
  await until(deps, what, toldAll, FORGET_DEADLINE_MS);
}

/** Some servers drop keys that they gave away a little later. What stays is a stray key (law L5), and its node must too. */
export async function awaitEmpty(deps: RedisStepDeps, { node }: Of<'await-empty'>): Promise<void> {
  const pod = podOf(deps, node);
  let keys: number | null = null;
  const empty = async (): Promise<boolean> => {
    const [info] = await onNode(deps, pod, node, [KEYSPACE]);
    keys = keysIn(info);
    return keys === 0;
  };
  await until(deps, `${node.pod} is empty`, empty, EMPTY_DEADLINE_MS).catch((error: unknown) => {
    if (!(error instanceof AppError) || error.code !== 'not-verified') throw error;
    throw new AppError(`${node.pod} owns no slot and still holds ${keys ?? 'an unknown number of'} keys`, {
      code: 'stray-keys',
      hint: 'They are in slots of others: kubectl redis check names them. The node is not removed before they are saved',
    });
  });
}

/** null = it does not say. */
function keysIn(info: unknown): number | null {
  return typeof info === 'string' ? keysOfAll(info) : null;
}

/** It keeps its id, so that nobody else can be taken for it. @throws AppError `not-empty` */
export async function resetNode(deps: RedisStepDeps, { node }: Of<'reset-node'>): Promise<void> {
  const pod = podOf(deps, node);
  const [info, view] = await onNode(deps, pod, node, [KEYSPACE, ['CLUSTER', 'NODES']]);
  const keys = keysIn(info);
  // The slots of its line come after the eighth word.
  const slots = (ownLineOf(String(view)) ?? '').split(' ').slice(8);
  if (keys !== 0 || slots.length > 0) {
    throw new AppError(
      `${node.pod} has ${keys ?? 'an unknown number of'} keys and ${slots.length === 0 ? 'no' : 'some'} slots by now`,
      {
        code: 'not-empty',
        hint: 'Nothing was reset there; run the same command again: it looks anew',
      },
    );
  }
  const [reply] = await onNode(deps, pod, node, [['CLUSTER', 'RESET', 'SOFT']]);
  if (reply instanceof Error) throw new AppError(`${node.pod} can not be reset`, { code: 'step-failed', cause: reply });
  await until(deps, `${node.pod} knows nobody`, async () => {
    const [own] = await onNode(deps, pod, node, [['CLUSTER', 'NODES']]);
    return String(own).trim().split('\n').length === 1;
  });
}
