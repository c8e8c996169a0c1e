/** A change of shape that older servers stop: each command that its refusal names is run, until the shape is there. */
import { expect, test } from '@jest/globals';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Plan } from '../../../../pkg/cluster/model/plan.ts';
import { planScale } from '../../../../pkg/cluster/plan/scale.ts';
import { refuseRestart } from '../../../../pkg/cluster/plan/restart-refuse.ts';
import { restartTarget } from '../../../../pkg/cluster/plan/restart-goal.ts';
import { changed } from '../../../support/observation-changes.ts';
import { version } from '../../../support/observation-faults.ts';
import { ownedOf, recordedOf, runBatch, worldOf, type World } from '../../../support/scale-world.ts';

const NEW = '8.6.3';
const OLD = '7.0.15';

interface Wanted {
  readonly masters: number;
  readonly replicas: number;
}

function planOf(world: World, wanted: Wanted): Plan {
  const { observation } = world;
  const seen = { state: interpret(observation), kube: observation.kube, owned: ownedOf(world) };
  return planScale({ ...seen, recorded: recordedOf(world), wanted, agreedToGo: null });
}

function run(world: World, versions: Readonly<Record<string, string>>): World {
  const known = world.observation.kube.pods.filter(({ name }) => versions[name] !== undefined);
  const changes = known.map(({ name }) => version(name, 'redis', versions[name] ?? ''));
  return { ...world, observation: changed(world.observation, ...changes) };
}

/** @param stop after so many batches; left out: until it is done or refused */
function goTo(start: World, wanted: Wanted, versions: Readonly<Record<string, string>>, stop = 60): [World, Plan] {
  let world = run(start, versions);
  for (let batch = 0; batch < stop; batch++) {
    const plan = planOf(world, wanted);
    const [first] = plan.kind === 'batches' ? plan.batches : [];
    if (first === undefined) return [world, plan];
    world = run(runBatch(world, first), versions);
  }
  return [world, planOf(world, wanted)];
}

function hintOf(plan: Plan): string {
  if (plan.kind !== 'refused') throw new Error(JSON.stringify(plan));
  expect(plan.code).toBe('target-older');
  return plan.hint;
}

/** `scale NAME --masters M --replicas R`, as a refusal names it. */
function named(hint: string): Wanted {
  const [, masters, replicas] = /^kubectl redis scale redis --masters (\d+) --replicas (\d+) gives up/.exec(hint) ?? [];
  expect(hint).toMatch(/; then kubectl redis restart redis .*; then run the same command again$/);
  return { masters: Number(masters), replicas: Number(replicas) };
}

/** Nothing of the change is in its way any more. */
function mayRestart(world: World): Plan | null {
  const { observation } = world;
  const { kube } = observation;
  const recorded = recordedOf(world);
  const target = restartTarget(kube, recorded, {
    at: '2027-01-01T00:00:00.000Z',
    image: 'redis:8.6',
    config: {},
    live: [],
    pods: null,
  });
  if (target === null) throw new Error('nothing to restart');
  const never = { staleConfig: false, staleSettings: false, rendered: { config: false, templates: false } };
  const agreed = { agreedAway: [{ start: 0, end: 16383 }], agreedLoss: [], liveIsSet: true };
  return refuseRestart({ state: interpret(observation), kube, recorded, target, ...never, ...agreed });
}

test.each([
  ['new nodes run an older server', { masters: 3, replicas: 1 }, { masters: 4, replicas: 1 }, ['7', '8'], 5],
  ['two new shards do', { masters: 3, replicas: 0 }, { masters: 5, replicas: 0 }, ['4', '5'], 5],
  ['those that stay run an older server', { masters: 4, replicas: 1 }, { masters: 3, replicas: 1 }, ['1', '2', '3'], 1],
] as const)('%s: what the refusal names leads to the shape', (_, from, to, older, batches) => {
  const versions = Object.fromEntries(
    [1, 2, 3, 4, 5, 6, 7, 8].map((n) => [`redis-${n}-0`, older.some((one) => one === String(n)) ? OLD : NEW]),
  );
  // Begun before the servers were older, or before their version was known.
  const [begun] = goTo(worldOf(from), to, {}, batches);
  expect(recordedOf(begun).scaling).not.toBeNull();
  const [stuck, refused] = goTo(begun, to, versions);
  expect(mayRestart(stuck)).toMatchObject({ kind: 'refused', code: 'scale-unfinished' });
  const back = named(hintOf(refused));
  expect(back).toEqual(from);
  const [whole, done] = goTo(stuck, back, versions);
  expect(done.kind).toBe('nothing');
  expect(recordedOf(whole)).toMatchObject({ ...from, scaling: null });
  expect(mayRestart(whole)).toBeNull();
  const [end, last] = goTo(whole, to, Object.fromEntries(Object.keys(versions).map((pod) => [pod, NEW])));
  expect(last.kind).toBe('nothing');
  expect(recordedOf(end)).toMatchObject({ ...to, scaling: null });
});

test('shares that only differ stay as they are, and it is said: a cluster in the middle of an upgrade is not held up by them', () => {
  const versions = { 'redis-1-0': NEW, 'redis-2-0': OLD, 'redis-3-0': OLD, 'redis-4-0': NEW };
  // One more, which has some of its slots by now when it is given up: then it has to go, and what it has goes to a newer one.
  const [half] = goTo(worldOf({ masters: 3, replicas: 0 }), { masters: 4, replicas: 0 }, {}, 7);
  const owners = interpret(half.observation).nodes.filter(({ slots }) => slots.length > 0);
  const plan = planOf(run(half, versions), { masters: owners.length, replicas: 0 });
  expect(plan.kind === 'refused' ? plan : null).toBeNull();
  const [end, last] = goTo(half, { masters: owners.length, replicas: 0 }, versions);
  expect([last.kind, recordedOf(end).scaling]).toEqual(['nothing', null]);
});
