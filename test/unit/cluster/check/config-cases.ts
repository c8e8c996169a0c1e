/** What our own scripts set for a while is no fault of configuration (C8, T3); everything else that differs is one. */
import { healthyObservation } from '../../../support/observation.ts';
import { changeKube, changed, type Change } from '../../../support/observation-changes.ts';
import { config, every, operation, replicaLinkDown } from '../../../support/observation-faults.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

const REPL = 'repl-timeout';
const NODE = 'cluster-node-timeout';
const allHave = (name: string, value: string): Change => every((pod) => config(pod, name, value));
const differs = (name: string, values: string, nodes: string): ReturnType<typeof says> =>
  says(
    'warning config-differs',
    `${name} differs: ${values}.`,
    `CONFIG SET ${name} to one value on all nodes, also in their configuration.`,
    nodes,
    '',
    name,
  );
/** As one finds it: no object of ours, so no script of ours either. */
const foreign: Change = changeKube((kube) => ({
  ...kube,
  services: kube.services.map((service) => ({ ...service, annotations: {} })),
}));

export const CONFIG_CASES: readonly CheckCase[] = [
  [
    "replica-link-down alone: the probe's own repl-timeout is no difference (C8)",
    changed(healthyObservation(), allHave(REPL, '20'), config('redis-5-0', REPL, '5'), replicaLinkDown('redis-5-0')),
    [
      says(
        'warning replica-link-down',
        'redis-5-0 has had no connection to its primary redis-2-0 for 30 s.',
        'It dials again after repl-timeout. If it stays: kubectl -n default logs redis-5-0',
        'redis-5-0',
      ),
    ],
  ],
  [
    'no problem: two of three replicas have it, which is no majority for anything (C8)',
    changed(
      healthyObservation(),
      allHave(REPL, '20'),
      ...['redis-4-0', 'redis-5-0', 'redis-6-0'].map((pod) => config(pod, REPL, '5')),
    ),
    [],
  ],
  [
    'config-differs: another repl-timeout is somebody else, also beside one of the probe (C8)',
    changed(healthyObservation(), allHave(REPL, '20'), config('redis-4-0', REPL, '5'), config('redis-5-0', REPL, '7')),
    [differs(REPL, '20 on redis-1-0, redis-2-0, redis-3-0 and redis-6-0, 7 on redis-5-0', 'redis-5-0')],
  ],
  [
    'config-differs: where no script of ours runs, nobody sets it for a while (C8)',
    changed(healthyObservation(), foreign, allHave(REPL, '20'), config('redis-5-0', REPL, '5')),
    [differs(REPL, '20 on redis-1-0, redis-2-0, redis-3-0, redis-4-0 and redis-6-0, 5 on redis-5-0', 'redis-5-0')],
  ],
  [
    'no problem: a replica that was told to be elected, one that took over, and primaries while a big key moves (C8)',
    changed(
      healthyObservation(),
      config('redis-4-0', NODE, '3000'),
      config('redis-5-0', NODE, '1000'),
      ...['redis-1-0', 'redis-2-0', 'redis-3-0'].map((pod) => config(pod, NODE, '36017')),
    ),
    [],
  ],
  [
    'config-differs: a node timeout that none of our scripts sets (C8)',
    changed(healthyObservation(), config('redis-4-0', NODE, '9000')),
    [differs(NODE, '5000 on redis-1-0, redis-2-0, redis-3-0, redis-5-0 and redis-6-0, 9000 on redis-4-0', 'redis-4-0')],
  ],
  [
    'config-differs: what a killed move left where no probe of ours puts it back (T3)',
    changed(
      healthyObservation(),
      foreign,
      ...['redis-1-0', 'redis-2-0', 'redis-3-0'].map((pod) => config(pod, NODE, '36017')),
    ),
    [
      differs(
        NODE,
        '36017 on redis-1-0, redis-2-0 and redis-3-0, 5000 on redis-4-0, redis-5-0 and redis-6-0',
        'redis-1-0 redis-2-0 redis-3-0',
      ),
    ],
  ],
  [
    'config-differs: all nodes alike have what a killed move left (T3)',
    changed(healthyObservation({ replicas: 0, hosts: 6 }), foreign, allHave(NODE, '36017')),
    [
      says(
        'warning config-differs',
        'cluster-node-timeout is 36017 on all nodes: a move of slots set it for one big key and was killed before it put it back.',
        'CONFIG SET cluster-node-timeout on all nodes to what their configuration says.',
        'redis-1-0 redis-2-0 redis-3-0',
        '',
        NODE,
      ),
    ],
  ],
  [
    'no problem: all nodes alike have it while an operation runs (T3)',
    changed(healthyObservation({ replicas: 0, hosts: 6 }), foreign, allHave(NODE, '36017'), operation()),
    [],
  ],
];
