/** What create, scale and rebalance refuse. */
import { asMade } from '../../../support/as-made.ts';
import { changeAnswer, changed, changePod } from '../../../support/observation-changes.ts';
import { lacksKeys, unowned, version } from '../../../support/observation-faults.ts';
import { failedOver, ownsBesides } from '../../../support/observation-failover.ts';
import { freshObservation, healthyObservation } from '../../../support/observation.ts';
import { forgotten, withOlderRecord } from '../../../support/older-record.ts';
import { specOf } from '../../../support/spec.ts';
import { theirs } from '../../../support/theirs.ts';

import {
  whole,
  emptied,
  fresh,
  foreign,
  nothing,
  open,
  putBack,
  without,
  object,
  silent,
  smallCache,
  contested,
  torn,
  keys,
  saysDown,
  readOnly,
  memory,
  stranger,
  recording,
  of,
  type RefusalCase,
} from './refusal-worlds.ts';

const create = of('create', 'redis', '--yes');
const scale = of('scale', 'redis', '--masters', '4', '--yes');
const fewer = of('scale', 'redis', '--replicas', '1');
const rebalance = of('rebalance', 'redis', '--weight', '1=2', '--yes');
const withoutReplicas = of('scale', 'redis', '--masters', '3', '--replicas', '0', '--yes');
const replicasLeave = recording({
  replicas: 0,
  nodes: { '1': '1', '2': '2', '3': '3', '4': '1', '5': '2', '6': '3' },
  scaling: { leaving: [4, 5, 6], spread: false },
});

