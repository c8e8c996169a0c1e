import { describe, expect, test } from '@jest/globals';
import type { PodTrouble } from '../../../pkg/engine/ports.ts';
import type { RawClaim, RawStorageClass } from '../../../pkg/kube/api-json.ts';
import type { Evidence } from '../../../pkg/kube/evidence.ts';
import { decide } from '../../support/decide-trouble.ts';
import { rawEvent, rawPendingPod } from '../../support/kube-json.ts';

const podName = 'redis-1-0';
const claimName = 'data-redis-1-0';
const claim = (phase: string, storageClassName?: string): RawClaim => ({
  metadata: { name: claimName },
  spec: storageClassName === undefined ? {} : { storageClassName },
  status: { phase },
});
const storageClass = (name: string, isDefault = false): RawStorageClass => ({
  metadata: { name, annotations: isDefault ? { 'storageclass.kubernetes.io/is-default-class': 'true' } : {} },
});
const claimEvent = (reason: string, message: string) => rawEvent('PersistentVolumeClaim', claimName, reason, message);
const unbound = rawPendingPod('0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims.');

describe('a pod that has no host', () => {
  test('resources: the scheduler’s constraint, without what it says about preemption', () => {
    const message =
      '0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.';
    expect(decide(rawPendingPod(message), { claims: [claim('Bound')] })).toEqual({
      pod: podName,
      code: 'unschedulable',
      sentence: 'no host takes it: 0/3 nodes are available: 3 Insufficient cpu',
      evidence: [message],
      fatal: false,
    });
  });

  test.each([
    ['NotTriggerScaleUp', "pod didn't trigger scale-up: 1 max node group size reached", true],
    ['TriggeredScaleUp', 'pod triggered scale-up: [{pool 3->4 (max: 9)}]', false],
  ])('with an autoscaler that says %s', (reason, message, fatal) => {
    const events = [
      rawEvent(
        'Pod',
        podName,
        reason === 'NotTriggerScaleUp' ? 'TriggeredScaleUp' : 'NotTriggerScaleUp',
        'before',
        '2026-01-02T03:04:00Z',
      ),
      rawEvent('Pod', podName, reason, message),
    ];
    expect(decide(rawPendingPod('no room'), { events })).toMatchObject({
      code: 'unschedulable',
      evidence: ['no room', 'before', message],
      fatal,
    });
  });

  test.each<[string, Partial<Evidence>, Omit<PodTrouble, 'pod' | 'evidence'>]>([
    [
      'no default storage class',
      { claims: [claim('Pending')], storageClasses: [storageClass('fast')] },
      {
        code: 'no-storage-class',
        sentence: `claim ${claimName} names no storage class and the cluster has no default one`,
        fatal: true,
      },
    ],
    [
      'no default storage class, told by an event',
      {
        claims: [claim('Pending')],
        events: [
          claimEvent('FailedBinding', 'no persistent volumes available for this claim and no storage class is set'),
        ],
      },
      {
        code: 'no-storage-class',
        sentence: `claim ${claimName} names no storage class and the cluster has no default one`,
        fatal: true,
      },
    ],
    [
      'an unknown storage class',
      { claims: [claim('Pending', 'nope')], storageClasses: [storageClass('fast'), storageClass('slow', true)] },
      {
        code: 'no-storage-class',
        sentence: `claim ${claimName} wants storage class nope, which does not exist; there are fast, slow`,
        fatal: true,
      },
    ],
    [
      'an unknown storage class, in a cluster without any',
      { claims: [claim('Pending', 'nope')], storageClasses: [] },
      {
        code: 'no-storage-class',
        sentence: `claim ${claimName} wants storage class nope, which does not exist; there is none`,
        fatal: true,
      },
    ],
    [
      'an unknown storage class, told by an event',
      {
        claims: [claim('Pending', 'nope')],
        events: [claimEvent('ProvisioningFailed', 'storageclass.storage.k8s.io "nope" not found')],
      },
      {
        code: 'no-storage-class',
        sentence: `claim ${claimName} wants storage class nope, which does not exist`,
        fatal: true,
      },
    ],
    [
      'a provisioner that fails',
      {
        claims: [claim('Pending', 'fast')],
        storageClasses: [storageClass('fast')],
        events: [claimEvent('ProvisioningFailed', 'quota of disks exceeded')],
      },
      {
        code: 'claim-unbound',
        sentence: `no volume can be made for claim ${claimName}: quota of disks exceeded`,
        fatal: false,
      },
    ],
    [
      'a provisioner that works on it',
      {
        claims: [claim('Pending', 'fast')],
        storageClasses: [storageClass('fast')],
        events: [claimEvent('ExternalProvisioning', 'Waiting for a volume to be created')],
      },
      {
        code: 'claim-unbound',
        sentence: `claim ${claimName} is not bound yet: Waiting for a volume to be created`,
        fatal: false,
      },
    ],
    [
      'a lost volume',
      { claims: [claim('Lost', 'fast')] },
      { code: 'claim-unbound', sentence: `claim ${claimName} has lost its volume`, fatal: true },
    ],
    [
      'a claim that waits for its pod to be placed',
      {
        claims: [claim('Pending', 'fast')],
        storageClasses: [storageClass('fast')],
        events: [claimEvent('WaitForFirstConsumer', 'waiting for first consumer')],
      },
      {
        code: 'unschedulable',
        sentence: 'no host takes it: 0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims',
        fatal: false,
      },
    ],
  ])('%s', (_, more, expected) => {
    expect(decide(unbound, more)).toMatchObject({ pod: podName, ...expected });
  });

  test('a claim that does not exist', () => {
    const message = `0/3 nodes are available: persistentvolumeclaim "${claimName}" not found.`;
    expect(decide(rawPendingPod(message))).toEqual({
      pod: podName,
      code: 'claim-unbound',
      sentence: `claim ${claimName} does not exist`,
      evidence: [message],
      fatal: true,
    });
  });
});
