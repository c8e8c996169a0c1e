/** Who does not see a node yet, by name. Whoever can't ever see it is not waited for. */
import { expect, test } from '@jest/globals';
import { inAllViews } from '../../../pkg/engine/steps/in-views.ts';
import type { RedisStepDeps } from '../../../pkg/engine/steps/redis-steps.ts';
import { healthyObservation, nodeIdOf } from '../../support/observation.ts';

const observation = healthyObservation();
const NODE = { nodeId: nodeIdOf(4), pod: 'redis-4-0' };
const line = (id: string, flags: string): string => `${id} 10.0.0.1:6379@16379 ${flags} - 0 0 1 connected`;

/** @param views by pod; null = it is silent; left out: all is well there */
function linkedIn(views: Readonly<Record<string, string | null>>): Promise<readonly string[]> {
  const well = [line(nodeIdOf(1), 'myself,master'), line(NODE.nodeId, 'slave')].join('\n');
  const run = ({ name }: { name: string }): Promise<readonly unknown[]> => {
    const view = name in views ? views[name] : well;
    return view == null ? Promise.reject(new Error('silent')) : Promise.resolve([`${view}\n`]);
  };
  const deps = { observation, redis: { run } } as unknown as RedisStepDeps;
  return inAllViews(deps, NODE)((seen) => seen?.linkUp === true);
}

test.each<[string, Readonly<Record<string, string | null>>, readonly string[]]>([
  ['everybody sees it', {}, []],
  [
    'one knows it not, and another not any more',
    {
      'redis-1-0': [line(nodeIdOf(1), 'myself,master'), line(nodeIdOf(2), 'master')].join('\n'),
      'redis-3-0': line(NODE.nodeId, 'slave').replace(/connected$/, 'disconnected'),
    },
    ['redis-1-0', 'redis-3-0'],
  ],
  ['one is silent', { 'redis-2-0': null }, []],
  [
    'one was reset meanwhile: it knows only itself, whoever waits',
    { 'redis-2-0': line('f'.repeat(40), 'myself,master') },
    [],
  ],
  ['its own view does not count', { 'redis-4-0': line(nodeIdOf(1), 'master') }, []],
])('%s', async (_, views, blind) => {
  expect(await linkedIn(views)).toEqual(blind);
});
