/** The plan of `scale` counts the slots that its moves take, whoever has them. */
import { describe, expect, test } from '@jest/globals';
import { scalePlanOf } from '../../../cmd/document/scale-plan.ts';
import { scalePlanLines } from '../../../cmd/view/scale-plan.ts';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import { SPEC_KEY } from '../../../pkg/cluster/model/labels.ts';
import type { Plan } from '../../../pkg/cluster/model/plan.ts';
import { formatRanges } from '../../../pkg/cluster/model/slots.ts';
import { prepareScale, type PreparedScale, type ScaleSight } from '../../../pkg/engine/scale.ts';
import { expectSchema } from '../../support/expect-schema.ts';
import { changed } from '../../support/observation-changes.ts';
import { ownsBesides } from '../../support/observation-failover.ts';
import { openSlot } from '../../support/observation-faults.ts';
import { ownedOf, recordedOf, worldOf, type World } from '../../support/scale-world.ts';

const LIMITS = { maxPauseMs: 20, maxBandwidth: null };

function prepare(world: World, masters: number | null, replicas: number | null): PreparedScale {
  const { observation } = world;
  const inventory: ScaleSight['inventory'] = { owned: ownedOf(world), brought: [], gaps: [] };
  const seen = { observation, state: interpret(observation), inventory, recorded: recordedOf(world) };
  return prepareScale(seen, { masters, replicas });
}

const movesOf = (plan: Plan): string[] =>
  (plan.kind === 'batches' ? plan.batches : [])
    .flatMap(({ steps }) => steps)
    .flatMap((step) =>
      step.kind === 'move-slots' ? [`${step.source.pod} -> ${step.target.pod} ${formatRanges(step.ranges)}`] : [],
    );

describe('the plan of scale', () => {
  test('slots of a replica by the record: the plan says that they move, and they do', () => {
    const world = worldOf({});
    const besides = ownsBesides('redis-6-0', 'redis-3-0', [{ start: 15392, end: 16383 }], 564);
    const prepared = prepare({ ...world, observation: changed(world.observation, besides) }, 3, null);
    expect(scalePlanLines(prepared, LIMITS, { width: 120, colour: false }).join('\n')).toBe(`\
Bring redis in namespace default back to 3 x 2 nodes

  SHARD   NODES              SLOTS   THEN   KEYS
  1       redis-1, redis-4    5461   5461    100
  2       redis-2, redis-5    5462   5462    100
  3       redis-3, redis-6    5461   5461    664

  moves       992 slots with 564 keys, about 0B: 1 pair, the first 15392-16383 from redis-6-0 to redis-3-0, both of
              shard 3
  takes       about 2s for the slots; pods take as long as they take
  pauses      the servers move slots by themselves; writes to them wait for some milliseconds when the owner changes
  loses       no key; clients are redirected while slots move`);
    expect(movesOf(prepared.plan)).toEqual(['redis-6-0 -> redis-3-0 15392-16383']);
    expectSchema('scale-plan', scalePlanOf(prepared));
  });

  test('an old record, and a shard that it does not know: nothing is moved before the record is right', () => {
    const four = worldOf({ masters: 4 });
    const nodes = { '1': '1', '2': '2', '3': '3', '5': '1', '6': '2', '7': '3' };
    const old = JSON.stringify({ ...recordedOf(four), masters: 3, nodes });
    const kube = { ...four.observation.kube, state: { ...four.observation.kube.state, [SPEC_KEY]: old } };
    const prepared = prepare({ ...four, observation: { ...four.observation, kube } }, 3, null);
    expect(prepared.outline.shards.map(({ name, slotsNow, slotsThen }) => [name, slotsNow, slotsThen])).toEqual([
      ['1', 4096, 5461],
      ['2', 4096, 5462],
      ['3', 4096, 5461],
      ['4', 4096, 0],
    ]);
    expect(prepared.outline.moves.reduce((sum, { slots }) => sum + slots, 0)).toBe(4096);
    expect(prepared.plan).toMatchObject({ kind: 'refused', code: 'record-older' });
  });

  test('slots that an interrupted move left open are moves, too', () => {
    const world = worldOf({});
    const open = openSlot(7, 'redis-1-0', 'redis-2-0');
    const prepared = prepare({ ...world, observation: changed(world.observation, open) }, 3, null);
    expect(prepared.outline.moves.map(({ from, to, ranges }) => [from, to, ranges])).toEqual([
      ['1', '2', [{ start: 7, end: 7 }]],
    ]);
    expect(movesOf(prepared.plan)).toEqual(['redis-1-0 -> redis-2-0 7']);
  });
});
