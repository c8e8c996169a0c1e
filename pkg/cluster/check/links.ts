/** Bus links between nodes that answer (I7). Each broken link is told once, at the node that most of them have in common. */
import type { Problem } from '../model/problem.ts';
import type { Check, CheckContext } from './context.ts';
import { isSeenDown } from '../evidence/down.ts';
import { listNames, makeProblem } from './wording.ts';

interface Break {
  readonly viewer: string;
  readonly target: string;
  readonly failed: boolean;
}

const EXPLAINED_BY = new Set([
  'address-shared',
  'address-mismatch',
  'address-unknown',
  'clusters-split',
  'duplicate-node-id',
]);

export const checkLinks: Check = (context, found) => {
  const explained = new Set(found.filter((one) => EXPLAINED_BY.has(one.code)).flatMap((one) => one.nodes));
  let breaks = breaksOf(context).filter((one) => !explained.has(one.viewer) && !explained.has(one.target));
  const out: Problem[] = [];
  while (breaks.length > 0) {
    const worst = mostCommon(breaks);
    out.push(
      linkDown(
        context,
        worst,
        breaks.filter((one) => touches(one, worst)),
      ),
    );
    breaks = breaks.filter((one) => !touches(one, worst));
  }
  return out;
};

function breaksOf(context: CheckContext): Break[] {
  const out: Break[] = [];
  const pods = new Map(context.answered.map((one) => [one.nodeId, one.pod]));
  for (const { nodeId, pod, answer } of context.answered) {
    if (context.isFresh(nodeId)) continue;
    for (const line of answer.view) {
      const target = pods.get(line.nodeId);
      const failed = isSeenDown(line.flags);
      if (line.nodeId === nodeId || target === undefined || (line.linkUp && !failed)) continue;
      if (!line.flags.includes('handshake') && !context.isFresh(line.nodeId)) out.push({ viewer: pod, target, failed });
    }
  }
  return out;
}

function touches(one: Break, pod: string): boolean {
  return one.viewer === pod || one.target === pod;
}

/** Being a target counts more: who is not reached by many is the one with the fault. */
function mostCommon(breaks: readonly Break[]): string {
  const weights = new Map<string, number>();
  for (const { viewer, target } of breaks) {
    weights.set(target, (weights.get(target) ?? 0) + 1.01);
    weights.set(viewer, (weights.get(viewer) ?? 0) + 1);
  }
  return [...weights].reduce((best, one) => (one[1] > best[1] ? one : best), ['', 0] as const)[0];
}

function linkDown(context: CheckContext, pod: string, breaks: readonly Break[]): Problem {
  const blind = breaks.filter((one) => one.target === pod);
  const unseen = breaks.filter((one) => one.viewer === pod).map((one) => one.target);
  const viewers = blind.map((one) => one.viewer);
  const failed = blind.some((one) => one.failed) ? ' and hold it for failed' : '';
  const parts = [
    ...(viewers.length > 0
      ? [`${listNames(viewers)} ${viewers.length === 1 ? 'has' : 'have'} no bus link to ${pod}${failed}`]
      : []),
    ...(unseen.length > 0 ? [`${pod} has no bus link to ${listNames(unseen)}`] : []),
  ];
  const sentence = `${parts.join('; ')}, although both sides answer.`;
  return makeProblem('link-down', context.state.cluster.name, { sentence, nodes: [pod, ...viewers, ...unseen] });
}
