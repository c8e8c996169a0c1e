/** What the others see of a node: a change of role or an address is over only when everybody has heard of it. */
import { AppError } from '../../errors.ts';
import type { StepNode } from '../../cluster/model/plan.ts';
import { lineOf, ownLineOf, type RedisStepDeps } from './redis-steps.ts';

const VIEW_DEADLINE_MS = 2_000;

/** A node's line of CLUSTER NODES, as far as steps look at it. */
export interface SeenLine {
  readonly leads: boolean;
  /** Whoever looks has it down for failed, or as about to be. */
  readonly failing: boolean;
  readonly linkUp: boolean;
}

/**
 * In whose view it does not hold for the node's line: names of pods, the node's own left out; null = not in that view. Asks those who
 * answered when they were observed. Who does not answer now is not asked again: it hears of everything by gossip, and a frozen node must
 * not freeze us (law L11). Who knows only itself is in no cluster (a CLUSTER RESET meanwhile), and will not hear of it however long we wait.
 */
export function inAllViews(
  deps: RedisStepDeps,
  node: StepNode,
): (holds: (line: SeenLine | null) => boolean) => Promise<readonly string[]> {
  const answered = new Set(
    deps.observation.replies.filter(({ reply }) => reply.kind === 'answered').map(({ pod }) => pod),
  );
  const others = deps.observation.kube.pods.filter(({ name }) => answered.has(name) && name !== node.pod);
  const silent = new Set<string>();
  return async (holds) => {
    const views = others.map(async (pod): Promise<string[]> => {
      if (silent.has(pod.name)) return [];
      try {
        const [reply] = await deps.redis.run(pod, [['CLUSTER', 'NODES']], VIEW_DEADLINE_MS);
        const view = String(reply);
        return knowsOnlyItself(view) || holds(lineIn(view, node.nodeId)) ? [] : [pod.name];
      } catch (error) {
        if (error instanceof AppError && error.code === 'lease-lost') throw error;
        silent.add(pod.name);
        return [];
      }
    });
    return (await Promise.all(views)).flat();
  };
}

function knowsOnlyItself(view: string): boolean {
  return ownLineOf(view)?.trim() === view.trim();
}

/** null = not in that view. */
export function lineIn(view: string, nodeId: string): SeenLine | null {
  const words = lineOf(view, nodeId)?.split(' ');
  if (words === undefined) return null;
  const flags = (words[2] ?? '').split(',');
  return {
    leads: flags.includes('master'),
    failing: flags.includes('fail') || flags.includes('fail?'),
    linkUp: words[7] === 'connected',
  };
}
