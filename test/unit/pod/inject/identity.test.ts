import { describe, expect, test } from '@jest/globals';
import {
  checkService,
  chooseNumber,
  renderClaim,
  settledClaims,
  type IdentityFacts,
  type SeenService,
} from '../../../../pkg/pod/inject/identity.ts';

const NOW = Date.parse('2026-01-01T00:01:00Z');

function serviceOf(change: Partial<SeenService> = {}): SeenService {
  const base = {
    name: 'redis-1',
    clusterIP: '10.0.0.1',
    type: 'ClusterIP',
    selector: { name: 'redis-1' },
    ports: [6379, 16379],
  };
  return { ...base, publishNotReady: true, claim: undefined, ...change };
}

function factsOf(change: Partial<IdentityFacts> = {}): IdentityFacts {
  return { cluster: 'redis', pods: [], services: [], formedNodes: null, now: NOW, claimant: 'me', ...change };
}

const pod = (node: string, terminating = false) => ({ name: `pod-of-${node}`, node, claim: undefined, terminating });
const claimed = (name: string, claimant: string, secondsAgo: number) =>
  serviceOf({ name, claim: renderClaim(claimant, NOW - secondsAgo * 1000) });

describe('a given N', () => {
  const source = { kind: 'name', ordinal: 1 } as const;

  test('is free', () => {
    expect(chooseNumber(source, factsOf({ pods: [pod('redis-2')] }))).toBe(1);
  });

  test.each([
    [true, /pod-of-redis-1, which is being deleted/],
    [false, /pod-of-redis-1: two pods/],
  ])('is taken by a pod (terminating: %s)', (terminating, sentence) => {
    expect(() => chooseNumber(source, factsOf({ pods: [pod('redis-1', terminating)] }))).toThrow(sentence);
  });

  test.each([
    [false, 'me', 'Two workloads number their pods alike'],
    [false, 'pod-of-redis-1', 'tries again by itself'],
    [true, 'me', 'tries again by itself'],
  ])('K19: what to do about a pod that has it (terminating: %s, asked by %s)', (terminating, claimant, hint) => {
    const facts = factsOf({ pods: [pod('redis-1', terminating)], claimant });
    expect(() => chooseNumber(source, facts)).toThrow(expect.objectContaining({ hint: expect.stringContaining(hint) }));
  });

  test.each([
    ['another', 10, true],
    ['another', 59, true],
    ['another', 60, false],
    ['me', 10, false],
  ])('claimed by %s %i s ago: refused %s', (claimant, seconds, refused) => {
    const ask = (): number => chooseNumber(source, factsOf({ services: [claimed('redis-1', claimant, seconds)] }));
    if (refused) expect(ask).toThrow(/given to another pod/);
    else expect(ask()).toBe(1);
  });

  test('a claim that is no claim does not count', () => {
    expect(chooseNumber(source, factsOf({ services: [serviceOf({ claim: 'x' })] }))).toBe(1);
  });
});

describe('any N', () => {
  const source = { kind: 'any' } as const;

  test('is the lowest without pod and claim', () => {
    const services = [
      claimed('redis-2', 'another', 1),
      claimed('redis-3', 'another', 100),
      serviceOf({ name: 'redis-9' }),
    ];
    expect(chooseNumber(source, factsOf({ pods: [pod('redis-1')], services }))).toBe(3);
  });

  test('of a formed cluster is one of its nodes', () => {
    expect(chooseNumber(source, factsOf({ pods: [pod('redis-0'), pod('redis-1')], formedNodes: [2, 0, 1] }))).toBe(2);
    expect(() => chooseNumber(source, factsOf({ pods: [pod('redis-1')], formedNodes: [1] }))).toThrow(
      /1 nodes, and each/,
    );
  });
});

test('a claim whose pod is seen has served', () => {
  const service = claimed('redis-1', 'a', 5);
  const other = claimed('redis-2', 'b', 5);
  const pods = [{ ...pod('redis-1'), claim: service.claim }];
  expect(settledClaims(factsOf({ pods, services: [service, other, serviceOf({ claim: '' })] }))).toEqual(['redis-1']);
});

describe('Services of people', () => {
  test.each<[Partial<SeenService>, RegExp]>([
    [{ clusterIP: 'None' }, /no ClusterIP/],
    [{ type: 'ExternalName' }, /no ClusterIP/],
    [{ ports: [6379] }, /lacks port 16379/],
    [{ ports: [16379] }, /lacks port 6379/],
    [{ selector: {} }, /no selector/],
    [{ selector: { name: 'redis-2' } }, /selects name=redis-2/],
  ])('refused: %j', (change, sentence) => {
    expect(() => checkService(serviceOf(change), { name: 'redis-1' }, undefined)).toThrow(sentence);
  });

  test('fit, also by the name of a pod of a StatefulSet', () => {
    expect(checkService(serviceOf(), { name: 'redis-1', app: 'x' }, undefined)).toEqual([]);
    const byPod = serviceOf({ selector: { 'statefulset.kubernetes.io/pod-name': 's-1' }, publishNotReady: false });
    expect(checkService(byPod, {}, 's-1')).toEqual([expect.stringContaining('publishNotReadyAddresses')]);
  });
});
