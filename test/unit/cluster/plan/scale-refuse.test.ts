/** What `scale` refuses: before anything is written, and again before every batch. */
import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Plan, Step } from '../../../../pkg/cluster/model/plan.ts';
import { layShape } from '../../../../pkg/cluster/plan/scale-layout.ts';
import { planScale } from '../../../../pkg/cluster/plan/scale.ts';
import { changed, type Change } from '../../../support/observation-changes.ts';
import {
  duplicatedOwner,
  linkDown,
  podGone,
  replicaLinkDown,
  unreachable,
} from '../../../support/observation-faults.ts';
import { ownedOf, recordedOf, runBatch, worldOf, type World } from '../../../support/scale-world.ts';

const FEWER = { masters: 3, replicas: 1 };

function planOf(world: World, agreedToGo: readonly string[] | null = null, wanted = FEWER): Plan {
  const { observation } = world;
  const seen = { state: interpret(observation), kube: observation.kube, owned: ownedOf(world) };
  return planScale({ ...seen, recorded: recordedOf(world), wanted, agreedToGo });
}

function withChange(world: World, ...changes: readonly Change[]): World {
  return { ...world, observation: changed(world.observation, ...changes) };
}

/** Runs until a step of this kind is next. */
function runTo(kind: Step['kind'], start: World): World {
  let world = start;
  for (let batches = 0; batches < 40; batches++) {
    const plan = planOf(world);
    const batch = plan.kind === 'batches' ? plan.batches[0] : undefined;
    if (batch === undefined) throw new Error(`ended with ${plan.kind}`);
    if (batch.steps.some((step) => step.kind === kind)) return world;
    world = runBatch(world, batch);
  }
  throw new Error('it never ends');
}

describe('nodes that go', () => {
  // All slots have left shard 4; its primary still runs.
  const emptied = runTo('remove-object', worldOf({ masters: 4, replicas: 0 }));
  const replicaless = { masters: 3, replicas: 0 };

  test.each<[string, Change]>([
    ['frozen', unreachable('redis-4-0', 'timeout', 'fail')],
    ['its tunnel cut', unreachable('redis-4-0', 'tunnel', 'up')],
    ['loading', unreachable('redis-4-0', 'loading', 'up')],
    ['its pod away', podGone('redis-4-0')],
  ])('a primary that is %s is not taken for an empty one (K14)', (_, change) => {
    const silent = withChange(emptied, change);
    expect(planOf(silent, null, replicaless)).toMatchObject({ kind: 'refused', code: 'node-silent' });
  });

  test('what answers and is empty goes; a replica that is silent holds nothing that its primary has not', () => {
    expect(planOf(emptied, null, replicaless).kind).toBe('batches');
    const world = runTo('remove-object', worldOf({ masters: 3, replicas: 2 }));
    const [going] = recordedOf(world).scaling?.leaving ?? [];
    const silent = withChange(world, unreachable(`redis-${going}-0`, 'timeout', 'fail'));
    expect(planOf(silent)).toMatchObject({ batches: [{ title: 'stop the replicas' }, {}] });
  });

  test('one whose StatefulSet has gone is being stopped, also while its pod answers: nobody has to agree with it', () => {
    const { observation } = withChange(emptied, linkDown('redis-1-0', 'redis-4-0'));
    const owned = ownedOf(emptied).filter(({ kind, name }) => kind !== 'StatefulSet' || name !== 'redis-4');
    const kube = {
      ...observation.kube,
      statefulSets: observation.kube.statefulSets.filter((set) => set.name !== 'redis-4'),
    };
    const seen = { state: interpret({ ...observation, kube }), kube, owned };
    const plan = planScale({ ...seen, recorded: recordedOf(emptied), wanted: FEWER, agreedToGo: null });
    expect(plan).toMatchObject({ kind: 'batches', batches: [{ title: 'wait until they have stopped' }] });
  });

  test('only those that were agreed to', () => {
    const start = worldOf({ masters: 3, replicas: 2 });
    const leaving = layShape({ spec: recordedOf(start), ...inputOf(start) }, FEWER).scaling?.leaving ?? [];
    const names = leaving.map((ordinal) => `redis-${ordinal}`);
    expect(planOf(start, names).kind).toBe('batches');
    expect(planOf(start, names.slice(1))).toMatchObject({ kind: 'refused', code: 'plan-changed' });
  });

  test('of two replicas the one that is not in step', () => {
    const behind = withChange(worldOf({ masters: 3, replicas: 2 }), replicaLinkDown('redis-4-0'));
    expect(layShape({ spec: recordedOf(behind), ...inputOf(behind) }, FEWER).scaling?.leaving).toContain(4);
  });
});

test.each<[string, Change, string]>([
  ['an owner that is silent', unreachable('redis-1-0', 'timeout', 'up'), 'owner-silent'],
  ['slots that two claim (K11)', duplicatedOwner('redis-2-0', [{ start: 0, end: 9 }]), 'slots-contested'],
])('%s: refused before anything is recorded', (_, change, code) => {
  const world = withChange(worldOf({ masters: 3, replicas: 2 }), change);
  expect(planOf(world)).toMatchObject({ kind: 'refused', code });
});

function inputOf({ observation }: World): Pick<Parameters<typeof layShape>[0], 'state' | 'kube'> {
  return { state: interpret(observation), kube: observation.kube };
}
