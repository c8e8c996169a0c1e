import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { podName } from '../../../pkg/cluster/model/spec.ts';
import { AppError } from '../../../pkg/errors.ts';
import {
  authSecretName,
  budgetName,
  checkClusterName,
  claimName,
  configName,
  leaseName,
  ordinalOfPod,
} from '../../../pkg/pod/names.ts';

function errorOf(action: () => void): AppError {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error('no AppError was thrown');
}

describe('checkClusterName', () => {
  test.each(['redis', 'r', 'redis-a', 'a1', 'redis2', 'cache-v2b', 'x'.repeat(50)])('takes %s', (name) => {
    expect(() => checkClusterName(name)).not.toThrow();
  });

  test.each([
    ['', 'a cluster needs a name', 'kubectl redis create redis'],
    ['Redis', 'lower-case letters', 'for example: redis'],
    ['my_cache', 'lower-case letters', 'for example: my-cache'],
    ['1redis', 'lower-case letters', 'for example: redis'],
    ['redis-', 'lower-case letters', 'for example: redis'],
    ['redis.prod', 'lower-case letters', 'for example: redis-prod'],
    ['redis-3', "looks like a node's", 'for example: redis3'],
    ['redis-07', "looks like a node's", 'for example: redis07'],
    ['ü', 'lower-case letters', 'for example: redis'],
    ['x'.repeat(51), '51 characters, 50 are allowed', 'shorter'],
  ])('refuses "%s"', (name, message, hint) => {
    const error = errorOf(() => checkClusterName(name));
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
    expect(error.exitCode).toBe(2);
  });

  test('knows that a long name leaves no room for many nodes', () => {
    expect(() => checkClusterName('x'.repeat(50), 9)).not.toThrow();
    const error = errorOf(() => checkClusterName('x'.repeat(50), 10));
    expect(error.message).toContain('too long for 10 nodes');
    expect(error.hint).toBe('choose one of at most 49 characters');
    expect(() => checkClusterName('x'.repeat(49), 10)).not.toThrow();
  });

  test('what it suggests, it takes', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (name) => {
        try {
          checkClusterName(name);
        } catch (error) {
          const near = /^for example: ([^ ]+)$/.exec((error as AppError).hint ?? '')?.[1];
          if (near !== undefined) checkClusterName(near);
        }
      }),
    );
  });
});

test("names of a cluster's objects", () => {
  expect([configName('r'), leaseName('r'), budgetName('r', '2'), authSecretName('r'), claimName('r', 3)]).toEqual([
    'r-config',
    'r-operation',
    'r-shard-2',
    'r-auth',
    'data-r-3-0',
  ]);
});

describe('ordinalOfPod', () => {
  test.each([
    ['redis', 'redis-3-0', 3],
    ['redis', 'redis-12-0', 12],
    ['redis', 'redis-0-0', null],
    ['redis', 'redis-3-1', null],
    ['redis', 'redis-3', null],
    ['redis', 'redis-a-3-0', null],
    ['redis', 'other-3-0', null],
    ['redis', 'redis', null],
    ['a.b', 'aXb-1-0', null],
  ])('%s, %s', (cluster, pod, ordinal) => {
    expect(ordinalOfPod(cluster, pod)).toBe(ordinal);
  });

  test('is the way back from podName', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z]$/), fc.integer({ min: 1, max: 999 }), (cluster, n) => {
        expect(ordinalOfPod(cluster, podName(cluster, n))).toBe(n);
      }),
    );
  });
});
