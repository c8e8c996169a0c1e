/** What `create` shows: the plan as text, as a document, as manifests. */
import { describe, expect, test } from '@jest/globals';
import { parseAllDocuments } from 'yaml';
import { dryRunDocument, dryRunManifests } from '../../../cmd/create/dry-run.ts';
import { createPlanLines } from '../../../cmd/view/create-plan.ts';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../pkg/cluster/model/observation.ts';
import type { ClusterSpec } from '../../../pkg/cluster/model/spec.ts';
import { planCreate } from '../../../pkg/cluster/plan/create.ts';
import type { Prepared } from '../../../pkg/engine/create.ts';
import { freshObservation } from '../../support/observation.ts';
import { expectSchema } from '../../support/expect-schema.ts';
import { specOf } from '../../support/spec.ts';

function prepare(observation: Observation, spec: ClusterSpec): Prepared {
  const state = interpret(observation);
  const plan = planCreate({ state, kube: observation.kube, spec, policy: { fastForming: true } });
  return {
    spec,
    state,
    observation,
    plan,
    remarks: [{ code: 'few-hosts', sentence: 'One host is not enough' }],
    brought: false,
    fingerprint: '',
  };
}

const NOTHING_THERE: Observation = {
  ...freshObservation(),
  kube: { ...freshObservation().kube, pods: [], services: [], statefulSets: [], config: null },
  replies: [],
};

describe('the plan of create', () => {
  test('as text: shards, costs, what may be lost, remarks', () => {
    const { spec, plan, remarks } = prepare(
      NOTHING_THERE,
      specOf({ masters: 3, replicas: 1, memory: '1Gi', auth: true }),
    );
    expect(
      createPlanLines(
        { spec, plan, remarks, brought: null, restarts: false, resumes: false },
        { width: 80, colour: false },
      ).join('\n'),
    ).toBe(`\
Create redis in namespace default: 3 shards of 2 nodes

  SHARD   SLOTS         COUNT   NODES
  1       0-5460         5461   redis-1, redis-4
  2       5461-10922     5462   redis-2, redis-5
  3       10923-16383    5461   redis-3, redis-6

  image       redis:8
  storage     6 x 1Gi, default class
  memory      6 x 1Gi, of which Redis uses 70 %
  password    in Secret redis-auth (made unless it is there)
  hosts       nodes of a shard never share a host; all are spread over hosts and
              zones
  makes       7 Services, 6 StatefulSets, 3 PodDisruptionBudgets, 2 ConfigMaps,
              1 Secret
  loses       nothing: what is there is not changed

  ! One host is not enough`);
  });

  test('a cluster that sleeps, or was deleted, starts again with its data', () => {
    const { spec, plan } = prepare(NOTHING_THERE, specOf({}));
    const view = { spec, plan, remarks: [], brought: null, restarts: true, resumes: true };
    expect(createPlanLines(view, { width: null, colour: false })[0]).toBe(
      'Start redis in namespace default again, with its data: 3 shards of 2 nodes',
    );
  });

  test('a run that was interrupted says what is left', () => {
    const { spec, plan } = prepare(freshObservation(), specOf({}));
    const lines = createPlanLines(
      { spec, plan, remarks: [], brought: null, restarts: false, resumes: true },
      { width: null, colour: false },
    );
    expect(lines[0]).toBe('Finish redis in namespace default: 3 shards of 2 nodes');
    expect(lines.join('\n')).toMatch(
      /\n {2}left to do +assign slots, join the nodes, attach the replicas, wait until all nodes agree\n/,
    );
  });

  test.each([
    ['an empty namespace', NOTHING_THERE],
    ['pods that wait to be joined', freshObservation()],
  ])('as a document it is what docs/schemas/create-plan.json says: %s', (_, observation) => {
    expectSchema('create-plan', dryRunDocument(prepare(observation, specOf({}))));
  });

  test('as manifests: the plan as comments, then every object, the Services first', async () => {
    const text = await dryRunManifests(prepare(NOTHING_THERE, specOf({})), ['Create redis']);
    expect(text.split('\n').slice(0, 6)).toEqual([
      '# Create redis',
      '#',
      '# After kubectl apply --server-side -f -, the pods wait until: kubectl redis create redis -n default',
      '# What the cluster must remember is not in them: it is in ConfigMap redis-state, which belongs in no manifest.',
      '# Applied again, they change nothing of that.',
      '---',
    ]);
    const kinds = parseAllDocuments(text).map((document) => (document.toJS() as { kind: string }).kind);
    expect(kinds.slice(0, 7)).toEqual(Array.from({ length: 7 }, () => 'Service'));
    expect(new Set(kinds)).toEqual(new Set(['Service', 'ConfigMap', 'PodDisruptionBudget', 'StatefulSet']));
    expect(kinds).toHaveLength(7 + 1 + 3 + 6);
  });
});
