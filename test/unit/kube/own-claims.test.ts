/** Which claims are of a cluster, also of one that this tool did not make, where no label and no name of ours tells it. */
import { describe, expect, test } from '@jest/globals';
import type { RawClaim, RawMeta, RawPod, RawWorkload } from '../../../pkg/kube/api-json.ts';
import { podFacts } from '../../../pkg/kube/facts.ts';
import { ownClaims } from '../../../pkg/kube/own-claims.ts';
import { rawPod } from '../../support/kube-json.ts';

type Labels = Readonly<Record<string, string>>;

const HELM: Labels = { 'app.kubernetes.io/instance': 'db', 'app.kubernetes.io/name': 'redis-cluster' };
const OTHER: Labels = { 'app.kubernetes.io/instance': 'shop', 'app.kubernetes.io/name': 'redis-cluster' };

function pod(name: string, claims: readonly string[], owner: string | null = null): RawPod {
  const ownerReferences = owner === null ? [] : [{ kind: 'StatefulSet', name: owner, controller: true }];
  const volumes = claims.map((claimName) => ({ name: claimName, persistentVolumeClaim: { claimName } }));
  const made = rawPod();
  return { ...made, metadata: { name, labels: HELM, ownerReferences }, spec: { ...made.spec, volumes } };
}

function set(name: string, templates: readonly string[], labels: Labels = {}): RawWorkload {
  const volumeClaimTemplates = templates.map((template) => ({ metadata: { name: template } }));
  return { metadata: { name }, spec: { template: { metadata: { labels } }, volumeClaimTemplates } };
}

const claim = (name: string, labels: Labels = {}, more: RawMeta = {}): RawClaim => ({
  metadata: { name, labels, ...more },
});

interface Case {
  readonly pods: readonly RawPod[];
  readonly sets?: readonly RawWorkload[] | null;
  readonly claims: readonly RawClaim[];
}

const namesOf = (cluster: string, { pods, sets = [], claims }: Case): (string | undefined)[] =>
  ownClaims(cluster, pods.map(podFacts), { claims, sets }).map(({ metadata }) => metadata?.name);

/** As the chart makes it: StatefulSet NAME-redis-cluster, its claims from template redis-data. */
const bitnami = [0, 1, 2].map((n) =>
  pod(`db-redis-cluster-${n}`, [`redis-data-db-redis-cluster-${n}`], 'db-redis-cluster'),
);
const bitnamiSet = set('db-redis-cluster', ['redis-data']);
const used = claim('redis-data-db-redis-cluster-0', HELM);
const left = claim('redis-data-db-redis-cluster-6', HELM);

describe('of a cluster that others made', () => {
  test.each<[string, Case, readonly RawClaim[]]>([
    ['the ordinals of pods that are gone', { pods: bitnami, sets: [bitnamiSet], claims: [used, left] }, [used, left]],
    [
      'without labels',
      { pods: bitnami, sets: [bitnamiSet], claims: [claim('redis-data-db-redis-cluster-6')] },
      [claim('redis-data-db-redis-cluster-6')],
    ],
    ['its StatefulSet was not read', { pods: bitnami, sets: null, claims: [left] }, [left]],
    [
      'its StatefulSet was deleted and its pods stay',
      { pods: [pod('db-0', ['data-db-0'])], claims: [claim('data-db-5')] },
      [claim('data-db-5')],
    ],
    [
      'a second template that the pods left over do not mount',
      {
        pods: bitnami,
        sets: [set('db-redis-cluster', ['redis-data', 'logs'])],
        claims: [claim('logs-db-redis-cluster-4')],
      },
      [claim('logs-db-redis-cluster-4')],
    ],
    [
      'the same labels under another name',
      { pods: bitnami, sets: [bitnamiSet], claims: [used, claim('restored', HELM)] },
      [used, claim('restored', HELM)],
    ],
    [
      'a name that goes on behind the ordinal, or before the template',
      {
        pods: bitnami,
        sets: [bitnamiSet],
        claims: [claim('redis-data-db-redis-cluster-x-6'), claim('old-redis-data-db-redis-cluster-6')],
      },
      [],
    ],
    [
      'another release',
      {
        pods: bitnami,
        sets: [bitnamiSet, set('shop-redis-cluster', ['redis-data'])],
        claims: [used, claim('redis-data-shop-redis-cluster-0', OTHER)],
      },
      [used],
    ],
    [
      'another StatefulSet whose claims have the same labels',
      {
        pods: [pod('db-0', ['data-db-0'], 'db')],
        sets: [set('db', ['data']), set('web', ['data'])],
        claims: [claim('data-db-0', { app: 'x' }), claim('data-web-0', { app: 'x' })],
      },
      [claim('data-db-0', { app: 'x' })],
    ],
    [
      'no labels are not the same labels',
      { pods: [pod('db-0', ['data-db-0'], 'db')], claims: [claim('data-db-0'), claim('somebody')] },
      [claim('data-db-0')],
    ],
    [
      'it says that it is of another cluster',
      {
        pods: bitnami,
        sets: [bitnamiSet],
        claims: [claim('redis-data-db-redis-cluster-6', { 'kubectl-redis.io/cluster': 'cache' })],
      },
      [],
    ],
    [
      'pods of a Deployment, whose claims have no ordinal of theirs',
      { pods: [pod('db-7d9f-2x4', ['shared'])], claims: [claim('shared'), claim('shared-2')] },
      [claim('shared')],
    ],
  ])('%s', (_, found, own) => {
    expect(namesOf('db', found)).toEqual(own.map(({ metadata }) => metadata?.name));
  });

  test('of pods that were injected: a StatefulSet without any pod, by our label in its template', () => {
    const asleep = set('mine', ['data'], { 'kubectl-redis.io/cluster': 'redis' });
    expect(namesOf('redis', { pods: [rawPod()], sets: [asleep], claims: [claim('data-mine-3')] })).toEqual([
      'data-mine-3',
    ]);
  });
});

describe('of a cluster that this tool made', () => {
  test.each<[string, RawClaim, readonly RawWorkload[], boolean]>([
    ['with our label', claim('x', { 'kubectl-redis.io/cluster': 'redis' }), [], true],
    ['restored without its label', claim('data-redis-7-0'), [], true],
    ['of a StatefulSet of others with that name', claim('data-redis-8-0'), [set('redis-8', ['data'])], false],
    ['of no node', claim('data-redis-x-0'), [], false],
  ])('%s', (_, one, sets, own) => {
    expect(namesOf('redis', { pods: [rawPod()], sets, claims: [one] })).toHaveLength(own ? 1 : 0);
  });
});
