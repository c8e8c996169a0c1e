import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { specHash } from '../../../pkg/cluster/model/spec.ts';
import { podAnnotations, readSpec, specAnnotations } from '../../../pkg/pod/annotations.ts';
import { clusterLabels, nodeLabels, nodeSelector, podLabels } from '../../../pkg/pod/labels.ts';
import { anySpec } from '../../support/any-spec.ts';
import { specOf } from '../../support/spec.ts';

describe('the spec on Service NAME', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        expect(readSpec(specAnnotations(spec))).toEqual(spec);
      }),
    );
  });

  test('has its shape beside it, for people', () => {
    expect(specAnnotations(specOf({ masters: 5, replicas: 2 }))).toMatchObject({
      'kubectl-redis.io/masters': '5',
      'kubectl-redis.io/replicas': '2',
    });
  });

  const whole: Record<string, unknown> = { ...specOf() };
  const required = Object.keys(whole).filter(
    (field) => !['networkPolicy', 'nodes', 'scaling', 'restarted'].includes(field),
  );
  test.each([
    ['nothing', {}],
    ['no JSON', { 'kubectl-redis.io/spec': '{' }],
    ['null', { 'kubectl-redis.io/spec': 'null' }],
    ['a list', { 'kubectl-redis.io/spec': '[]' }],
    ...required.map((field): [string, Record<string, string>] => [
      `without ${field}`,
      { 'kubectl-redis.io/spec': JSON.stringify({ ...whole, [field]: undefined }) },
    ]),
    ...Object.keys(whole).map((field): [string, Record<string, string>] => [
      `with a strange ${field}`,
      { 'kubectl-redis.io/spec': JSON.stringify({ ...whole, [field]: -7 }) },
    ]),
  ])('is null when there is %s', (_, annotations) => {
    expect(readSpec(annotations)).toBeNull();
  });

  test('of a version that knew no NetworkPolicy: there is none, and the pods keep their name', () => {
    const { networkPolicy, ...older } = specOf();
    const read = readSpec({ 'kubectl-redis.io/spec': JSON.stringify(older) });
    expect([networkPolicy, read]).toEqual([false, specOf()]);
    expect(specHash(specOf())).toBe(specHash(older as ReturnType<typeof specOf>));
    expect(specHash(specOf({ networkPolicy: true }))).not.toBe(specHash(specOf()));
  });
});

test('labels', () => {
  const everywhere = {
    app: 'redis',
    'kubectl-redis.io/cluster': 'redis',
    'app.kubernetes.io/name': 'redis',
    'app.kubernetes.io/instance': 'redis',
    'app.kubernetes.io/managed-by': 'kubectl-redis',
    'app.kubernetes.io/part-of': 'redis',
  };
  expect(clusterLabels('redis', 'client')).toEqual({ ...everywhere, 'app.kubernetes.io/component': 'client' });
  const node = { ...everywhere, 'app.kubernetes.io/component': 'node', name: 'redis-5' };
  expect(nodeLabels('redis', 5)).toEqual(node);
  expect(podLabels(specOf(), 5)).toEqual({ ...node, 'kubectl-redis.io/shard': '2' });
  expect(nodeSelector('redis', 5)).toEqual({ 'kubectl-redis.io/cluster': 'redis', name: 'redis-5' });
});

test('annotations of a pod', () => {
  const spec = specOf();
  const always = {
    'kubectl-redis.io/injected': 'create',
    'kubectl-redis.io/container': 'redis',
    'kubectl-redis.io/spec-hash': specHash(spec),
  };
  expect(podAnnotations(spec, 1, null)).toEqual(always);
  const restarted = { '2': '2026-11-23T10:00:00.000Z' };
  expect(podAnnotations({ ...spec, restarted }, 2, null)['kubectl-redis.io/restarted-at']).toBe(restarted['2']);
  expect(podAnnotations({ ...spec, restarted }, 1, '10.0.0.1')).toEqual({
    ...always,
    'kubectl-redis.io/announce-ip': '10.0.0.1',
  });
});
