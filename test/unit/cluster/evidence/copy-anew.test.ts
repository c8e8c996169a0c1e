/** The way out for a replica that lacks keys, by what it finds when it is started again. */
import { describe, expect, test } from '@jest/globals';
import { copyAnew } from '../../../../pkg/cluster/evidence/copy-anew.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { NodeAnswer } from '../../../../pkg/cluster/model/observation.ts';
import { changeAnswer, changePod, changed, type Change } from '../../../support/observation-changes.ts';
import { unreachable } from '../../../support/observation-faults.ts';
import { healthyObservation } from '../../../support/observation.ts';

const POD = 'redis-5-0';
const ALONE = '; what was written to it alone goes';
const WHY = '(it keeps no append-only file, and with its snapshot it would go on as it is)';
const BY_POD = `kubectl -n default delete pod ${POD} has it copy its primary anew`;
const BY_CLAIM = `kubectl -n default delete pvc data-${POD} --wait=false, then kubectl -n default delete pod ${POD}, have it start with an empty volume and copy its primary anew ${WHY}`;

const withoutLog = (pod = POD): Change =>
  changeAnswer(pod, (answer): NodeAnswer => ({ ...answer, info: { ...answer.info, aofEnabled: false } }));
const configured = (config: Readonly<Record<string, string>>): Change =>
  changeAnswer(POD, (answer): NodeAnswer => ({ ...answer, config: { ...answer.config, ...config } }));
const again = (directives: string, them: string): string =>
  `It has ${directives}, and would lack keys again: set ${them} to yes first, also in its configuration. Then `;

test('where nothing of ours lets it in, fix does', () => {
  const observation = healthyObservation({ kind: 'foreign' });
  const replica = interpret(observation).nodes.find(({ role }) => role === 'replica')?.pod?.name ?? '';
  const says = (...changes: readonly Change[]): string =>
    copyAnew(interpret(changed(observation, ...changes)), replica);
  expect(says(withoutLog(replica))).toContain('; kubectl redis fix redis then gives it its place; what was');
  expect(says()).toBe(`kubectl -n default delete pod ${replica} has it copy its primary anew${ALONE}`);
});

describe('what has a replica copy its primary anew', () => {
  test.each<readonly [string, readonly Change[], string]>([
    ['with a log it goes on with no history', [], BY_POD],
    ['one that does not say', [unreachable(POD, 'timeout')], BY_POD],
    ['with snapshots alone it needs an empty volume', [withoutLog()], BY_CLAIM],
    [
      'whose volume goes with it has one then',
      [withoutLog(), changePod(POD, (pod) => ({ ...pod, ephemeralData: true }))],
      BY_POD,
    ],
    [
      'and so has one whose claim is being deleted',
      [withoutLog(), changePod(POD, (pod) => ({ ...pod, goingClaim: `data-${POD}` }))],
      BY_POD,
    ],
    [
      'a claim that nobody makes anew is not named',
      [withoutLog(), changePod(POD, (pod) => ({ ...pod, claims: ['shared'] }))],
      `${POD} needs an empty volume, and copies its primary anew then ${WHY}`,
    ],
    [
      'what lets others write to it is set back first',
      [configured({ 'replica-read-only': 'no' })],
      again('replica-read-only no', 'it') + BY_POD,
    ],
    [
      'what has it evict keys by itself, too',
      [withoutLog(), configured({ 'replica-ignore-maxmemory': 'no', maxmemory: '1000000' })],
      again('replica-ignore-maxmemory no', 'it') + BY_CLAIM,
    ],
    [
      'both',
      [configured({ 'replica-read-only': 'no', 'replica-ignore-maxmemory': 'no', maxmemory: '1000000' })],
      again('replica-read-only no and replica-ignore-maxmemory no', 'them') + BY_POD,
    ],
    ['without a limit it evicts nothing', [configured({ 'replica-ignore-maxmemory': 'no', maxmemory: '0' })], BY_POD],
  ])('%s', (_, changes, expected) => {
    expect(copyAnew(interpret(changed(healthyObservation(), ...changes)), POD)).toBe(expected + ALONE);
  });
});
