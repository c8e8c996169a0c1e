/** Any ClusterSpec that the command line would let through, for property tests. */
import * as fc from 'fast-check';
import type { ClusterSpec } from '../../pkg/cluster/model/spec.ts';

const name = fc.stringMatching(/^[a-z]([a-z0-9]|-[a-z]){0,16}$/);

export const anySpec: fc.Arbitrary<ClusterSpec> = fc.record({
  cluster: fc.record({ namespace: name, name }),
  masters: fc.integer({ min: 3, max: 12 }),
  replicas: fc.integer({ min: 0, max: 3 }),
  image: fc.constantFrom('redis:5', 'redis:8-alpine', 'valkey/valkey:9'),
  imagePullPolicy: fc.constantFrom('Always', 'IfNotPresent', 'Never', null),
  storage: fc.constantFrom('1Gi', '512Mi', '2T'),
  storageClass: fc.option(name),
  memory: fc.constantFrom('64Mi', '1Gi', '1.5G', '100Gi', null),
  cpu: fc.constantFrom('100m', '2', null),
  config: fc.constantFrom<ClusterSpec['config'][]>(
    {},
    { 'maxmemory-policy': 'allkeys-lru' },
    { save: '900 1\n300 10', appendonly: 'no' },
  ),
  auth: fc.boolean(),
  antiAffinity: fc.constantFrom('hard', 'soft', 'off'),
  networkPolicy: fc.boolean(),
  nodes: fc.option(fc.constantFrom({ '1': '1', '2': '2', '7': '3' }, { '3': '1', '12': '4' })),
  scaling: fc.option(fc.record({ leaving: fc.subarray([3, 7]), spread: fc.boolean() })),
  restarted: fc.option(fc.constantFrom({}, { '1': '2026-11-23T10:00:00.000Z' })),
});
