/** What restart, failover and delete refuse, and what scale refuses because of roles. */
import { asMade } from '../../../support/as-made.ts';
import { changeAnswer, changeKube, changePod } from '../../../support/observation-changes.ts';
import { failedOver } from '../../../support/observation-failover.ts';
import { follows, lacksKeys, lag, replicaLinkDown, unowned, unreachable } from '../../../support/observation-faults.ts';
import { freshObservation } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';

import {
  whole,
  emptied,
  foreign,
  silent,
  smallCache,
  asleep,
  stopped,
  contested,
  open,
  putBack,
  relabelled,
  volatile,
  orphan,
  owner,
  minority,
  recording,
  of,
  type RefusalCase,
} from './refusal-worlds.ts';

const restart = of('restart', 'redis', '--image', 'redis:9', '--yes');
const restartFirst = of('restart', 'redis', '--pod', 'redis-1-0', '--yes');
const failover = of('failover', 'redis-4-0', '--yes');
const force = of('failover', 'redis-4-0', '--force', '--yes');
const remove = of('delete', 'redis', '--yes');
const purge = of('delete', 'redis', '--purge-data');

const scale = of('scale', 'redis', '--masters', '4', '--yes');
const create = of('create', 'redis', '--yes');

export const ROLE_REFUSALS: readonly RefusalCase[] = [
  ...[scale, create, restart].map((verb) =>
    verb(
      'pod-label-changed',
      'labels name of two pods were exchanged',
      relabelled(),
      'kubectl -n default label pod redis-3-0 name=redis-3 --overwrite; kubectl -n default label pod redis-6-0 name=redis-6',
    ),
  ),
  scale(
    'shard-led-elsewhere',
    'a node took over in a shard that is not its own',
    whole(1, follows('redis-5-0', 'redis-3-0'), failedOver('redis-5-0')),
    'kubectl redis failover redis-3-0 lets it lead the slots of its shard again',
  ),
  restart(
    'scale-unfinished',
    'a change of shape was begun',
    whole(1, recording({ scaling: { leaving: [6], spread: false } })),
    'A change of the shape',
  ),
  restart('record-older', 'an older record was put back', putBack(), 'kubectl redis fix redis writes the record anew'),
  restart('stopped', 'it has no pods', { observation: stopped() }, 'redis is stopped: it has no pods'),
  restart('stopped', 'all is scaled to 0', { observation: asleep(6) }, 'redis is stopped: it has no pods'),
  restart(
    'stopped',
    'a node is scaled to 0',
    { observation: asleep(1) },
    'StatefulSet redis-1 of redis is scaled to 0',
  ),
  restart(
    'objects-missing',
    'a StatefulSet is gone',
    whole(
      1,
      changeKube((kube) => ({ ...kube, statefulSets: kube.statefulSets.slice(1) })),
    ),
    'StatefulSet redis-1 of redis is missing',
  ),
  restart('owner-silent', 'an owner does not answer', whole(1, silent('redis-1-0')), 'redis-1-0 owns slots'),
  restart(
    'not-formed',
    'it was never joined',
    { observation: asMade(freshObservation(), specOf({ masters: 3 })) },
    'not a cluster yet',
  ),
  restart('slots-uncovered', 'nobody owns slots', whole(1, unowned([{ start: 5, end: 9 }])), 'Nobody owns slots 5-9'),
  restart('slots-contested', 'two own the same slots', whole(1, contested), 'whose slots 0-9'),
  restart('slots-open', 'slots are being moved', whole(1, open), '1 slots of redis are being moved'),
  restart(
    'stray-keys',
    'keys lie in slots of others',
    whole(
      1,
      changeAnswer('redis-1-0', (answer) => ({ ...answer, keysInOwnSlots: answer.info.keys - 3 })),
    ),
    'redis-1-0 holds 3 keys in slots that it does not own',
  ),
  restart(
    'keys-not-counted',
    'a node did not count its keys',
    whole(
      1,
      changeAnswer('redis-1-0', (answer) => ({ ...answer, keysInOwnSlots: null, notCounted: 'no answer in 2 s' })),
    ),
    'redis-1-0 did not count the keys of its slots (no answer in 2 s)',
  ),
  restartFirst(
    'needs-consent',
    'its replica keeps a smaller cache',
    whole(1, smallCache('redis-4-0')),
    'as a primary it would evict',
  ),
  restart(
    'not-of-a-stateful-set',
    'a pod of a Deployment',
    whole(1, owner('redis-2-0', 'ReplicaSet/redis')),
    'belongs to ReplicaSet/redis',
  ),
  restart(
    'no-volume',
    'data in the pod',
    whole(
      1,
      changePod('redis-2-0', (pod) => ({ ...pod, ephemeralData: true })),
    ),
    'keeps its data in the pod',
  ),
  of('restart', 'redis', '--image', 'redis:9')('last-copy', 'no replica and no consent', whole(0), 'away while'),
  of('restart', 'redis', '--image', 'redis:9')('needs-consent', 'no replica and no consent', whole(0), 'To agree'),
  restart(
    'needs-consent',
    'a last copy keeps nothing on disk, and only --yes was said',
    whole(0, volatile('redis-1-0')),
    '--accept-data-loss 0-5460',
  ),
  restartFirst('not-in-step', 'nobody is in step', whole(1, replicaLinkDown('redis-4-0')), 'is in step with it'),
  restart('primary-incomplete', 'it was emptied', emptied, 'redis-7-0, which follows it, has 900 keys more'),
  remove('primary-incomplete', 'it was emptied', emptied, 'redis-7-0, which follows it, has 900 keys more'),
  restartFirst(
    'replica-incomplete',
    'its heir lacks keys',
    whole(1, lacksKeys('redis-4-0', 'redis-1-0', 1)),
    'it would lead without the rest',
  ),
  of(
    'restart',
    'redis',
    '--config',
    'maxmemory-policy=allkeys-lru',
    '--yes',
  )(
    'node-silent',
    'a directive that one node would not get',
    whole(1, silent('redis-5-0')),
    'redis-5-0 does not answer',
  ),
  of(
    'restart',
    'redis',
    '--image',
    'redis:9',
    '--yes',
  )('foreign-cluster', 'an image for templates of others', foreign(), 'redis'),
  of(
    'restart',
    'redis',
    '--image',
    'redis:6.2',
    '--yes',
  )('older-image', 'data of a newer version', whole(1, recording({ image: 'redis:8.4' })), 'older'),
  of('restart', 'redis', '--yes')(
    'older-image',
    'a record that is older than what runs',
    whole(1, recording({ image: 'redis:6.2' })),
    'older',
  ),

  failover('replica-silent', 'it does not answer', whole(1, silent('redis-4-0')), "redis-4-0 can't take over"),
  failover(
    'replica-loading',
    'it loads',
    whole(1, unreachable('redis-4-0', 'loading', 'up')),
    "redis-4-0 can't take over",
  ),
  failover('slots-open', 'its primary moves slots', whole(1, open), 'being moved from or to redis-1-0'),
  failover(
    'primary-silent',
    'its primary does not answer',
    whole(1, silent('redis-1-0')),
    "redis-1-0 can't hand its role over",
  ),
  failover(
    'replica-syncing',
    'it copies',
    whole(
      1,
      changeAnswer('redis-4-0', (answer) => ({ ...answer, info: { ...answer.info, syncInProgress: true } })),
    ),
    'is copying from redis-1-0',
  ),
  failover('link-down', 'it has no link', whole(1, replicaLinkDown('redis-4-0')), 'has had no connection'),
  failover('primary-incomplete', 'it was emptied', emptied, 'redis-7-0, which follows it, has 900 keys more'),
  failover(
    'replica-incomplete',
    'it was emptied, and its link is up',
    whole(1, lacksKeys('redis-4-0', 'redis-1-0', 100)),
    'kubectl -n default delete pod redis-4-0 has it copy its primary anew',
  ),
  failover('lag-too-large', 'it is far behind', whole(1, lag('redis-4-0', 1_000_000_000)), 'MiB behind'),
  failover('no-majority', 'nobody could vote', whole(1, ...minority), 'nobody could be elected'),
  force(
    'no-majority',
    'nobody could vote',
    whole(1, unreachable('redis-1-0', 'refused', 'fail'), ...minority),
    '--takeover needs no votes',
  ),
  force(
    'needs-consent',
    'a loss, and only --yes was said',
    whole(1, silent('redis-1-0'), replicaLinkDown('redis-4-0')),
    '--accept-data-loss 0-5460',
  ),
  failover(
    'replica-chain',
    'it follows a replica',
    whole(2, follows('redis-4-0', 'redis-7-0')),
    'which follows another itself',
  ),
  failover('replica-orphaned', 'it follows nobody', whole(1, orphan('redis-4-0')), 'follows nobody that is known'),
  of(
    'failover',
    'redis-1-0',
    '--to',
    'redis-5-0',
    '--yes',
  )('not-its-replica', 'another follows', whole(), 'not redis-1-0'),
  of('failover', 'redis-1-0', '--yes')('no-replica', 'there is none', whole(0), 'has no replica'),
  of(
    'failover',
    'redis-1-0',
    '--to',
    'redis-9-0',
    '--yes',
  )('node-unknown', 'no such node', whole(), 'has no node redis-9-0'),
  of(
    'failover',
    'redis-9-0',
    '--cluster',
    'redis',
    '--yes',
  )('node-unknown', 'no such node', whole(), 'has no node redis-9-0'),

  remove(
    'nodes-of-others',
    'a StatefulSet of others runs nodes',
    {
      ...whole(1, owner('redis-2-0', 'StatefulSet/mine')),
      objects: (objects) => objects.filter(({ kind, metadata }) => kind !== 'Pod' || metadata.name !== 'redis-2-0'),
    },
    'StatefulSet mine runs nodes of redis',
  ),
  remove(
    'foreign-cluster',
    'others made it',
    { ...foreign(), objects: () => [] },
    'was not made by kubectl redis create',
  ),
  remove(
    'claims-go-too',
    'claims go with their StatefulSet',
    {
      ...whole(),
      objects: (objects) =>
        objects.map((one) =>
          one.kind === 'PersistentVolumeClaim'
            ? { ...one, metadata: { ...one.metadata, ownerReferences: [{ kind: 'StatefulSet', name: 'redis-1' }] } }
            : one,
        ),
    },
    'goes with StatefulSet redis-1',
  ),
  remove(
    'needs-consent',
    'keys that no volume keeps, and only --yes was said',
    whole(1, volatile('redis-1-0')),
    '--accept-data-loss 0-5460',
  ),
  purge('needs-consent', 'all data, and nobody said yes', whole(), 'would delete'),
];
