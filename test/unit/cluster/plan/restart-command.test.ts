/** The restart that a hint names is one that `restart` does not refuse. */
import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import { restartCommand } from '../../../../pkg/cluster/plan/restart-command.ts';
import { planRebalance } from '../../../../pkg/cluster/plan/rebalance.ts';
import { planScale } from '../../../../pkg/cluster/plan/scale.ts';
import { whyOlderThan } from '../../../../pkg/cluster/plan/server-version.ts';
import { asMade } from '../../../support/as-made.ts';
import { changed, changePod, type Change } from '../../../support/observation-changes.ts';
import { every, version } from '../../../support/observation-faults.ts';
import { healthyObservation, nodeIdOf } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';

const runs = (pod: string, image: string): Change =>
  changePod(pod, (facts) => ({ ...facts, container: { ...facts.container, image } }));
const old = every((pod) => changedTo(pod, 'local/redis:7', '7.4.1'));
function changedTo(pod: string, image: string, text: string): Change {
  return (observation) => changed(observation, runs(pod, image), version(pod, 'redis', text));
}
const upgraded = (image: string) => [old, changedTo('redis-4-0', image, '8.6.3')];

describe('the command', () => {
  test.each([
    ['the recorded image is taken', 'local/redis:9', 'local/redis:8', ''],
    ['it is refused: that of the newest server', 'local/redis:7', 'local/redis:8', ' --image local/redis:8'],
    ['that one is refused, too', 'local/redis:7', 'local/redis:7', ' --image IMAGE'],
    ['nothing is recorded', null, 'local/redis:8', ''],
  ])('%s', (_, recorded, newest, flag) => {
    const { nodes } = interpret(changed(healthyObservation(), ...upgraded(newest)));
    expect(restartCommand('redis', recorded, nodes)).toBe(`kubectl redis restart redis${flag}`);
    const image = / --image (?!IMAGE)(.+)$/.exec(flag)?.[1];
    if (image !== undefined) expect(whyOlderThan(image, nodes)).toBeNull();
  });
});

test('scale names it, where a restart was begun and its image can not be gone on with', () => {
  const spec = { ...specOf({ image: 'local/redis:7' }), restarted: { '1': '2036-01-01T00:00:00.000Z' } };
  const observation = changed(asMade(healthyObservation(), spec), ...upgraded('local/redis:8'));
  const { kube } = observation;
  const seen = { state: interpret(observation), kube, owned: [] };
  const wanted = { masters: 4, replicas: 1 };
  expect(planScale({ ...seen, recorded: spec, wanted, agreedToGo: null })).toMatchObject({
    kind: 'refused',
    code: 'restart-unfinished',
    hint: 'kubectl redis restart redis --image local/redis:8 goes on with it; then run the same command again',
  });
});

test('so does rebalance, where slots would go to an older server', () => {
  const observation = changed(healthyObservation(), old, changedTo('redis-2-0', 'local/redis:8', '8.6.3'));
  const weights = new Map([[nodeIdOf(2), 0.5]]);
  const input = { state: interpret(observation), by: 'slots', weights, measured: null, thresholdPercent: 0 } as const;
  expect(planRebalance({ ...input, image: 'local/redis:7' })).toMatchObject({
    code: 'target-older',
    hint: 'kubectl redis restart redis --image local/redis:8 finishes the upgrade first; then run the same command again',
  });
});
