/** A look at a cluster with the checks' verdict; loads the checks. */
import { check } from '../pkg/cluster/check/check.ts';
import { healthOf } from '../pkg/cluster/check/health.ts';
import type { StatusInput } from './document/status.ts';
import type { Seen } from './look-at.ts';

export function judge({ observation, state }: Seen): StatusInput {
  const problems = check(state, observation);
  return { state, problems, health: healthOf(state, problems) };
}
