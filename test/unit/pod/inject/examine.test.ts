import { describe, expect, test } from '@jest/globals';
import { examine } from '../../../../pkg/pod/inject/examine.ts';
import type { Json } from '../../../../pkg/pod/inject/pod-json.ts';
import { candidateOf, podOf } from '../../../support/inject-pods.ts';

const CLUSTER = 'kubectl-redis.io/cluster';
const noted = (annotations: Json): Json => podOf({ meta: { labels: { [CLUSTER]: 'redis' }, annotations } });
const labelled = (labels: Json): Json => podOf({ meta: { labels } });
const holding = (...containers: Json[]): Json => podOf({ spec: { containers } });

describe('the table, line by line', () => {
  test.each<[string, unknown, string, RegExp]>([
    ['null', null, 'malformed', /the pod itself/],
    ['a list', [], 'malformed', /the pod itself/],
    ['no spec', { metadata: {} }, 'malformed', /spec is missing/],
    ['labels that are a list', labelled([] as unknown as Json), 'malformed', /metadata\.labels/],
    ['a label that is a number', labelled({ [CLUSTER]: 1 }), 'malformed', /metadata\.labels/],
    ['containers that are text', podOf({ spec: { containers: 'x' } }), 'malformed', /spec\.containers/],
    ['a container without a name', holding({ image: 'redis' }), 'malformed', /spec\.containers/],
    ['a port that is text', podOf({ container: { ports: [{ containerPort: '1' }] } }), 'malformed', /spec\.containers/],
    ['two clusters', noted({ [CLUSTER]: 'other' }), 'two-clusters', /label .* redis, the annotation other/],
    ['a bad name', labelled({ [CLUSTER]: 'Redis_' }), 'bad-cluster-name', /"Redis_" can't be/],
    ['a name like a node', labelled({ [CLUSTER]: 'redis-1' }), 'bad-cluster-name', /looks like a node's/],
    ['Windows', podOf({ spec: { containers: [], os: { name: 'windows' } } }), 'windows', /does not run/],
    ['a Job', podOf({ spec: { containers: [{ name: 'redis' }], restartPolicy: 'Never' } }), 'restart-policy', /Never/],
    ['another container named', noted({ 'kubectl-redis.io/container': 'x' }), 'no-such-container', /names x/],
    ['no container', holding(), 'which-container', /there is none/],
    ['two servers', holding({ name: 'a', image: 'redis' }, { name: 'b', image: 'valkey' }), 'which-container', /a, b/],
    ['a command', podOf({ container: { command: ['redis-server'] } }), 'own-command', /container main/],
    ['a file as argument', podOf({ container: { args: ['/etc/my.conf'] } }), 'own-arguments', /my\.conf/],
    ['a directive of ours', podOf({ container: { args: ['--dir', '/x'] } }), 'bad-directive', /--dir .*volume/],
    ['a wish that is none', noted({ 'kubectl-redis.io/anti-affinity': 'yes' }), 'bad-annotation', /hard, soft or off/],
    ['two primaries', noted({ 'kubectl-redis.io/masters': '2' }), 'bad-annotation', /at least 3/],
    ['a bad directive', noted({ 'kubectl-redis.io/config': 'port 1' }), 'bad-annotation', /6379/],
    ['a bad user', noted({ 'kubectl-redis.io/run-as': 'root' }), 'bad-annotation', /UID/],
    ['a bad exporter', noted({ 'kubectl-redis.io/metrics': 'a b' }), 'bad-annotation', /exporter/],
    [
      '/etc/redis-cluster taken',
      podOf({ container: { volumeMounts: [{ name: 'c', mountPath: '/etc/redis-cluster/' }] } }),
      'config-dir-taken',
      /mounts c/,
    ],
    ['another node name', labelled({ [CLUSTER]: 'redis', name: 'web' }), 'bad-node-name', /redis-N/],
    ['a name with zeros', labelled({ [CLUSTER]: 'redis', name: 'redis-01' }), 'bad-node-name', /redis-01/],
  ])('refused: %s', (_, pod, code, sentence) => {
    expect(examine(pod)).toEqual({ kind: 'refused', code, sentence: expect.stringMatching(sentence) });
  });

  test.each<[string, Json, string]>([
    ['pods of create', noted({ 'kubectl-redis.io/injected': 'create' }), 'injected-already'],
    ['a second pass', noted({ 'kubectl-redis.io/injected': 'webhook' }), 'injected-already'],
    ['a pod of somebody else', labelled({ app: 'redis' }), 'not-asked-for'],
  ])('skipped: %s', (_, pod, code) => {
    expect(examine(pod)).toEqual({ kind: 'skipped', code, sentence: expect.any(String) });
  });
});

test.each<[string, Json, string]>([
  [
    'the annotation',
    { ...noted({ 'kubectl-redis.io/container': 'b' }), spec: { containers: [{ name: 'redis' }, { name: 'b' }] } },
    'b',
  ],
  ['the name', holding({ name: 'x', image: 'redis:8' }, { name: 'redis', image: 'own' }), 'redis'],
  ['the image', holding({ name: 'x', image: 'nginx' }, { name: 'y', image: 'reg.example:5000/valkey/valkey:9' }), 'y'],
  ['not an exporter', holding({ name: 'm', image: 'oliver006/redis_exporter' }, { name: 'y', image: 'redis' }), 'y'],
  ['the only one', holding({ name: 'db', image: 'own/cache' }), 'db'],
  [
    'never an init container',
    podOf({ spec: { initContainers: [{ name: 'redis' }], containers: [{ name: 'y' }] } }),
    'y',
  ],
])('which container: by %s', (_, pod, name) => {
  expect(candidateOf(pod).container.name).toBe(name);
});

test.each<[string, Json, object]>([
  [
    'label name',
    {
      labels: { [CLUSTER]: 'redis', name: 'redis-4' },
      name: 'x-0',
      ownerReferences: [{ kind: 'StatefulSet', name: 'x', controller: true }],
    },
    { kind: 'name', ordinal: 4 },
  ],
  [
    'StatefulSet',
    {
      labels: { [CLUSTER]: 'redis' },
      name: 'my-set-0',
      ownerReferences: [{ kind: 'StatefulSet', name: 'my-set', controller: true }],
    },
    { kind: 'stateful-set', ordinal: 0 },
  ],
  [
    'ReplicaSet',
    {
      labels: { [CLUSTER]: 'redis' },
      generateName: 'web-',
      ownerReferences: [{ kind: 'ReplicaSet', name: 'web', controller: true }],
    },
    { kind: 'any' },
  ],
  ['nobody', { labels: { [CLUSTER]: 'redis' }, name: 'redis-7' }, { kind: 'any' }],
])('N of a pod of %s', (_, meta, number) => {
  expect(candidateOf(podOf({ meta })).number).toEqual(number);
});

test('arguments become directives, and what is so anyway is left out', () => {
  const args = [
    'redis-server',
    '--port',
    '6379',
    '--cluster-enabled',
    'yes',
    '--save',
    '',
    '--maxmemory-policy',
    'allkeys-lru',
  ];
  expect(candidateOf(podOf({ container: { args } })).wishes.directives).toEqual({
    save: '""',
    'maxmemory-policy': 'allkeys-lru',
  });
});
