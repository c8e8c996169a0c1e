/** Clusters in which something is refused, and how a case is written. */
import type { KubeObject } from '../../../../pkg/engine/ports.ts';
import { SPEC_KEY } from '../../../../pkg/cluster/model/labels.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import { asMade } from '../../../support/as-made.ts';
import {
  changeAnswer,
  changeLines,
  changePod,
  changeKube,
  changed,
  type Change,
} from '../../../support/observation-changes.ts';
import {
  duplicatedOwner,
  ghost,
  lacksKeys,
  openSlot,
  swappedLabels,
  unreachable,
} from '../../../support/observation-faults.ts';
import { freshObservation, healthyObservation } from '../../../support/observation.ts';
import { recordPutBack } from '../../../support/record-put-back.ts';
import { specOf } from '../../../support/spec.ts';
import type { VerbWorld } from '../../../support/verb-world.ts';

export interface RefusalCase {
  readonly argv: readonly string[];
  readonly code: string;
  readonly name: string;
  readonly world: VerbWorld;
  /** Part of what the terminal shows. */
  readonly says: string;
}

export const whole = (replicas = 1, ...changes: readonly Change[]): VerbWorld => ({
  observation: changed(asMade(healthyObservation({ replicas }), specOf({ masters: 3, replicas })), ...changes),
});
/** `redis-1` was emptied and leads, and another replica than the first has its keys. */
export const emptied = whole(2, lacksKeys('redis-7-0', 'redis-1-0', -900));
export const fresh = (...changes: readonly Change[]): VerbWorld => ({
  observation: changed(freshObservation(), ...changes),
});
export const foreign = (...changes: readonly Change[]): VerbWorld => ({
  observation: changed(healthyObservation({ kind: 'foreign' }), ...changes),
});
/** Nobody gave their password, or a network is between. */
export const unheard = (kind: 'ours' | 'foreign', why: 'auth' | 'timeout' = 'auth'): VerbWorld => {
  const { observation } = kind === 'ours' ? whole() : foreign();
  return {
    observation: changed(observation, ...observation.kube.pods.map(({ name }) => unreachable(name, why, 'up'))),
  };
};
export const nothing = (change: Partial<Observation['kube']> = {}, others: readonly KubeObject[] = []): VerbWorld => {
  const { kube, ...rest } = healthyObservation();
  const none = { pods: [], services: [], statefulSets: [], claims: [], config: null };
  return { observation: { ...rest, kube: { ...kube, ...none, ...change }, replies: [] }, others };
};
/** Deleted, with its volumes and its record kept. */
export const stopped = (): Observation => {
  const { kube, ...observation } = whole().observation;
  return { ...observation, kube: { ...kube, pods: [], statefulSets: [] }, replies: [] };
};
/** The record of three shards, and four run. */
export const putBack = (): VerbWorld => ({ observation: recordPutBack() });
export const relabelled = (): VerbWorld => whole(1, ...swappedLabels('redis-3', 'redis-6'));
/** Some of the StatefulSets scaled to 0 by hand; their pods are gone. */
export const asleep = (count: number): Observation => {
  const { kube, replies, ...observation } = whole().observation;
  const nodes = kube.statefulSets.slice(0, count).map(({ name }) => name);
  const sets = kube.statefulSets.map((set) => (nodes.includes(set.name) ? { ...set, replicas: 0 } : set));
  const sleeps = (pod: string): boolean => nodes.includes(pod.replace(/-0$/, ''));
  const pods = kube.pods.filter(({ name }) => !sleeps(name));
  return {
    ...observation,
    kube: { ...kube, pods, statefulSets: sets },
    replies: replies.filter(({ pod }) => !sleeps(pod)),
  };
};
export const without = (world: VerbWorld, kind: string): VerbWorld => ({
  ...world,
  objects: (objects) => objects.filter((object) => object.kind !== kind),
});

export const object = (apiVersion: string, kind: string, name: string, more: object = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name, labels: {} },
  ...more,
});

export const silent = (pod: string): Change => unreachable(pod, 'timeout', 'up');
export const contested = duplicatedOwner('redis-2-0', [{ start: 0, end: 9 }]);
export const open = openSlot(7, 'redis-1-0', 'redis-2-0');
export const torn = openSlot(7, 'redis-1-0', 'redis-4-0');
export const keys = (pod: string, count: number): Change =>
  changeAnswer(pod, (answer) => ({ ...answer, info: { ...answer.info, keys: count } }));
export const volatile = (pod: string): Change =>
  changeAnswer(pod, (answer) => ({
    ...answer,
    info: { ...answer.info, aofEnabled: false },
    config: { ...answer.config, save: '' },
  }));
export const orphan = (pod: string): Change =>
  changeLines((line, viewer) =>
    viewer === pod && line.flags.includes('myself') ? { ...line, primaryId: 'e'.repeat(40) } : line,
  );
export const saysDown = (pod: string): Change =>
  changeAnswer(pod, (answer) => ({ ...answer, clusterInfo: { ...answer.clusterInfo, state: 'fail' } }));
export const readOnly = (pod: string): Change =>
  changeAnswer(pod, (answer) => ({
    ...answer,
    info: {
      ...answer.info,
      writes: {
        aofWriteOk: false,
        aofRewriteOk: true,
        snapshotOk: true,
        goodReplicas: null,
        expiringKeys: 0,
        uncountedMemoryBytes: 0,
      },
    },
  }));
export const memory = (usedMemoryBytes: number, maxMemoryBytes: number): Change[] =>
  [1, 2, 3, 4, 5, 6].map((n) =>
    changeAnswer(`redis-${n}-0`, (answer) => ({
      ...answer,
      info: { ...answer.info, usedMemoryBytes, maxMemoryBytes },
    })),
  );
/** It keeps a cache that is much smaller than what its primary has. */
export const smallCache = (pod: string): Change =>
  changeAnswer(pod, (answer) => ({
    ...answer,
    info: { ...answer.info, usedMemoryBytes: 5_000_000, maxMemoryBytes: 1_000_000, maxMemoryPolicy: 'allkeys-lru' },
  }));
export const stranger = ghost('f'.repeat(40), { flags: ['master'], linkUp: true });
export const owner = (pod: string, name: string | null): Change =>
  changePod(pod, (facts) => ({ ...facts, owner: name }));
/** Most primaries are gone. */
export const minority = [unreachable('redis-2-0', 'refused', 'fail'), unreachable('redis-3-0', 'refused', 'fail')];
export const recording = (change: object): Change =>
  changeKube((kube) => {
    const spec = { ...(JSON.parse(kube.state?.[SPEC_KEY] ?? '{}') as object), ...change };
    return { ...kube, state: { ...kube.state, [SPEC_KEY]: JSON.stringify(spec) } };
  });

export const of =
  (...argv: readonly string[]) =>
  (code: string, name: string, world: VerbWorld, says: string): RefusalCase => ({ argv, code, name, world, says });
