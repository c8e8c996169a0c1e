/**
 * Nodes that can't be asked, beside everything else: what fix plans, and above all what it does not. Rows of FINDINGS are named; each of
 * these plans lost keys once.
 */
import type { NodeAnswer } from '../../../../../pkg/cluster/model/observation.ts';
import { changeAnswer, changeLines, changePod, changed, type Change } from '../../../../support/observation-changes.ts';
import {
  addressMismatch,
  configEpoch,
  duplicatedOwner,
  ghost,
  heard,
  openSlot,
  replicaLinkDown,
  replicasLoseLink,
  slots,
  staleView,
  strayKeys,
  unowned,
  unreachable,
} from '../../../../support/observation-faults.ts';
import { failedOver } from '../../../../support/observation-failover.ts';
import { healthyObservation, nodeIdOf } from '../../../../support/observation.ts';
import { counted, leaves, type FixCase } from './fix-words.ts';

const GHOST = 'f'.repeat(40);
const healthy = healthyObservation();
const two = healthyObservation({ replicas: 2, hosts: 6 });
/** Its pod waits for a host, its volume is whole, and all others have it down. */
const pending = (pod: string): Change[] => [
  unreachable(pod, 'not-running'),
  changePod(pod, (facts) => ({ ...facts, phase: 'Pending', ready: false })),
];
const info = (pod: string, change: object): Change =>
  changeAnswer(pod, (answer) => ({ ...answer, info: { ...answer.info, ...change } }));
const viewOf = (pod: string): NodeAnswer['view'] =>
  healthy.replies.flatMap((one) => (one.pod === pod && one.reply.kind === 'answered' ? one.reply.answer.view : []));
const hours = 'primary-down (needs-consent --accept-data-loss 0-5460)';

