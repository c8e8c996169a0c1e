/** Who takes over may be told to keep less than its primary: then it evicts keys as soon as it leads (law L4). */
import type { Evidence } from '../evidence/evidence.ts';
import { lossOfLimitOfHeir } from '../evidence/eviction.ts';
import { isAgreed } from '../model/loss.ts';
import type { Plan } from '../model/plan.ts';
import type { SlotRanges } from '../model/slots.ts';
import type { ClusterNode } from '../model/state.ts';
import { refuse } from './form-members.ts';

/** For hand-overs that nobody asked for by name: they cost nothing but what was agreed to. */
export function refuseEvictingHeir(
  { primary, heir }: { readonly primary: ClusterNode; readonly heir: ClusterNode },
  { nameOf }: Pick<Evidence, 'nameOf'>,
  cluster: string,
  agreedLoss: SlotRanges = [],
): Plan | null {
  const loss = lossOfLimitOfHeir(primary, heir, nameOf);
  if (loss === null || isAgreed(loss, agreedLoss)) return null;
  return refuse(
    'heir-evicts',
    `${nameOf(heir)} would take over from ${nameOf(primary)}, and that would lose ${loss.sentence}`,
    `Give it the limit that its primary has: kubectl redis fix ${cluster} configures nodes alike; then run the same command again`,
  );
}