export const SHAPE_REFUSALS: readonly RefusalCase[] = [
  create('foreign-node', 'a node knows a stranger', fresh(stranger), 'which is no pod of redis'),
  create(
    'foreign-node',
    'it is a node that an older record does not name, and its volume is there',
    { observation: withOlderRecord() },
    'It is redis-4, and its volume is there (claim data-redis-4-0)',
  ),
  create(
    'volume-unused',
    'nobody owns slots whose keys may be on a volume that no pod uses',
    { observation: withOlderRecord(forgotten) },
    'their keys may be on the volume of claim data-redis-4-0',
  ),
  create('node-not-empty', 'a fresh node holds keys', fresh(keys('redis-1-0', 5)), 'redis-1-0'),
  create('node-silent', 'a node does not answer', fresh(silent('redis-2-0')), "redis-2-0 can't be asked"),
  of(
    'create',
    'redis',
    '--masters',
    '4',
    '--yes',
  )(
    'wrong-number-of-pods',
    'people brought another number of pods',
    { observation: freshObservation({ kind: 'foreign' }) },
    'Choose --masters and --replicas so that',
  ),
  of('create', 'redis', '--masters', '5', '--yes')('other-shape', 'it has another shape', whole(), 'not 5 masters'),
  create(
    'scale-unfinished',
    'a change of shape was begun',
    whole(1, recording({ scaling: { leaving: [6], spread: false } })),
    'A change of redis to',
  ),
  create('record-older', 'an older record was put back', putBack(), 'kubectl redis fix redis writes the record anew'),
  create(
    'pod-beyond',
    'a StatefulSet was scaled up by hand (C18)',
    { observation: theirs((n) => (n < 6 ? null : { at: '-' })) },
    'kubectl scale statefulset redis --replicas 6 -n default',
  ),
  create(
    'service-unfit',
    'a Service of somebody has the name of a node (C19)',
    {
      observation: theirs((n) =>
        n === 2 ? { at: '10.0.0.9', ports: [{ name: 'http', port: 80 }] } : { at: `10.0.0.${n}` },
      ),
    },
    "Service redis-2 can't be the node's address: it lacks port 6379",
  ),
  create(
    'address-shared',
    'two workloads number their pods from 0 (K19)',
    fresh(
      ...['redis-1-0', 'redis-2-0'].map((name) =>
        changePod(name, (pod) => ({
          ...pod,
          owner: 'StatefulSet/theirs',
          labels: { ...pod.labels, name: 'redis-1' },
          annotations: { ...pod.annotations, 'kubectl-redis.io/injected': '1' },
        })),
      ),
    ),
    'Pods redis-1-0, redis-2-0 stand behind one address (Service redis-1)',
  ),
  create('slots-contested', 'two own the same slots', whole(1, contested), 'Slots 0-9 are claimed by'),
  create(
    'second-owner',
    'a replica by the record owns slots itself',
    whole(1, ownsBesides('redis-6-0', 'redis-3-0', [{ start: 16000, end: 16383 }])),
    'kubectl redis scale redis --masters 3 takes its slots away',
  ),
  create(
    'name-taken',
    'a Service of that name is there',
    nothing({}, [object('v1', 'Service', 'redis', { spec: {} })]),
    'Service redis is there already',
  ),
  create(
    'foreign-selector',
    'a Service would select the pods',
    nothing({}, [object('v1', 'Service', 'web', { spec: { selector: { name: 'redis-1' } } })]),
    'Service web selects name=redis-1',
  ),
  of('create', 'redis', '--auth', '--yes')(
    'secret-without-password',
    'a Secret of other keys (K21)',
    nothing({}, [object('v1', 'Secret', 'redis-auth', { data: { 'redis-password': 'eA==' } })]),
    'Secret redis-auth has no key password (its keys: redis-password)',
  ),
  create(
    'no-storage-class',
    'there is no default class',
    without(nothing(), 'StorageClass'),
    'no default StorageClass',
  ),
  of(
    'create',
    'redis',
    '--storage-class',
    'gold',
    '--yes',
  )('no-storage-class', 'there is no such class', nothing(), 'There is no StorageClass gold'),
  of(
    'create',
    'redis',
    '--anti-affinity',
    'hard',
    '--replicas',
    '3',
    '--yes',
  )('too-few-hosts', 'a shard has more nodes than hosts', nothing(), 'host'),
  of(
    'create',
    'redis',
    '--masters',
    '3',
    '--yes',
  )(
    'shards-differ',
    'labels name other shards',
    fresh(changePod('redis-1-0', (pod) => ({ ...pod, labels: { ...pod.labels, 'kubectl-redis.io/shard': '9' } }))),
    'shards',
  ),

  scale(
    'not-formed',
    'it was never joined',
    { observation: asMade(freshObservation(), specOf({ masters: 3 })) },
    'not a cluster yet',
  ),
  scale('record-older', 'an older record was put back', putBack(), 'kubectl redis fix redis writes the record anew'),
  scale('owner-silent', 'an owner does not answer', whole(1, silent('redis-1-0')), 'redis-1-0 owns slots'),
  scale('slots-uncovered', 'nobody owns slots', whole(1, unowned([{ start: 5, end: 9 }])), 'Nobody owns slots 5-9'),
  scale('slots-contested', 'two own the same slots', whole(1, contested), 'whose slots 0-9'),
  scale('slots-open', 'slots are open towards a replica', whole(1, torn), 'are open between nodes'),
  scale('writes-refused', 'a primary refuses writes', whole(1, readOnly('redis-1-0')), 'redis-1-0 refuses writes'),
  scale(
    'target-older',
    'new nodes would have an older server than those whose slots they get',
    whole(1, recording({ image: 'redis:7.0.15' })),
    'New nodes would run redis:7.0.15',
  ),
  scale(
    'target-older',
    'slots were left open towards an older server',
    whole(1, open, version('redis-2-0', 'redis', '7.0.15')),
    'kubectl redis fix redis takes them back',
  ),
  scale('ghost-node', 'the nodes know a stranger', whole(1, stranger), 'which is no pod of redis'),
  withoutReplicas(
    'heir-evicts',
    'the role goes to a node that keeps a smaller cache',
    whole(1, failedOver('redis-4-0'), smallCache('redis-1-0'), replicasLeave),
    'redis-1-0 would take over from redis-4-0',
  ),
  withoutReplicas(
    'replica-incomplete',
    'the role goes to a node that was emptied',
    whole(1, failedOver('redis-4-0'), lacksKeys('redis-1-0', 'redis-4-0', 100), replicasLeave),
    'redis-1-0 has 0 keys, and redis-4-0, which it follows, 100 keys',
  ),
  rebalance('primary-incomplete', 'it was emptied', emptied, 'redis-7-0, which follows it, has 900 keys more'),
  scale('primary-incomplete', 'it was emptied', emptied, 'redis-7-0, which follows it, has 900 keys more'),
  scale(
    'restart-unfinished',
    'a restart was begun',
    whole(1, recording({ restarted: { '1': '2026-11-23T09:00:00.000Z' } })),
    'A restart of redis was begun',
  ),
  scale(
    'too-little-memory',
    'what would come has no room',
    whole(1, ...memory(900_000_000, 100_000_000), recording({ config: { maxmemory: '100mb' } })),
    'would have to hold',
  ),
  of(
    'scale',
    'redis',
    '--masters',
    '3',
    '--yes',
  )(
    'stray-keys',
    'a node that is to go holds keys of others',
    {
      observation: changed(
        asMade(healthyObservation({ masters: 4 }), specOf({ masters: 4 })),
        changeAnswer('redis-4-0', (answer) => ({ ...answer, keysInOwnSlots: answer.info.keys - 2 })),
      ),
    },
    'redis-4-0 is to go and holds 2 keys',
  ),
  of(
    'scale',
    'redis',
    '--replicas',
    '0',
    '--yes',
  )(
    'no-volume',
    'all that would be left of a shard is on a claim that was deleted',
    whole(
      1,
      changePod('redis-1-0', (pod) => ({ ...pod, goingClaim: 'data-redis-1-0' })),
    ),
    'redis-1-0 keeps its data on claim data-redis-1-0, which is being deleted',
  ),
  scale('foreign-cluster', 'others made it', foreign(), 'was not made by kubectl redis create'),
  of(
    'scale',
    'redis',
    '--replicas',
    '3',
    '--yes',
  )('too-few-hosts', 'a shard would have more nodes than hosts', whole(1, recording({ antiAffinity: 'hard' })), 'host'),
  fewer('needs-consent', 'nodes would go, and nobody said yes', whole(2), 'scale would remove 3 nodes'),

  rebalance(
    'no-volume',
    'the claim of who is to take slots was deleted',
    whole(
      1,
      changePod('redis-1-0', (pod) => ({ ...pod, goingClaim: 'data-redis-1-0' })),
    ),
    'redis-1-0 keeps its data on claim data-redis-1-0, which is being deleted',
  ),
  rebalance(
    'not-formed',
    'it was never joined',
    { observation: asMade(freshObservation(), specOf({ masters: 3 })) },
    'not a cluster yet',
  ),
  rebalance('owner-silent', 'an owner does not answer', whole(1, silent('redis-1-0')), 'redis-1-0 owns slots'),
  rebalance('slots-uncovered', 'nobody owns slots', whole(1, unowned([{ start: 5, end: 9 }])), 'Nobody owns slots 5-9'),
  rebalance('slots-contested', 'two own the same slots', whole(1, contested), 'whose slots 0-9'),
  rebalance('slots-open', 'slots are open towards a replica', whole(1, torn), 'are open between nodes'),
  rebalance(
    'target-older',
    'slots would go to an older server, in the middle of an upgrade',
    whole(1, version('redis-1-0', 'redis', '7.0.15')),
    'kubectl redis restart redis finishes the upgrade first',
  ),
  rebalance('not-converged', 'a node says that the cluster is down', whole(1, saysDown('redis-6-0')), 'redis-6-0 says'),
  rebalance('writes-refused', 'a primary refuses writes', whole(1, readOnly('redis-2-0')), 'redis-2-0 refuses writes'),
  rebalance(
    'too-little-memory',
    'what would come has no room',
    whole(1, ...memory(90_000_000, 100_000_000)),
    'redis-1-0 (shard 1) would have to hold',
  ),
];
