import { describe, expect, test } from '@jest/globals';
import { recordOf, needsOldRecord, type RecordFacts } from '../../../../pkg/cluster/model/record.ts';
import { changedState, type StateChange } from '../../../../pkg/cluster/model/state-data.ts';
import type { StatefulSetFacts } from '../../../../pkg/cluster/model/observation.ts';
import { specAnnotations } from '../../../../pkg/pod/annotations.ts';
import { asMade } from '../../../support/as-made.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';

const CLUSTER = { namespace: 'default', name: 'redis' };
const spec = specOf();
const other = specOf({ image: 'redis:9' });
const { kube } = asMade(healthyObservation(), spec);
const NOTHING: RecordFacts = { config: null, state: null, services: [], statefulSets: [] };
const service = (one = spec): RecordFacts['services'] =>
  kube.services.filter(({ name }) => name === 'redis').map((each) => ({ ...each, annotations: specAnnotations(one) }));
const read = (facts: Partial<RecordFacts>): ReturnType<typeof recordOf> => recordOf({ ...NOTHING, ...facts }, CLUSTER);

describe('the record', () => {
  test.each([
    ['nothing', {}, 'none'],
    ['NAME-config without a record, as it is printed', { config: { 'redis.conf': '' } }, 'none'],
    ['NAME-config of an older version', { config: { formed: 'false' } }, 'config'],
    ['Service NAME', { services: service() }, 'config'],
    ['NAME-state, whatever else there is', { state: {}, config: { formed: 'true' }, services: service() }, 'state'],
  ] as const)('%s: its source is %s', (_, facts, source) => {
    expect(read(facts).source).toBe(source);
  });

  test.each([
    [null, null, null],
    [null, 'true', true],
    [null, 'false', false],
    ['true', null, true],
    ['true', 'false', true],
    ['false', null, false],
    // No manifest ever said it: an older version of the tool did.
    ['false', 'true', true],
    // It was left out because nobody knew; a manifest knows no better.
    ['', 'false', null],
  ])('formed: NAME-state %j, NAME-config %j: %j', (mine, old, formed) => {
    const state = mine === null ? null : mine === '' ? {} : { formed: mine };
    expect(read({ state, config: old === null ? null : { formed: old } }).formed).toBe(formed);
  });

  test('the table is that of NAME-state, as long as it has one', () => {
    const addressOf = (facts: Partial<RecordFacts>) => read(facts).nodes[0]?.address;
    const config = { nodes: '1 redis-1 - 1\n' };
    expect(addressOf({ state: { nodes: '1 redis-1 10.0.0.1 1\n' }, config })).toBe('10.0.0.1');
    expect(addressOf({ state: {}, config })).toBeNull();
    expect(addressOf({ state: {} })).toBeUndefined();
  });

  // Restored from a backup into another namespace: what is rendered from it must not be written where it came from.
  test('a record of another namespace is of the cluster beside which it lies', () => {
    const theirs = specOf({ cluster: { namespace: 'prod', name: 'redis' } });
    const statefulSets = kube.statefulSets.map((set) => ({ ...set, annotations: specAnnotations(theirs) }));
    for (const facts of [{ state: { spec: JSON.stringify(theirs) } }, { services: service(theirs) }, { statefulSets }])
      expect(read(facts).spec?.cluster).toEqual(CLUSTER);
  });

  // Asked by such a table, a node would meet those of the other cluster.
  test.each([
    ['it says so', { namespace: 'prod' }],
    [
      'of an older version: its spec says so',
      { spec: JSON.stringify(specOf({ cluster: { ...CLUSTER, namespace: 'prod' } })) },
    ],
  ])('the addresses of a copied record are unknown: %s', (_, more) => {
    const state = { nodes: '1 redis-1 10.0.0.1 1\n', formed: 'true' };
    expect(read({ state: { ...state, ...more } })).toMatchObject({
      formed: true,
      nodes: [{ ordinal: 1, node: 'redis-1', address: null, shard: '1' }],
    });
    expect(read({ state: { ...state, ...more, namespace: 'default' } }).nodes[0]?.address).toBe('10.0.0.1');
  });

  test('the spec is that of NAME-state; else the copy of Service NAME; else that of a StatefulSet', () => {
    const statefulSets = kube.statefulSets.map((set) => ({ ...set, annotations: specAnnotations(other) }));
    const all = { state: { spec: JSON.stringify(spec) }, services: service(other), statefulSets };
    expect(read(all).spec).toEqual(spec);
    expect(read({ ...all, state: { spec: 'damaged' } }).spec).toEqual(other);
    expect(read({ ...all, state: null, services: service(spec) }).spec).toEqual(spec);
    expect(read({ statefulSets })).toMatchObject({ spec: other, shape: { masters: 3, replicas: 1 } });
    expect(read({ statefulSets: kube.statefulSets })).toMatchObject({ spec: null, shape: null });
  });

  test('of a Service whose spec is damaged, what is for people tells the shape', () => {
    const annotations = { ...specAnnotations(spec), 'kubectl-redis.io/spec': '{' };
    expect(read({ services: service().map((each) => ({ ...each, annotations })) })).toMatchObject({
      spec: null,
      shape: { masters: 3, replicas: 1 },
    });
  });
});

