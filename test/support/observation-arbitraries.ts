/** Random clusters for property tests: shapes, and observations with random faults on top of each other. */
import * as fc from 'fast-check';
import { UNREACHABLE_REASONS } from '../../pkg/cluster/model/observation.ts';
import type { GossipNode, Observation } from '../../pkg/cluster/model/observation.ts';
import { changeAnswer, changeLines, changePod, changed } from './observation-changes.ts';
import type { Change } from './observation-changes.ts';
import {
  addressMismatch,
  configEpoch,
  duplicatedOwner,
  ghost,
  libraries,
  linkDown,
  onHost,
  openSlot,
  podGone,
  replicaLinkDown,
  slots,
  staleView,
  strayKeys,
  unowned,
  unreachable,
} from './observation-faults.ts';
import { healthyObservation } from './observation.ts';
import type { Shape } from './observation.ts';

export const someShape: fc.Arbitrary<Shape> = fc.record({
  masters: fc.integer({ min: 3, max: 8 }),
  replicas: fc.integer({ min: 0, max: 3 }),
  hosts: fc.integer({ min: 1, max: 8 }),
  zones: fc.integer({ min: 0, max: 4 }),
  kind: fc.constantFrom('ours' as const, 'foreign' as const),
  name: fc.constantFrom('redis', 'session-cache'),
  namespace: fc.constant('default'),
  keysPerShard: fc.integer({ min: 0, max: 1000 }),
});

/** What a fault is about; it is made for the pods of an observation when that is known. */
interface FaultSeed {
  readonly kind: number;
  readonly a: number;
  readonly b: number;
  readonly slot: number;
}

const someSeed: fc.Arbitrary<FaultSeed> = fc.record({
  kind: fc.nat({ max: 99 }),
  a: fc.nat({ max: 99 }),
  b: fc.nat({ max: 99 }),
  slot: fc.nat({ max: 16383 }),
});

/** Up to eight faults on a healthy cluster; what cannot be done any more (a pod that is silent already) is left out. */
export const someObservation: fc.Arbitrary<Observation> = fc
  .tuple(someShape, fc.array(someSeed, { maxLength: 8 }))
  .map(([shape, seeds]) => seeds.reduce(applySeed, healthyObservation(shape)));

function applySeed(observation: Observation, seed: FaultSeed): Observation {
  const talking = observation.replies.filter((one) => one.reply.kind === 'answered').map((one) => one.pod);
  const [a, b] = [talking[seed.a % talking.length], talking[seed.b % talking.length]];
  if (a === undefined || b === undefined) return observation;
  const faults = [...faultsOfPods(a, b, seed), ...faultsOfLines(a, seed)];
  const fault = faults[seed.kind % faults.length];
  return fault === undefined ? observation : changed(observation, fault);
}

function faultsOfPods(a: string, b: string, { slot, b: number }: FaultSeed): Change[] {
  const near = slots(slot, Math.min(16383, slot + 5));
  return [
    unreachable(
      a,
      UNREACHABLE_REASONS[number % UNREACHABLE_REASONS.length] ?? 'error',
      number % 2 === 0 ? 'fail' : 'up',
    ),
    podGone(a),
    ghost(
      number.toString(16).repeat(40).slice(0, 40),
      number % 2 === 0 ? {} : { slots: near, linkUp: true, flags: ['master'] },
    ),
    openSlot(slot, a, b),
    openSlot(slot, a, b, 'importing'),
    staleView(a, near, b),
    duplicatedOwner(a, near),
    unowned(near),
    addressMismatch(a, '10.1.1.1'),
    strayKeys(a, 3),
    linkDown(a, b),
    replicaLinkDown(a),
    configEpoch(a, 7),
    onHost(a, 'host-1'),
    libraries(a, number % 2 === 0 ? { lib: 'a' } : {}),
    libraries(a, { lib: 'b' }),
  ];
}

/** What no server should say, and what a parser may still hand on. */
function faultsOfLines(pod: string, { slot, b: number }: FaultSeed): Change[] {
  const drop = (line: GossipNode, viewer: string, index: number): GossipNode | null =>
    viewer === pod && index % 7 === number % 7 ? null : line;
  let index = 0;
  return [
    changeLines((line, viewer) => drop(line, viewer, index++)),
    changeLines((line, viewer) => (viewer === pod ? { ...line, role: 'unknown', primaryId: line.nodeId } : line)),
    changeLines((line, viewer) => (viewer === pod ? { ...line, slots: [{ start: slot, end: 20_000 }] } : line)),
    changeAnswer(pod, (answer) => ({ ...answer, view: [] })),
    changeAnswer(pod, (answer) => ({ ...answer, myId: '0'.repeat(40), config: null, keysInOwnSlots: null })),
    changePod(pod, (facts) => ({ ...facts, host: null, phase: 'Pending', ip: '', labels: {} })),
  ];
}