export const SILENT_CASES: readonly FixCase[] = [
  [
    'keys at the wrong node, and an owner is silent: some of them may be its',
    changed(healthy, strayKeys('redis-2-0', 3), unreachable('redis-1-0', 'timeout')),
    leaves('primary-down (by-itself)', 'stray-keys (after-others)'),
  ],
  [
    'K1: a replica whose link was cut 75 s before its primary went Pending does not lead unasked',
    changed(healthy, replicasLoseLink('redis-1-0', 105), heard('redis-1-0', 30_000), ...pending('redis-1-0')),
    leaves(hours),
  ],
  [
    'K1: the same while the primary only loads: it comes back by itself',
    changed(
      healthy,
      replicasLoseLink('redis-1-0', 105),
      heard('redis-1-0', 5_000),
      unreachable('redis-1-0', 'loading'),
    ),
    leaves('primary-down (by-itself)'),
  ],
  [
    'K1: a replica that was restarted since does not know how old its data is',
    changed(
      healthy,
      info('redis-4-0', { primaryLinkUp: false, primaryLinkDownSeconds: null, replicationOffset: 0 }),
      heard('redis-1-0', 30_000),
      ...pending('redis-1-0'),
    ),
    leaves(hours),
  ],
  [
    'K1: nobody says when the primary was last heard',
    changed(healthy, replicasLoseLink('redis-1-0', 30), ...pending('redis-1-0')),
    leaves(hours),
  ],
  [
    'K1: with consent for its slots',
    changed(healthy, replicasLoseLink('redis-1-0', 105), heard('redis-1-0', 30_000), ...pending('redis-1-0')),
    { repairs: ['primary-down: force redis-4-0'], left: [] },
    { policy: { acceptDataLoss: [{ start: 0, end: 5460 }] } },
  ],
  [
    'K1: consent for some of its slots is none',
    changed(healthy, replicasLoseLink('redis-1-0', 105), heard('redis-1-0', 30_000), ...pending('redis-1-0')),
    leaves(hours),
    { policy: { acceptDataLoss: [{ start: 0, end: 5000 }], takeover: true } },
  ],
  [
    'the volume of the primary is lost, so nobody has more than the replica',
    changed(
      healthy,
      replicasLoseLink('redis-1-0', 105),
      heard('redis-1-0', 30_000),
      unreachable('redis-1-0', 'guard-waiting'),
    ),
    { repairs: ['primary-down: force redis-4-0'], left: [] },
  ],
  [
    'K3: the volume of the primary is lost, and a sibling that may have more can not be asked',
    changed(
      two,
      heard('redis-1-0', 30_000),
      replicaLinkDown('redis-4-0', 90),
      unreachable('redis-7-0', 'tunnel', 'up'),
      unreachable('redis-1-0', 'guard-waiting'),
    ),
    leaves('tunnel-broken (by-hand)', hours),
  ],
  [
    'K3: a sibling that can not be asked does not matter beside one that was in step',
    changed(
      two,
      heard('redis-1-0', 30_000),
      replicaLinkDown('redis-4-0', 30),
      unreachable('redis-7-0', 'tunnel', 'up'),
      unreachable('redis-1-0', 'guard-waiting'),
    ),
    { repairs: ['primary-down: force redis-4-0'], left: ['tunnel-broken (by-hand)'] },
  ],
  [
    'K10: an orphan does not take slots whose owner is merely silent',
    changed(
      healthy,
      changeLines((line) => (line.nodeId === nodeIdOf(4) ? { ...line, primaryId: GHOST } : line)),
      ghost(GHOST, { slots: [{ start: 0, end: 5460 }], configEpoch: 0 }, ['redis-4-0']),
      unreachable('redis-1-0', 'tunnel', 'up'),
    ),
    leaves('tunnel-broken (by-hand)', 'replica-orphaned (by-hand)', 'ghost-node (after-others)'),
  ],
  [
    'K11: the old claim of a node that answers does not beat the newer epoch of a silent owner',
    changed(
      healthy,
      ...['redis-2-0', 'redis-4-0', 'redis-5-0', 'redis-6-0'].map((pod) => staleView(pod, slots(5), 'redis-3-0')),
      configEpoch('redis-3-0', 9),
      unreachable('redis-3-0', 'tunnel', 'up'),
    ),
    leaves('tunnel-broken (by-hand)', 'slots-contested (after-others)'),
    { slotKeys: counted([1, 5, 5]) },
  ],
  [
    'L4: two that lost each other are not led together while an owner is silent whose slot one of them claims: it would delete its keys',
    changed(
      healthy,
      duplicatedOwner('redis-2-0', slots(5)),
      addressMismatch('redis-3-0', '10.9.9.9'),
      ...pending('redis-1-0'),
      unreachable('redis-4-0', 'tunnel', 'up'),
    ),
    leaves(
      'tunnel-broken (by-hand)',
      'slots-contested (after-others)',
      'address-mismatch (after-others)',
      'primary-down (by-hand)',
    ),
    { slotKeys: counted([1, 5, 0], [2, 5, 0]) },
  ],
  [
    'L4: a replica that leads in its place has its keys, whoever has not heard of it',
    changed(
      healthy,
      failedOver('redis-4-0'),
      changeAnswer('redis-6-0', (answer) => ({ ...answer, view: viewOf('redis-6-0') })),
      ...pending('redis-1-0'),
    ),
    {
      repairs: ['primaries-share-host: failover'],
      left: ['pod-not-running (by-hand)', 'views-differ (by-itself)'],
    },
  ],
  [
    'K12: an open slot is not closed on its owner while the target is silent',
    changed(healthy, openSlot(7, 'redis-1-0', 'redis-2-0', 'migrating'), unreachable('redis-2-0', 'tunnel', 'up')),
    leaves('tunnel-broken (by-hand)', 'slots-half-open (after-others)'),
    { slotKeys: counted([1, 7, 5]) },
  ],
  [
    'K12: nor while the target has no majority, or a replica of it may lead',
    changed(
      healthy,
      openSlot(7, 'redis-1-0', 'redis-2-0', 'migrating'),
      replicasLoseLink('redis-2-0', 105),
      heard('redis-2-0', 30_000),
      ...pending('redis-2-0'),
    ),
    leaves('primary-down (needs-consent --accept-data-loss 5461-10922)', 'slots-half-open (after-others)'),
    { slotKeys: counted([1, 7, 5]) },
  ],
  [
    'marks of which nobody counted the keys stay',
    changed(healthy, openSlot(6000, 'redis-1-0', 'redis-2-0', 'migrating')),
    leaves('slots-half-open (after-others)'),
  ],
  [
    'K16: an id is not forgotten while a pod that can not be asked may be it, however old that pod is',
    changed(
      healthyObservation({ kind: 'foreign' }),
      ghost(GHOST),
      unreachable('redis-5', 'not-running', 'up'),
      // Its pod has no address that anybody knows.
      changePod('redis-5', (pod) => ({ ...pod, phase: 'Pending', ip: '', createdAt: '2020-01-01T00:00:00.000Z' })),
    ),
    leaves('pod-not-running (by-hand)', 'pod-ip-announced (by-hand)'),
  ],
  [
    'K16: one that a single node suspects is alive for the others',
    changed(
      healthy,
      ghost(GHOST, { flags: ['master'], linkUp: true }),
      changeLines((line, viewer) =>
        line.nodeId === GHOST && viewer !== 'redis-6-0' ? { ...line, flags: ['master', 'fail?'] } : line,
      ),
    ),
    leaves('unknown-node (needs-consent --forget-strangers)'),
  ],
  [
    'slots of nobody, while a node that claims others by an old epoch would get an epoch above all',
    changed(
      healthy,
      unowned(slots(5)),
      ghost(GHOST, { slots: slots(9), configEpoch: 50, flags: ['master'], linkUp: true }, [
        'redis-2-0',
        'redis-3-0',
        'redis-4-0',
        'redis-5-0',
        'redis-6-0',
      ]),
    ),
    leaves('slots-contested (after-others)', 'unknown-node (refused)', 'slots-uncovered (after-others)'),
    { slotKeys: counted([1, 5, 0], [1, 9, 0]) },
  ],
  [
    'every guard waits, one of them for its volume: that is not every volume lost',
    changed(
      healthy,
      ...[1, 2, 3, 4, 5, 6].map((ordinal) => unreachable(`redis-${ordinal}-0`, 'guard-waiting')),
      changeReplyDetail('redis-2-0', 'waiting for another process that still uses the volume at /var/lib/redis'),
    ),
    leaves('cannot-ask (by-hand)'),
    { policy: { startEmpty: true } },
  ],
];

function changeReplyDetail(pod: string, detail: string): Change {
  return (observation) => ({
    ...observation,
    replies: observation.replies.map((one) =>
      one.pod === pod && one.reply.kind === 'unreachable' ? { ...one, reply: { ...one.reply, detail } } : one,
    ),
  });
}
