/** A plan in few words: repairs as `code: kind pod -> pod …`, what is left as `code (reason)`. */
import type { NoRooms } from '../../../../../pkg/cluster/model/no-room.ts';
import type { Observation } from '../../../../../pkg/cluster/model/observation.ts';
import type { Step } from '../../../../../pkg/cluster/model/plan.ts';
import { formatRanges } from '../../../../../pkg/cluster/model/slots.ts';
import type { FixPlan, FixPolicy, SlotKeys } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { nodeIdOf } from '../../../../support/observation.ts';

export interface Words {
  readonly repairs: readonly string[];
  readonly left: readonly string[];
}

interface Options {
  readonly policy?: Partial<FixPolicy>;
  readonly slotKeys?: SlotKeys;
  readonly noRoom?: NoRooms;
}

export type FixCase = readonly [name: string, observation: Observation, expected: Words, options?: Options];

export function inWords({ repairs, left }: FixPlan): Words {
  return {
    repairs: repairs.flatMap(({ code, batches }) =>
      batches.map(({ steps }) => `${code}: ${steps.map(stepInWords).join(', ')}`),
    ),
    left: left.map(({ problem, why, flag }) => `${problem.code} (${flag === null ? why : `${why} ${flag}`})`),
  };
}

function stepInWords(step: Step): string {
  switch (step.kind) {
    case 'move-slots':
      return `move ${formatRanges(step.ranges)} ${step.source.pod} -> ${step.target.pod}`;
    case 'close-slots':
    case 'cover-slots':
      return `${step.kind} ${formatRanges(step.ranges)} ${step.node.pod}`;
    case 'set-slot-owner':
    case 'yield-slots':
      return `${step.kind} ${formatRanges(step.ranges)} ${step.node.pod} -> ${step.owner.pod}`;
    case 'forget':
      return `forget ${step.victim.nodeId.slice(0, 8)} on ${step.nodes.length}`;
    case 'replicate':
      return `replicate ${step.node.pod} -> ${step.primary.pod}`;
    case 'take-over':
      return `${step.how} ${step.node.pod}`;
    case 'meet':
      return `meet ${step.node.pod} -> ${step.other.pod}`;
    case 'bump-epoch':
      return `bump ${step.node.pod}`;
    case 'settle-strays': {
      const pods = new Map([1, 2, 3].map((ordinal) => [nodeIdOf(ordinal), `redis-${ordinal}-0`]));
      const stale = step.staleMark === undefined ? '' : `, also from ${pods.get(step.staleMark)}`;
      const older =
        step.older === undefined ? '' : `, opened for those of ${step.older.map((id) => pods.get(id)).join()}`;
      const slots = step.slots === null ? '' : ` ${formatRanges(step.slots)}`;
      return `${step.ownerGives === true ? 'take back from' : 'settle'} ${step.holder.pod}${stale}${older}${slots}`;
    }
    case 'load-functions':
      return `load ${step.libraries.join(', ')} ${step.source.pod} -> ${step.node.pod}`;
    case 'set-config':
      return `set ${step.node.pod} ${Object.entries(step.directives).flat().join(' ')}`;
    default:
      return step.kind;
  }
}

/** Keys that the three primaries count: pod number, slot, keys; 0 of what is not said. */
export const counted = (...entries: readonly (readonly [pod: number, slot: number, keys: number])[]): SlotKeys => {
  const counts = new Map([1, 2, 3].map((ordinal) => [nodeIdOf(ordinal), new Map<number, number>()]));
  for (const slot of new Set(entries.map((one) => one[1])))
    for (const [id, of] of counts)
      of.set(slot, entries.find((one) => nodeIdOf(one[0]) === id && one[1] === slot)?.[2] ?? 0);
  return counts;
};
export const only = (...repairs: readonly string[]): Words => ({ repairs, left: [] });
export const leaves = (...left: readonly string[]): Words => ({ repairs: [], left });
