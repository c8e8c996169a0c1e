/** Faults, and what fix plans for each: repairs as `code: kind pod -> pod …`, what is left as `code (reason)`. */
import type { Observation } from '../../../../../pkg/cluster/model/observation.ts';
import type { Step } from '../../../../../pkg/cluster/model/plan.ts';
import { formatRanges } from '../../../../../pkg/cluster/model/slots.ts';
import type { FixPlan, FixPolicy, SlotKeys } from '../../../../../pkg/cluster/plan/fix/fix-plan.ts';
import { changeAnswer, changeKube, changeLines, changed } from '../../../../support/observation-changes.ts';
import {
  addressMismatch,
  config,
  duplicatedOwner,
  every,
  follows,
  ghost,
  openSlot,
  replicasLoseLink,
  slots,
  staleView,
  strayKeys,
  unowned,
  unreachable,
} from '../../../../support/observation-faults.ts';
import { healthyObservation, nodeIdOf } from '../../../../support/observation.ts';

export interface Words {
  readonly repairs: readonly string[];
  readonly left: readonly string[];
}

interface Options {
  readonly policy?: Partial<FixPolicy>;
  readonly slotKeys?: SlotKeys;
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
    case 'settle-strays':
      return `settle ${step.holder.pod}${step.slots === null ? '' : ` ${formatRanges(step.slots)}`}`;
    case 'set-config':
      return `set ${step.node.pod} ${Object.entries(step.directives).flat().join(' ')}`;
    default:
      return step.kind;
  }
}

const GHOST = 'f'.repeat(40);
const counted = (...entries: readonly (readonly [pod: number, slot: number, keys: number])[]): SlotKeys => {
  const counts = new Map([1, 2, 3].map((ordinal) => [nodeIdOf(ordinal), new Map<number, number>()]));
  for (const slot of new Set(entries.map((one) => one[1])))
    for (const [id, of] of counts)
      of.set(slot, entries.find((one) => nodeIdOf(one[0]) === id && one[1] === slot)?.[2] ?? 0);
  return counts;
};
const only = (...repairs: readonly string[]): Words => ({ repairs, left: [] });
const leaves = (...left: readonly string[]): Words => ({ repairs: [], left });
const healthy = healthyObservation();

