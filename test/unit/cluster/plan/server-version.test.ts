import { describe, expect, test } from '@jest/globals';
import {
  compareVersions,
  imageTakesKeysOf,
  namedServer,
  reads,
  takesKeysOf,
  whyOlder,
} from '../../../../pkg/cluster/plan/server-version.ts';

test.each([
  ['7.0.15', '7.0.15', 0],
  ['7', '7.0.15', 0],
  ['7.2', '7.0.15', 1],
  ['6.2.16', '7.0.0', -1],
  ['8.10.0', '8.9.0', 1],
])('%s against %s', (a, b, sign) => {
  expect(Math.sign(compareVersions(a, b))).toBe(sign);
  expect(Math.sign(compareVersions(b, a))).toBe(sign === 0 ? 0 : -sign);
});

test.each([
  ['redis:8.4', 'redis', '8.4'],
  ['docker.io/library/redis:7.0.15-alpine', 'redis', '7.0.15'],
  ['registry.example:5000/valkey/valkey:9', 'valkey', '9'],
  ['bitnami/redis-cluster:v7.2@sha256:0123', 'redis', '7.2'],
  ['redis', 'redis', null],
  ['redis:latest', 'redis', null],
  ['local/store:7', null, '7'],
])('what %s names', (image, product, version) => {
  expect(namedServer(image)).toEqual({ product, version });
});

describe('an image in place of a running server', () => {
  test.each([
    ['redis:8.4', 'redis', '7.0.15', null],
    ['redis:7', 'redis', '7.0.15', null],
    ['redis:6.2', 'redis', '7.0.15', "the servers run redis 7.0.15, and an older one can't read their data"],
    ['valkey/valkey:8', 'redis', '7.2.6', null],
    ['valkey/valkey:8', 'redis', '7.4.0', 'the servers run redis 7.4.0, whose data no valkey can read'],
    ['redis:8', 'valkey', '8.1.1', 'the servers run valkey 8.1.1, whose data no redis can read'],
    ['redis:latest', 'redis', '8.6.3', null],
  ] as const)('%s for %s %s', (image, product, version, why) => {
    expect(whyOlder(image, { product, version })).toBe(why);
  });
});

test.each([
  ['redis', '8.6.3', 'redis', '7.0.15', true],
  ['redis', '7.0.15', 'redis', '8.6.3', false],
  ['valkey', '9.1.2', 'redis', '7.2.6', true],
  ['valkey', '9.1.2', 'redis', '7.4.0', false],
  ['redis', '8.6.3', 'valkey', '7.2.5', false],
] as const)('%s %s may take over from %s %s: %s', (product, version, itsProduct, itsVersion, may) => {
  expect(reads({ product, version }, { product: itsProduct, version: itsVersion })).toBe(may);
});

describe('keys that one server packs for another', () => {
  test.each([
    // One format in common: both ways.
    ['valkey 9.0.3', 'valkey 9.1.2', true],
    ['valkey 8.0.1', 'valkey 8.1.4', true],
    ['redis 8.0.2', 'redis 8.4.0', true],
    ['redis 7.4.0', 'redis 8.2.1', true],
    ['redis 6.0.16', 'redis 6.2.14', true],
    ['redis 7.0.9', 'redis 7.0.15', true],
    ['valkey 8.1.4', 'redis 7.2.6', true],
    ['redis 7.2.6', 'valkey 8.1.4', true],
    ['redis 8.6.3', 'valkey 8.1.4', true],
    // A newer one takes what an older one packs, and not the other way.
    ['redis 8.6.3', 'redis 7.0.15', true],
    ['redis 7.0.15', 'redis 8.6.3', false],
    ['redis 8.4.0', 'redis 8.6.3', false],
    ['valkey 9.1.2', 'valkey 8.1.4', true],
    ['valkey 8.1.4', 'valkey 9.0.0', false],
    ['valkey 9.1.2', 'redis 7.2.6', true],
    ['redis 7.0.15', 'valkey 7.2.5', false],
    // Formats of Redis that Valkey refuses, whatever their number, and the other way.
    ['valkey 9.1.2', 'redis 7.4.0', false],
    ['valkey 8.1.4', 'redis 8.6.3', false],
    ['redis 8.6.3', 'valkey 9.1.2', false],
    // Not in the table: newer is refused.
    ['redis 8.6.3', 'redis 9.0.0', false],
    ['redis 9.0.0', 'redis 8.6.3', true],
    ['valkey 9.1.2', 'valkey 9.2.0', false],
    ['valkey 9.2.0', 'redis 7.4.0', false],
    ['redis 9.0.0', 'valkey 8.1.4', false],
  ])('%s takes those of %s: %s', (target, source, takes) => {
    expect(takesKeysOf(serverOf(target), serverOf(source))).toBe(takes);
  });

  test.each([
    ['redis:8.4', 'redis 8.6.3', false],
    ['redis:8.2', 'redis 8.4.0', true],
    ['redis:8', 'redis 8.6.3', true],
    ['redis:latest', 'redis 8.6.3', true],
    ['valkey/valkey:9.0-alpine', 'valkey 9.1.2', true],
    ['local/store:8.4', 'redis 8.6.3', false],
  ])('a server of image %s takes those of %s, as far as its tag tells: %s', (image, source, takes) => {
    expect(imageTakesKeysOf(image, serverOf(source))).toBe(takes);
  });
});

function serverOf(text: string): { product: 'redis' | 'valkey'; version: string } {
  const [product, version = ''] = text.split(' ');
  return { product: product === 'valkey' ? 'valkey' : 'redis', version };
}
