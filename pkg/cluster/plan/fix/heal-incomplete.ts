/** A primary that was emptied and leads: its replica that has its keys leads in its place, while it still has them. */
import { incompletePrimaries } from '../../evidence/lacking-keys.ts';
import { refuseReplica } from '../failover-preflight.ts';
import { isNamed, left, repair, stepNodeOf, type Cure, type Healer } from './fix-context.ts';

export const healIncompletePrimaries: Healer = (context, problems) =>
  problems.map((problem): Cure => {
    const { state, evidence } = context;
    const found = incompletePrimaries(state).find(({ primary }) => isNamed(context, problem, primary));
    if (found === undefined) return left(problem, 'after-others', 'It does not answer any more');
    const { primary, holder, lacks } = found;
    const refused = refuseReplica({ state, evidence }, holder, primary, 'coordinated');
    if (refused !== null) return left(problem, 'after-others', refused.sentence);
    const reason = `it has ${lacks.toLocaleString('en-US')} keys more than its primary`;
    return repair([problem], 'let replicas lead that have the keys of their shards', [
      { kind: 'failover', node: stepNodeOf(holder), primary: stepNodeOf(primary), reason },
    ]);
  });
