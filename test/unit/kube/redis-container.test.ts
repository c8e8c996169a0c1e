import { describe, expect, test } from '@jest/globals';
import type { RawContainer } from '../../../pkg/kube/api-json.ts';
import {
  dataVolumes,
  findRedisContainer,
  looksLikeClusterMode,
  looksLikeRedis,
  redisPort,
} from '../../../pkg/kube/redis-container.ts';

const exporter: RawContainer = {
  name: 'metrics',
  image: 'oliver006/redis_exporter:v1',
  ports: [{ containerPort: 9121 }],
};
const bitnami: RawContainer = {
  name: 'rel-redis-cluster',
  image: 'docker.io/bitnami/redis-cluster:7.2.4',
  ports: [
    { name: 'tcp-redis', containerPort: 6379 },
    { name: 'tcp-redis-bus', containerPort: 16379 },
  ],
};
const named: RawContainer = { name: 'redis', image: 'corp/cache:1' };
const app: RawContainer = {
  name: 'web',
  image: 'registry.redis.example:5000/shop/web:2',
  ports: [{ containerPort: 8080 }],
};
const sentinel: RawContainer = { name: 'redis', image: 'redis:7', command: ['redis-server', '/s.conf', '--sentinel'] };
const valkey: RawContainer = { name: 'server', image: 'valkey/valkey:9.0-alpine', args: ['--cluster-enabled', 'yes'] };

describe('findRedisContainer', () => {
  test.each<[string, RawContainer[], Record<string, string>, string | undefined]>([
    ['the one that the annotation names', [app, named], { 'kubectl-redis.io/container': 'web' }, 'web'],
    ['an annotation that names none is no annotation', [app, named], { 'kubectl-redis.io/container': 'nope' }, 'redis'],
    ['the one called redis', [exporter, bitnami, named], {}, 'redis'],
    ['by image, never the exporter', [exporter, bitnami], {}, 'rel-redis-cluster'],
    ['valkey by image', [app, valkey], {}, 'server'],
    ['the first where nothing tells', [app], {}, 'web'],
    ['none where there are none', [], {}, undefined],
  ])('%s', (_, containers, annotations, name) => {
    expect(findRedisContainer({ annotations }, { containers })?.name).toBe(name);
  });
});

describe('redisPort', () => {
  test.each<[number, RawContainer['ports']]>([
    [7000, [{ containerPort: 6379 }, { name: 'redis', containerPort: 7000 }]],
    [
      7001,
      [
        { name: 'http', containerPort: 80 },
        { name: 'tcp-redis', containerPort: 7001 },
      ],
    ],
    [6379, [{ name: 'http', containerPort: 80 }, { containerPort: 6379 }]],
    [80, [{ name: 'http', containerPort: 80 }]],
    [6379, []],
    [6379, undefined],
  ])('%d', (port, ports) => {
    expect(redisPort(ports === undefined ? {} : { ports })).toBe(port);
  });
});

describe('what is a Redis server, and what of it runs in cluster mode', () => {
  test.each<[string, RawContainer[], Record<string, string>, boolean, boolean]>([
    ['a bitnami node with its exporter', [exporter, bitnami], {}, true, true],
    ['valkey with cluster-enabled', [valkey], {}, true, true],
    ['plain redis without the bus', [{ name: 'redis', image: 'redis:7' }], {}, true, false],
    [
      'redis by its environment',
      [{ image: 'redis:7', env: [{ name: 'REDIS_CLUSTER_ENABLED', value: 'yes' }] }],
      {},
      true,
      true,
    ],
    [
      'an image of their own, by its port',
      [{ name: 'cache', image: 'corp/cache:1', ports: [{ containerPort: 6379 }] }],
      {},
      true,
      false,
    ],
    ['an image of their own, by annotation', [app], { 'kubectl-redis.io/container': 'web' }, true, false],
    ['a web server from a registry with redis in its name', [app], {}, false, false],
    ['an exporter alone', [exporter], {}, false, false],
    ['a sentinel by command', [sentinel], {}, false, false],
    ['a sentinel by image', [{ name: 'sentinel', image: 'bitnami/redis-sentinel:7' }], {}, false, false],
    ['an operator', [{ name: 'manager', image: 'quay.io/x/redis-operator@sha256:0' }], {}, false, false],
    ['no containers', [], {}, false, false],
  ])('%s', (_, containers, annotations, redis, cluster) => {
    expect([
      looksLikeRedis({ annotations }, { containers }),
      looksLikeClusterMode({ annotations }, { containers }),
    ]).toEqual([redis, cluster]);
  });
});

describe('dataVolumes', () => {
  const at = (mountPath: string, name = 'data'): RawContainer => ({
    name: 'redis',
    volumeMounts: [{ name, mountPath }],
  });
  const claim = { name: 'data', persistentVolumeClaim: { claimName: 'data-0' } };
  test.each([
    ['a claim', at('/data'), [claim], { claims: ['data-0'], ephemeralData: false }],
    [
      'an emptyDir at the data path',
      at('/data/'),
      [{ name: 'data', emptyDir: {} }],
      { claims: [], ephemeralData: true },
    ],
    ['a claim of another container', at('/etc/redis', 'conf'), [claim], { claims: ['data-0'], ephemeralData: true }],
    [
      'a claim, and an emptyDir for /tmp',
      {
        name: 'redis',
        volumeMounts: [
          { name: 'data', mountPath: '/data' },
          { name: 'tmp', mountPath: '/tmp' },
        ],
      },
      [claim, { name: 'tmp', emptyDir: {} }],
      { claims: ['data-0'], ephemeralData: false },
    ],
    [
      'a directory of the host',
      at('/bitnami/redis/data'),
      [{ name: 'data', hostPath: { path: '/srv' } }],
      { claims: [], ephemeralData: false },
    ],
    [
      'a volume that goes with the pod',
      at('/var/lib/redis'),
      [{ name: 'data', ephemeral: {} }],
      { claims: [], ephemeralData: true },
    ],
    ['no volume', at('/data'), [], { claims: [], ephemeralData: true }],
  ])('%s', (_, container, volumes, expected) => {
    expect(dataVolumes({ containers: [container], volumes }, container)).toEqual(expected);
  });
});