describe('K2: an annotation that a manifest took back to before a scale', () => {
  const more = ([7, 8] as const).map((n): StatefulSetFacts => {
    const [set] = kube.statefulSets;
    if (set === undefined) throw new Error('no sets');
    return { ...set, name: `redis-${n}`, templateLabels: { ...set.templateLabels, 'kubectl-redis.io/shard': '4' } };
  });

  test('is completed by the nodes whose StatefulSets are there', () => {
    const { spec: known, shape } = read({ services: service(), statefulSets: [...kube.statefulSets, ...more] });
    expect(known).toMatchObject({ masters: 4, replicas: 1 });
    expect(known?.nodes).toEqual({ '1': '1', '2': '2', '3': '3', '4': '1', '5': '2', '6': '3', '7': '4', '8': '4' });
    expect(shape?.ordinals).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  test('not by what NAME-state says, and not by StatefulSets of others', () => {
    const sets = [...kube.statefulSets, ...more];
    expect(read({ state: { spec: JSON.stringify(spec) }, statefulSets: sets }).spec).toEqual(spec);
    const theirs = more.map((set) => ({ ...set, templateLabels: { 'kubectl-redis.io/shard': '4' } }));
    expect(read({ services: service(), statefulSets: [...kube.statefulSets, ...theirs] }).spec).toEqual(spec);
  });
});

describe('what NAME-state holds after a change', () => {
  const nodes = [{ ordinal: 1, node: 'redis-1', address: '10.0.0.1', shard: '1' }];
  const after = (now: Record<string, string> | null, change: StateChange, facts: Partial<RecordFacts> = {}) =>
    changedState(now, read({ ...facts, state: now }), change);

  test('keys that nobody knows are kept', () => {
    expect(after({ later: 'x' }, { nodes })).toEqual({ later: 'x', nodes: '1 redis-1 10.0.0.1 1\n' });
  });

  test('the first one takes over what older places say, but not that the cluster was never formed', () => {
    const config = { formed: 'true', nodes: '1 redis-1 10.0.0.1 1\n', budgets: '1:2' };
    const { spec: text = '', ...rest } = after(null, {}, { config, services: service() });
    expect([rest, JSON.parse(text)]).toEqual([config, spec]);
    expect(after(null, {}, { config: { ...config, formed: 'false' } })).not.toHaveProperty('formed');
  });

  test.each([
    ['true', { formed: false }, 'true'],
    ['false', { formed: true }, 'true'],
    ['false', {}, 'false'],
    [undefined, { formed: false }, 'false'],
    [undefined, {}, undefined],
    ['true', { clearedAt: 'now' }, 'false'],
  ])('formed %j, changed by %j: %j', (formed, change, expected) => {
    expect(after(formed === undefined ? {} : { formed }, change)['formed']).toBe(expected);
  });

  test('what a person agreed to counts until the cluster is formed again', () => {
    const cleared = after({ formed: 'true' }, { clearedAt: 'now' });
    expect(cleared).toEqual({ formed: 'false', cleared: 'now' });
    expect(after(cleared, { nodes })['cleared']).toBe('now');
    expect(after(cleared, { formed: true })).toEqual({ formed: 'true' });
  });
});

test.each([
  ['where every pod and template reads NAME-state', {}, false],
  ['where NAME-config holds one', { config: { formed: 'false' } }, true],
  ['where a pod does not', { pods: kube.pods.map((pod) => ({ ...pod, readsState: false })) }, true],
  [
    'where a template does not',
    { statefulSets: kube.statefulSets.map((set) => ({ ...set, readsState: false })) },
    true,
  ],
])('NAME-config needs a copy %s: %j %s', (_, change, needs) => {
  expect(needsOldRecord({ ...kube, ...change })).toBe(needs);
});