export const CASES: readonly FixCase[] = [
  ['healthy', healthy, only()],
  // 1.9
  [
    'open on both sides',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0')),
    only('slots-open: move 7 redis-1-0 -> redis-2-0'),
  ],
  // 1.8
  [
    'open on the source only, and no key elsewhere',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0', 'migrating')),
    only('slots-half-open: close-slots 7 redis-1-0'),
    { slotKeys: counted([1, 7, 5]) },
  ],
  // 1.11
  [
    'the target forgot that it imports',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0', 'migrating')),
    only('slots-half-open: move 7 redis-1-0 -> redis-2-0'),
    { slotKeys: counted([1, 7, 5], [2, 7, 3]) },
  ],
  // 1.8
  [
    'open on the target only, and no key there',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0', 'importing')),
    only('slots-half-open: close-slots 7 redis-2-0'),
    { slotKeys: counted([1, 7, 5]) },
  ],
  // 1.10
  [
    'the source forgot that it gives',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0', 'importing')),
    only('slots-half-open: move 7 redis-1-0 -> redis-2-0'),
    { slotKeys: counted([1, 7, 5], [2, 7, 3]) },
  ],
  // 1.14
  [
    'the source kept its mark after it gave the slot away',
    changed(healthy, openSlot(6000, 'redis-1-0', 'redis-2-0', 'migrating')),
    only('slots-half-open: close-slots 6000 redis-1-0'),
    { slotKeys: counted([2, 6000, 5]) },
  ],
  // 1.12
  ['stray keys', changed(healthy, strayKeys('redis-2-0', 3)), only('stray-keys: settle redis-2-0')],
  // 1.15
  [
    'the source was told first',
    changed(healthy, staleView('redis-1-0', slots(5, 6), 'redis-2-0')),
    only('slots-unclaimed: set-slot-owner 5-6 redis-1-0 -> redis-1-0'),
    { slotKeys: counted([1, 5, 5], [1, 6, 1]) },
  ],
  // 1.17
  [
    'two owners, one of them without a key',
    changed(healthy, duplicatedOwner('redis-2-0', slots(5, 6))),
    only('slots-contested: yield-slots 5-6 redis-2-0 -> redis-1-0'),
    { slotKeys: counted([1, 5, 5], [1, 6, 1]) },
  ],
  [
    'two owners, both with keys',
    changed(healthy, duplicatedOwner('redis-2-0', slots(5))),
    leaves('slots-contested (by-hand)'),
    { slotKeys: counted([1, 5, 5], [2, 5, 1]) },
  ],
  // 1.18
  [
    'a primary with an old slot map',
    changed(healthy, staleView('redis-3-0', slots(5, 6), 'redis-2-0')),
    only('views-differ: set-slot-owner 5-6 redis-3-0 -> redis-1-0'),
  ],
  [
    'a node that does not know another',
    changed(
      healthy,
      changeLines((line, viewer) => (viewer === 'redis-6-0' && line.nodeId === nodeIdOf(4) ? null : line)),
    ),
    only('views-differ: meet redis-6-0 -> redis-4-0'),
  ],
  // 1.35
  [
    'unassigned slots: to their holder, or to a neighbour',
    changed(healthy, unowned(slots(5, 6, 9000))),
    only('slots-uncovered: cover-slots 5 redis-3-0, cover-slots 6 redis-1-0, cover-slots 9000 redis-2-0'),
    { slotKeys: counted([3, 5, 2], [1, 6, 0], [1, 9000, 0]) },
  ],
  ['unassigned slots that nobody counted', changed(healthy, unowned(slots(5))), leaves('slots-uncovered (by-hand)')],
  [
    'unassigned slots while somebody is silent',
    changed(healthy, unowned(slots(5)), unreachable('redis-5-0', 'timeout')),
    leaves('node-unreachable (by-hand)', 'slots-uncovered (after-others)'),
    { slotKeys: counted([1, 5, 0]) },
  ],
  // 1.32
  ['a ghost', changed(healthy, ghost(GHOST)), only('ghost-node: forget ffffffff on 6')],
  // 1.19
  [
    'a living stranger',
    changed(healthy, ghost(GHOST, { flags: ['master'], linkUp: true })),
    leaves('unknown-node (needs-consent --forget-strangers)'),
  ],
  [
    'a living stranger, with consent',
    changed(healthy, ghost(GHOST, { flags: ['master'], linkUp: true })),
    only('unknown-node: forget ffffffff on 6'),
    { policy: { forgetStrangers: true } },
  ],
  // 1.23
  [
    'a replica of a replica',
    changed(healthy, follows('redis-4-0', 'redis-5-0')),
    only('replica-chain: replicate redis-4-0 -> redis-2-0', 'shard-label-stale: replicate redis-4-0 -> redis-1-0'),
  ],
  // 1.5
  [
    'a primary that is down, and its replica, too',
    changed(healthy, unreachable('redis-1-0', 'not-running'), unreachable('redis-4-0', 'not-running')),
    leaves('pod-not-running (by-hand)', 'primary-down (by-hand)'),
  ],
  [
    'a primary without replicas that is down',
    changed(healthyObservation({ replicas: 0 }), unreachable('redis-1-0', 'not-running')),
    leaves('primary-down (refused)'),
  ],
  // 1.4
  [
    'a primary that is dead by three witnesses',
    changed(healthy, replicasLoseLink('redis-1-0'), unreachable('redis-1-0', 'not-running')),
    only('primary-down: force redis-4-0'),
  ],
  [
    'a primary that only we cannot reach',
    changed(healthy, unreachable('redis-1-0', 'tunnel', 'up')),
    leaves('tunnel-broken (by-hand)'),
  ],
  // 1.6
  [
    'a primary without replicas whose volume is gone',
    changed(healthyObservation({ replicas: 0 }), unreachable('redis-1-0', 'guard-waiting')),
    leaves('primary-down (needs-consent --accept-data-loss 0-5460)'),
  ],
  [
    'a primary without replicas whose volume is gone, given up',
    changed(healthyObservation({ replicas: 0 }), unreachable('redis-1-0', 'guard-waiting')),
    only(`primary-down: forget ${nodeIdOf(1).slice(0, 8)} on 2`),
    { policy: { acceptDataLoss: [{ start: 0, end: 6000 }] } },
  ],
  // 1.7
  [
    'no majority',
    changed(
      healthy,
      ...['redis-1-0', 'redis-2-0'].flatMap((pod) => [replicasLoseLink(pod), unreachable(pod, 'not-running', 'fail?')]),
    ),
    leaves('no-quorum (needs-consent --takeover)', 'primary-down (after-others)', 'primary-down (after-others)'),
  ],
  [
    'no majority, with consent: one shard after the other',
    changed(
      healthy,
      ...['redis-1-0', 'redis-2-0'].flatMap((pod) => [replicasLoseLink(pod), unreachable(pod, 'not-running', 'fail?')]),
    ),
    {
      repairs: ['no-quorum: takeover redis-4-0'],
      left: ['primary-down (after-others)', 'primary-down (after-others)'],
    },
    { policy: { takeover: true } },
  ],
  // 1.22
  [
    'a replica whose primary was forgotten by all others',
    changed(
      healthy,
      unowned([{ start: 0, end: 5460 }]),
      changeLines((line) => (line.nodeId === nodeIdOf(4) ? { ...line, primaryId: GHOST } : line)),
      ghost(GHOST, { slots: [{ start: 0, end: 5460 }] }, ['redis-4-0']),
    ),
    {
      repairs: ['slots-without-node: takeover redis-4-0', 'replica-orphaned: takeover redis-4-0'],
      left: ['views-differ (by-itself)', 'empty-primary (after-others)'],
    },
  ],
  // 1.3
  [
    'nodes that lost the address of another',
    changed(
      healthy,
      changeLines((line, viewer) =>
        (line.nodeId === nodeIdOf(2) && viewer === 'redis-1-0') ||
        (line.nodeId === nodeIdOf(1) && viewer === 'redis-2-0')
          ? { ...line, ip: '', port: 0, flags: [...line.flags, 'noaddr'] }
          : line,
      ),
    ),
    only('address-unknown: meet redis-1-0 -> redis-2-0'),
  ],
  // 1.2
  [
    'a Service that was made anew',
    changed(
      healthy,
      changeKube((kube) => ({
        ...kube,
        services: kube.services.map((service) =>
          service.name === 'redis-2' ? { ...service, clusterIP: '10.96.7.7' } : service,
        ),
      })),
    ),
    only('address-mismatch: set redis-2-0 cluster-announce-ip 10.96.7.7'),
  ],
  [
    'a replica that looks for its primary at an address of nobody',
    changed(healthy, addressMismatch('redis-2-0', '10.1.1.1')),
    only('address-mismatch: meet redis-5-0 -> redis-2-0'),
  ],
  // I12
  [
    'a node that is configured otherwise',
    changed(healthy, config('redis-2-0', 'maxmemory-policy', 'allkeys-lru')),
    only('config-differs: set redis-2-0 maxmemory-policy noeviction'),
  ],
  [
    'no volume at all',
    changed(
      healthy,
      every((pod) => unreachable(pod, 'guard-waiting')),
    ),
    leaves('cluster-down (needs-consent --start-empty)'),
  ],
  [
    'one node id in two pods',
    changed(
      healthy,
      changeAnswer('redis-5-0', (answer) => ({ ...answer, myId: nodeIdOf(4) })),
      openSlot(7, 'redis-1-0', 'redis-2-0'),
    ),
    leaves('duplicate-node-id (refused)', 'unknown-node (after-others)', 'slots-open (after-others)'),
  ],
];
