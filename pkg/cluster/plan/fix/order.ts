/**
 * The order of a full repair, and who heals what. Each stage says why it comes where it comes: what stands higher either carries
 * the rest, or would make the rest lose data if it came later. Codes without a healer are left, with what their problem says.
 */
import type { Code } from '../../check/codes.ts';
import type { Healer } from './fix-context.ts';
import type { LeftReason } from './fix-plan.ts';
import { healAddresses, healAnnounced } from './heal-addresses.ts';
import { healCoverage } from './heal-coverage.ts';
import { healFunctions } from './heal-functions.ts';
import { healGhosts, healStrangers } from './heal-ghosts.ts';
import { healEmptyPrimaries, healNewcomers, healReplicaCounts, healShardLabels } from './heal-members.ts';
import { healLostVolumes } from './heal-lost-volumes.ts';
import { healOpenSlots } from './heal-open-slots.ts';
import { healIncompletePrimaries } from './heal-incomplete.ts';
import { healNoQuorum, healPrimaries } from './heal-primaries.ts';
import { healCrowdedHosts, healSharedHosts } from './heal-places.ts';
import { healChains, healOrphans, healStaleAddresses } from './heal-replicas.ts';
import { healContested, healStrays, healUnclaimed, healViews } from './heal-slots.ts';
import {
  healClientService,
  healConfigMap,
  healFormedMark,
  healOlderRecord,
  healOverwritten,
  healState,
} from './heal-record.ts';
import { healUnusedLines } from './heal-unused-lines.ts';
import { healOutdatedPods } from './heal-outdated.ts';
import { healConfig, healServices } from './heal-upkeep.ts';

type Answer = Healer | LeftReason;

export interface Stage {
  readonly why: string;
  readonly answers: Readonly<Partial<Record<Code, Answer>>>;
}

export const STAGES: readonly Stage[] = [
  {
    why: 'Pods, Services and the record come first: every other repair goes through them.',
    answers: {
      'record-lost': 'by-hand',
      'record-older': healOlderRecord,
      'formed-mark-missing': healFormedMark,
      'state-missing': healState,
      'config-missing': healConfigMap,
      'client-service-missing': healClientService,
      'line-unused': healUnusedLines,
      'volume-unused': 'by-hand',
      'objects-unsafe': healOverwritten,
      'objects-differ': healOverwritten,
      'cluster-down': healLostVolumes,
      stopped: 'by-hand',
      'cannot-ask': 'by-hand',
      'not-formed': 'by-hand',
      'host-not-ready': 'by-hand',
      'pod-beyond': 'by-hand',
      'pod-outdated': healOutdatedPods,
      'pod-missing': 'by-hand',
      'claim-shared': 'by-hand',
      'claim-unbound': 'by-hand',
      'claim-terminating': 'by-hand',
      'pod-not-running': 'by-hand',
      'guard-waiting': 'by-itself',
      'start-refused': 'by-hand',
      'node-unreachable': 'by-hand',
      'tunnel-broken': 'by-hand',
      'password-refused': 'by-hand',
      'permission-missing': 'by-hand',
      'image-differs': 'by-hand',
      'cluster-mode-off': 'by-hand',
      'node-loading': 'by-itself',
      'node-starting': 'by-itself',
      'pod-terminating': 'by-itself',
      'pod-not-ready': 'by-hand',
      'service-missing': healServices,
      'service-wrong': healServices,
      'service-two-pods': 'by-hand',
      'restart-unfinished': 'by-hand',
      'operation-lapsed': 'by-hand',
    },
  },
  {
    why: 'Who belongs to the cluster is settled before anybody is told to do anything.',
    answers: {
      'pod-label-changed': 'refused',
      'address-shared': 'refused',
      'duplicate-node-id': 'refused',
      'clusters-split': 'refused',
      handshake: 'by-itself',
    },
  },
  {
    why: 'Whose contested slots are is settled while those who claim them do not see each other: who loses then deletes its keys.',
    answers: { 'slots-contested': healContested },
  },
  {
    why: 'Addresses come before failovers: nodes that can not find each other only look dead.',
    answers: {
      'address-unknown': healAddresses,
      'address-mismatch': healAddresses,
      'announce-lost': healAnnounced,
      'pod-ip-announced': 'by-hand',
      'link-down': 'by-hand',
    },
  },
  {
    why: 'Replicas take over before anybody is forgotten: a replica of a forgotten primary can not be elected.',
    answers: {
      'no-quorum': healNoQuorum,
      'primary-incomplete': healIncompletePrimaries,
      'slots-without-node': healPrimaries,
      'primary-down': healPrimaries,
    },
  },
  {
    why: 'Replicas are attached before ghosts are forgotten: nobody forgets the node that it follows.',
    answers: {
      'replica-orphaned': healOrphans,
      'replica-chain': healChains,
      'replica-dials-stale-address': healStaleAddresses,
      'replica-link-down': 'by-hand',
      'replica-syncing': 'by-itself',
      'replica-lags': 'by-itself',
      'replica-incomplete': 'by-hand',
    },
  },
  {
    why: 'Nobody needs the ids of nodes that are gone any more, and commands to all nodes would wait for them.',
    answers: { 'ghost-node': healGhosts, 'unknown-node': healStrangers, 'node-not-joined': healNewcomers },
  },
  {
    why: 'Roles and members stand still now, so slots and keys can be brought where they belong.',
    answers: {
      'slots-unclaimed': healUnclaimed,
      'slots-half-open': healOpenSlots,
      'slots-open': healOpenSlots,
      'views-differ': healViews,
      'stray-keys': healStrays,
      'epoch-collision': 'by-itself',
    },
  },
  {
    why: 'Slots without an owner come after stray keys and open slots: who has their keys is known only then.',
    answers: {
      'slots-uncovered': healCoverage,
      'cluster-state-fail': 'by-hand',
      'writes-refused': 'by-hand',
      'disk-write-fails': 'by-hand',
      'keys-not-counted': 'by-itself',
    },
  },
  {
    why: 'All data is served now; what follows makes it safer.',
    answers: {
      'config-differs': healConfig,
      'maxmemory-missing': 'by-hand',
      'password-missing': 'by-hand',
      'functions-differ': healFunctions,
      'versions-differ': 'by-hand',
      'ephemeral-data': 'by-hand',
      'persistence-differs': 'by-hand',
      'append-only-off': 'by-hand',
      'older-data-loaded': 'by-hand',
    },
  },
  {
    why: 'Where nodes stand comes last: it changes nothing for those who read and write.',
    answers: {
      'shard-label-stale': healShardLabels,
      'empty-primary': healEmptyPrimaries,
      'replica-missing': healReplicaCounts,
      'shape-differs': 'by-hand',
      'primaries-share-host': healCrowdedHosts,
      'same-host': healSharedHosts,
      'too-few-hosts': 'by-hand',
      'same-zone': 'by-hand',
    },
  },
];

/** Whoever belongs to which cluster is not known while one of these is there: nothing but Kubernetes objects is touched. */
export const STOPPERS: ReadonlySet<string> = new Set([
  'pod-label-changed',
  'duplicate-node-id',
  'clusters-split',
  'address-shared',
]);
