/** What `failover` shows before it does anything: who takes over from whom, how, and what that could lose. Pure. */
import type { FailoverGoal } from '../../pkg/cluster/model/plan.ts';
import type { ClusterNode } from '../../pkg/cluster/model/state.ts';
import type { PreparedFailover } from '../../pkg/engine/failover.ts';
import type { Look } from '../terminal.ts';
import { counted, rangesWithCount } from './format.ts';
import { createPaint } from './paint.ts';
import { factLines, unknownFacts } from './plan-lines.ts';

const HOW: Readonly<Record<FailoverGoal['how'], string>> = {
  coordinated: 'the old primary holds its writes until the replica has them all, then follows it',
  force: 'elected by the other primaries, without the old one',
  takeover: 'without an election; the others take it over from what it says',
};

/** Lines, without colour codes where the look has none. */
export function failoverPlanLines({ cluster, state, goal, leads, loss }: PreparedFailover, look: Look): string[] {
  const paint = createPaint(look.colour);
  if (goal === null) return [`${leads?.pod ?? 'It'} of ${cluster.name} leads already: nothing to do`];
  const find = (id: string): ClusterNode | undefined => state.nodes.find((node) => node.nodeId === id);
  const [node, primary] = [find(goal.node.nodeId), find(goal.primary.nodeId)];
  const from = goal.primary.pod === '' ? goal.primary.nodeId.slice(0, 8) : goal.primary.pod;
  const facts: readonly (readonly [string, string])[] = [
    ['slots', rangesWithCount(primary?.slots ?? [], 3)],
    ['how', HOW[goal.how]],
    ['behind', behind(node)],
    ['place', `from ${placeOf(primary)} to ${placeOf(node)}`],
    ['loses', loss?.sentence ?? 'no acknowledged write that the replica has; clients are redirected'],
    ...unknownFacts(state),
  ];
  return [
    paint.tone('strong', `${goal.node.pod} takes over from ${from} in ${cluster.name}, namespace ${cluster.namespace}`),
    '',
    ...facts.flatMap(([label, text]) => factLines(label, text, look.width, paint)),
  ];
}

function behind(node: ClusterNode | undefined): string {
  if (node === undefined || node.lagBytes === null) return 'not known: the old primary does not answer';
  return counted(node.lagBytes, 'byte');
}

function placeOf(node: ClusterNode | undefined): string {
  if (node === undefined || node.host === null) return 'an unknown host';
  return node.zone === null ? `host ${node.host}` : `host ${node.host} (${node.zone})`;
}
