/** Nodes that announce another address than that of their Service (C15). */
import { healthyObservation } from '../../../support/observation.ts';
import { changeKube, changePod, changed, type Change } from '../../../support/observation-changes.ts';
import { config, every } from '../../../support/observation-faults.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

const NAME = 'cluster-announce-ip';
const REPAIR = 'kubectl -n default exec redis-5-0 -- redis-cli CONFIG SET cluster-announce-ip 10.96.0.15';
const lost = (what: string): ReturnType<typeof says> =>
  says(
    'warning announce-lost',
    `redis-5-0 announces ${what} instead of 10.96.0.15, the address of its Service.`,
    REPAIR,
    'redis-5-0',
  );

/** As `create` leaves pods that people brought: scripts of ours, no record of the shape, a table of addresses. */
export function injected(addresses: Readonly<Record<string, string>> = {}): Change {
  return (observation) =>
    changed(
      observation,
      every((pod) => changePod(pod, (facts) => ({ ...facts, annotations: { 'kubectl-redis.io/injected': 'inject' } }))),
      changeKube((kube) => ({
        ...kube,
        services: kube.services.map((service) => ({ ...service, annotations: {} })),
        config: {
          formed: 'true',
          nodes: kube.services
            .filter(({ name }) => name !== 'redis')
            .map(({ name, clusterIP }) => `${name.slice(6)} ${name} ${addresses[name] ?? clusterIP} 1\n`)
            .join(''),
        },
      })),
    );
}

export const ANNOUNCE_CASES: readonly CheckCase[] = [
  [
    'announce-lost: nothing is announced, though the others have not noticed yet (C15)',
    changed(healthyObservation(), config('redis-5-0', NAME, '')),
    [lost('no address of its own, and so the one of its pod')],
  ],
  [
    'announce-lost: of a pod that people brought, by the table of nodes (C15)',
    changed(healthyObservation(), injected(), config('redis-5-0', NAME, '10.96.200.200')),
    [lost('10.96.200.200')],
  ],
  [
    'no problem: of a pod that people brought, where table and Service do not say the same (C15)',
    changed(healthyObservation(), injected({ 'redis-5': '10.96.200.200' }), config('redis-5-0', NAME, '')),
    [],
  ],
  [
    'announce-lost: nor the address of its pod (C15)',
    changed(healthyObservation(), config('redis-5-0', NAME, '10.244.0.7')),
    [lost('10.244.0.7')],
  ],
];
