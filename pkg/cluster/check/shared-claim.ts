/** Two pods on one volume: which of them is the copy, and what ends it. The volume stays in any case. */
import { sharedClaims, type SharedClaim } from '../evidence/shared-claims.ts';
import type { Problem } from '../model/problem.ts';
import type { Check, CheckContext } from './context.ts';
import { listNames, makeProblem } from './wording.ts';

export const checkSharedClaims: Check = (context) =>
  sharedClaims(context.state).map((shared) => problemOf(context, shared));

function problemOf(context: CheckContext, shared: SharedClaim): Problem {
  const { claim, pods, copies } = shared;
  const names = pods.map(({ name }) => name);
  const bare = copies.map(({ name }) => name);
  const made = bare.length === 0 ? '' : `; ${listNames(bare)} ${bare.length === 1 ? 'has' : 'have'} no controller`;
  const sentence = `${listNames(names)} use one claim, ${claim}${made}: only one of them can run.`;
  return makeProblem('claim-shared', context.state.cluster.name, {
    subject: `PersistentVolumeClaim/${claim}`,
    sentence,
    nodes: names,
    repair: `${wayOutOfShared(context, shared)}.`,
  });
}

/** Also of the pod that waits for the other one. */
export function wayOutOfShared({ kubectl }: Pick<CheckContext, 'kubectl'>, { pods, copies }: SharedClaim): string {
  const bare = copies.map(({ name }) => name);
  if (bare.length === 0)
    return `Scale down what made the one that is not wanted (${listNames(pods.map(({ name, owner }) => `${name} is of ${owner ?? 'no controller'}`))}); the volume stays, and the other one starts by itself`;
  const others = pods.filter((pod) => !copies.includes(pod)).map(({ name }) => name);
  return `${kubectl(`delete pod ${bare.join(' ')}`)} takes the ${bare.length === 1 ? 'copy' : 'copies'} away; the volume stays with what is on it, and ${listNames(others)} ${others.length === 1 ? 'starts' : 'start'} by ${others.length === 1 ? 'itself' : 'themselves'}`;
}
