import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../../../pkg/errors.ts';
import type { HostFacts } from '../../../../pkg/cluster/model/observation.ts';
import {
  decideAntiAffinity,
  refuseStorage,
  refuseStrangeSelectors,
  refuseTakenNames,
} from '../../../../pkg/cluster/plan/preflight.ts';
import { specOf } from '../../../support/spec.ts';

const SPEC = specOf({ masters: 3, replicas: 1 });
const OURS = { 'kubectl-redis.io/cluster': 'redis' };

function hosts(count: number, change: Partial<HostFacts> = {}): HostFacts[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `h${i}`,
    zone: `z${i}`,
    ready: true,
    schedulable: true,
    ...change,
  }));
}

describe('refuseTakenNames', () => {
  test.each([
    ['nothing there', [], null],
    ['all of it is ours', [{ kind: 'Service', name: 'redis-2', labels: OURS }], null],
    ['another name', [{ kind: 'Service', name: 'redis-7', labels: {} }], null],
    ['same name, another kind', [{ kind: 'ConfigMap', name: 'redis', labels: {} }], null],
    [
      'the client Service',
      [{ kind: 'Service', name: 'redis', labels: {} }],
      'Service redis is there already and belongs to something else',
    ],
    [
      'a node Service',
      [{ kind: 'Service', name: 'redis-6', labels: {} }],
      'Service redis-6 is there already and belongs to something else',
    ],
    [
      "somebody's StatefulSet",
      [{ kind: 'StatefulSet', name: 'redis-1', labels: { 'app.kubernetes.io/managed-by': 'Helm' } }],
      'StatefulSet redis-1 is there already and belongs to something else (Helm)',
    ],
    [
      "another cluster's ConfigMap",
      [{ kind: 'ConfigMap', name: 'redis-config', labels: { 'kubectl-redis.io/cluster': 'other' } }],
      'ConfigMap redis-config is there already and belongs to something else',
    ],
  ])('%s', (_, existing, message) => {
    expect(refuseTakenNames(existing, SPEC)?.message ?? null).toBe(message);
  });

  test('says how to go on, with exit code 3', () => {
    expect(refuseTakenNames([{ kind: 'Service', name: 'redis', labels: {} }], SPEC)).toMatchObject({
      code: 'name-taken',
      exitCode: 3,
      hint: 'Choose another name or namespace. kubectl describe service redis -n default shows whose it is',
    });
  });
});

describe('refuseStrangeSelectors', () => {
  const pods = [{ app: 'redis', name: 'redis-1', ...OURS }];
  const service = (
    selector: Record<string, string>,
    labels: Record<string, string> = {},
  ): { name: string; selector: Record<string, string>; labels: Record<string, string> } => ({
    name: 'cache',
    selector,
    labels,
  });
  test.each([
    ['no selector', service({}), null],
    ['another app', service({ app: 'web' }), null],
    ['more than our labels', service({ app: 'redis', tier: 'x' }), null],
    ['ours', service({ app: 'redis' }, OURS), null],
    [
      'app: redis',
      service({ app: 'redis' }),
      'Service cache selects app=redis, and so would send its clients to the pods of redis',
    ],
  ])('%s', (_, one, message) => {
    expect(refuseStrangeSelectors([one], SPEC, pods)?.message ?? null).toBe(message);
  });
});

describe('refuseStorage', () => {
  test.each([
    ['a default class', [{ name: 'standard', isDefault: true }], null, null, null],
    ['unknown to us', null, 'fast', null, null],
    ['the named class is there', [{ name: 'fast', isDefault: false }], 'fast', null, null],
    [
      'the named class is not',
      [{ name: 'standard', isDefault: true }],
      'fast',
      'There is no StorageClass fast',
      'There are: standard',
    ],
    [
      'no default',
      [
        { name: 'a', isDefault: false },
        { name: 'b', isDefault: false },
      ],
      null,
      'The cluster has no default StorageClass, so volumes would never be made',
      'Choose one with --storage-class: a, b',
    ],
    [
      'none at all',
      [],
      null,
      'The cluster has no default StorageClass, so volumes would never be made',
      'Install a storage provisioner, then run the same command again',
    ],
  ])('%s', (_, classes, storageClass, message, hint) => {
    const refused = refuseStorage(classes, specOf({ storageClass }));
    expect([refused?.message ?? null, refused?.hint ?? null]).toEqual([message, hint]);
  });
});

describe('decideAntiAffinity', () => {
  const decided = (...args: Parameters<typeof decideAntiAffinity>): unknown => {
    const decision = decideAntiAffinity(...args);
    return decision instanceof AppError
      ? [decision.code, decision.message]
      : [decision.antiAffinity, decision.remarks.map((remark) => remark.code)];
  };
  test.each([
    ['enough hosts', null, hosts(3), 1, ['hard', []]],
    ['too few', null, hosts(1), 1, ['soft', ['few-hosts', 'one-zone']]],
    [
      'cordoned ones do not count',
      null,
      [...hosts(1), ...hosts(2, { schedulable: false })],
      1,
      ['soft', ['few-hosts', 'one-zone']],
    ],
    ['one zone', null, hosts(3, { zone: 'a' }), 1, ['hard', ['one-zone']]],
    ['no replicas: nothing to keep apart', null, hosts(1), 0, ['hard', []]],
    ['hosts unknown', null, null, 1, ['soft', ['hosts-unknown']]],
    ['soft was asked for', 'soft' as const, hosts(3), 1, ['soft', []]],
    ['off was asked for', 'off' as const, hosts(1), 1, ['off', ['few-hosts', 'one-zone']]],
    [
      'hard was asked for and can not be',
      'hard' as const,
      hosts(2),
      2,
      ['too-few-hosts', 'Hard anti-affinity needs 3 schedulable hosts (a primary and 2 replicas), and there are 2'],
    ],
  ])('%s', (_, asked, hostList, replicas, result) => {
    expect(decided(asked, hostList, replicas)).toEqual(result);
  });
});
