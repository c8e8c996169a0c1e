/** Records that name fewer nodes than there are, or more: exactly what check says of each. */
import { injectedSet } from '../../../support/injected-set.ts';
import { changeKube, changed } from '../../../support/observation-changes.ts';
import { recordPutBack } from '../../../support/record-put-back.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

export const OLDER_RECORD_CASES: readonly CheckCase[] = [
  [
    'record-older: a record of before scale was put back',
    recordPutBack(),
    [
      says(
        'critical record-older',
        'redis-4-0 and redis-8-0 are nodes of redis, the other nodes know them, and they own 4096 slots; ConfigMap redis-state does not name them: an older one was put back.',
        'Put back the ConfigMap redis-state that names these nodes.',
        'redis-4-0 redis-8-0',
      ),
    ],
  ],
  [
    'record-older: a table of people from before one of their nodes came',
    changed(
      injectedSet(null),
      changeKube((now) => ({
        ...now,
        state: { ...now.state, nodes: (now.state?.['nodes'] ?? '').replace(/^5 .*$/m, '') },
      })),
    ),
    [
      says(
        'critical record-older',
        'redis-5 is a node of redis, the other nodes know it; ConfigMap redis-state does not name it: an older one was put back.',
        'Put back the ConfigMap redis-state that names these nodes.',
        'redis-5',
      ),
    ],
  ],
  [
    'line-unused: a seventh line of a StatefulSet that was scaled up and down again',
    injectedSet(),
    [
      says(
        'info line-unused',
        'ConfigMap redis-state has a line for redis-6, which never was a node of redis: its workload was scaled up and down again.',
        'kubectl -n default delete service redis-6; then kubectl redis create redis writes the table without it.',
        '',
        '',
        'redis-6',
      ),
    ],
  ],
];
