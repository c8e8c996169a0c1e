import { describe, expect, test } from '@jest/globals';
import type { PodTrouble } from '../../../pkg/engine/ports.ts';
import type { RawClaim, RawPod, RawStorageClass } from '../../../pkg/kube/api-json.ts';
import type { Evidence } from '../../../pkg/kube/evidence.ts';
import { podFacts } from '../../../pkg/kube/facts.ts';
import { decideNoPod, decideTrouble } from '../../../pkg/kube/why-not-ready.ts';
import { rawEvent, rawPendingPod, rawPod, rawWaitingPod } from '../../support/kube-json.ts';

const NOTHING: Omit<Evidence, 'pod'> = { events: [], claims: [], storageClasses: null, log: [], previousLog: [] };

function decide(pod: RawPod, more: Partial<Evidence> = {}): PodTrouble | null {
  return decideTrouble(podFacts(pod), { ...NOTHING, pod, ...more });
}

function notReady(
  containers: NonNullable<RawPod['status']>['containerStatuses'] = [{ name: 'redis', state: { running: {} } }],
): RawPod {
  return rawPod({
    status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'False' }], containerStatuses: containers ?? [] },
  });
}

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

describe('a container that does not start', () => {
  test.each<[string, string, Partial<Evidence>, string, string, boolean]>([
    [
      'ErrImageNeverPull',
      'Container image "redis:7.2" is not present with pull policy of Never',
      {},
      'image',
      'image redis:7.2 can\'t be had (ErrImageNeverPull): Container image "redis:7.2" is not present with pull policy of Never',
      true,
    ],
    [
      'ErrImagePull',
      'rpc error: dial tcp: i/o timeout',
      {},
      'image',
      "image redis:7.2 can't be had (ErrImagePull): rpc error: dial tcp: i/o timeout",
      false,
    ],
    [
      'ImagePullBackOff',
      'Back-off pulling image "redis:7.2"',
      {
        events: [
          rawEvent(
            'Pod',
            podName,
            'Failed',
            'Failed to pull image "redis:7.2": manifest unknown',
            '2026-01-02T03:04:00Z',
          ),
          rawEvent('Pod', podName, 'Failed', 'Error: ImagePullBackOff redis:7.2'),
        ],
      },
      'image',
      'image redis:7.2 can\'t be had (ImagePullBackOff): Failed to pull image "redis:7.2": manifest unknown',
      true,
    ],
    ['InvalidImageName', "couldn't parse image name", {}, 'image', '"redis:7.2" is not a valid image name', true],
    [
      'CreateContainerConfigError',
      'secret "redis-auth" not found',
      {},
      'container-config',
      'container redis can\'t be started (CreateContainerConfigError): secret "redis-auth" not found',
      true,
    ],
    ['ContainerCreating', '', {}, 'starting', 'starts on host node2 (ContainerCreating)', false],
    [
      'ContainerCreating',
      '',
      { events: [rawEvent('Pod', podName, 'FailedMount', 'MountVolume.SetUp failed for volume "config"')] },
      'volume',
      'a volume can\'t be mounted: MountVolume.SetUp failed for volume "config"',
      false,
    ],
    [
      'ContainerCreating',
      '',
      { events: [rawEvent('Pod', podName, 'FailedCreatePodSandBox', 'no free address')] },
      'starting',
      "its host can't set up the pod: no free address",
      false,
    ],
  ])('%s %s', (reason, message, more, code, sentence, fatal) => {
    expect(decide(rawWaitingPod(reason, message), more)).toMatchObject({ pod: podName, code, sentence, fatal });
  });

  test('an init container comes before the one that waits for it', () => {
    const pod = rawPod({
      spec: {
        nodeName: 'node2',
        containers: [{ name: 'redis', image: 'redis:7.2' }],
        initContainers: [{ name: 'prepare', image: 'gone:1' }],
      },
      status: {
        phase: 'Pending',
        initContainerStatuses: [
          { name: 'done', state: { terminated: { exitCode: 0, reason: 'Completed' } } },
          { name: 'prepare', state: { waiting: { reason: 'ErrImageNeverPull', message: 'not there' } } },
        ],
        containerStatuses: [{ name: 'redis', state: { waiting: { reason: 'PodInitializing' } } }],
        conditions: [],
      },
    });
    expect(decide(pod)).toMatchObject({
      code: 'image',
      sentence: "image gone:1 can't be had (ErrImageNeverPull): not there",
    });
  });
});

describe('a container that ends', () => {
  const log = ['1', '2', '3', '4', '5', '6', 'Bad directive or wrong number of arguments'];
  test('a crash loop shows the last words of the process before', () => {
    const pod = rawWaitingPod('CrashLoopBackOff', 'back-off 20s', { restartCount: 2, exitCode: 1 });
    expect(decide(pod, { log: ['now'], previousLog: log })).toEqual({
      pod: podName,
      code: 'crash-loop',
      sentence: 'container redis ends with exit code 1, restarted 2 times: Bad directive or wrong number of arguments',
      evidence: ['3', '4', '5', '6', 'Bad directive or wrong number of arguments'],
      fatal: false,
    });
  });

  test('after three restarts waiting will not help', () => {
    const pod = rawWaitingPod('CrashLoopBackOff', '', { restartCount: 3, exitCode: 127, ended: 'ContainerCannotRun' });
    expect(decide(pod)).toEqual({
      pod: podName,
      code: 'crash-loop',
      sentence: 'container redis ends with exit code 127 (ContainerCannotRun), restarted 3 times',
      evidence: [],
      fatal: true,
    });
  });

  test('one that has just ended shows its own log', () => {
    const pod = notReady([{ name: 'redis', restartCount: 1, state: { terminated: { exitCode: 1, reason: 'Error' } } }]);
    expect(decide(pod, { log: ['this run'], previousLog: ['the run before'] })).toMatchObject({
      code: 'crash-loop',
      sentence: 'container redis ends with exit code 1, restarted 1 time: this run',
    });
  });

  test('out of memory', () => {
    const pod = rawWaitingPod('CrashLoopBackOff', '', { restartCount: 1, exitCode: 137, ended: 'OOMKilled' });
    expect(decide(pod)).toMatchObject({
      code: 'out-of-memory',
      sentence: 'container redis ran out of memory (OOMKilled), restarted 1 time: give it a higher memory limit',
      fatal: false,
    });
  });

  test('a sidecar that crashes is named, without the log of Redis', () => {
    const pod = notReady([
      { name: 'redis', state: { running: {} } },
      {
        name: 'metrics',
        restartCount: 5,
        state: { waiting: { reason: 'CrashLoopBackOff' } },
        lastState: { terminated: { exitCode: 2 } },
      },
    ]);
    expect(decide(pod, { log: ['fine'] })).toMatchObject({
      sentence: 'container metrics ends with exit code 2, restarted 5 times',
      evidence: [],
    });
  });

  test('a pod that its host put out', () => {
    const pod = rawPod({
      status: { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.', conditions: [] },
    });
    expect(decide(pod)).toEqual({
      pod: podName,
      code: 'failed',
      sentence: 'failed on host node2: Evicted: The node was low on resource: memory.',
      evidence: [],
      fatal: false,
    });
  });
});

describe('a container that runs and is not ready', () => {
  test('the guard waits: its last line says for what', () => {
    const log = ['guard: empty volume', 'Could not connect', 'guard: waiting for redis-2 to forget 3f2a', 'some noise'];
    expect(decide(notReady(), { log })).toEqual({
      pod: podName,
      code: 'guard-waiting',
      sentence: 'the start guard is waiting for redis-2 to forget 3f2a',
      evidence: log,
      fatal: false,
    });
  });

  test('once the server writes, the guard is done', () => {
    const log = [
      'guard: waiting for redis-2',
      'guard: starting empty',
      '1:M 02 Jan 2026 03:04:05.678 * Ready to accept connections tcp',
    ];
    const events = [rawEvent('Pod', podName, 'Unhealthy', 'Readiness probe failed: LOADING')];
    expect(decide(notReady(), { log, events })).toEqual({
      pod: podName,
      code: 'starting',
      sentence: 'runs but is not ready: Readiness probe failed: LOADING',
      evidence: log,
      fatal: false,
    });
  });

  test('a guard that has done with waiting is not waiting', () => {
    const log = ['guard: waiting for redis-2', 'guard: no data on this volume, and nobody knows it: starting empty'];
    expect(decide(notReady(), { log })).toMatchObject({ code: 'starting', evidence: log });
  });

  test('old mount warnings do not matter any more', () => {
    const events = [rawEvent('Pod', podName, 'FailedMount', 'was slow')];
    expect(decide(notReady(), { events })).toMatchObject({ code: 'starting', sentence: 'runs but is not ready' });
  });
});

describe('other ends', () => {
  test('a ready pod has no trouble', () => {
    expect(decide(rawPod())).toBeNull();
  });

  test('a pod that is gone', () => {
    expect(decideTrouble(podFacts(rawPod()), { ...NOTHING, pod: null })).toEqual({
      pod: podName,
      code: 'gone',
      sentence: 'does not exist any more',
      evidence: [],
      fatal: false,
    });
  });

  test('a pod that is being deleted, ready or not', () => {
    const pod = rawPod({ metadata: { name: podName, deletionTimestamp: '2026-01-02T03:06:00Z' } });
    expect(decide(pod)).toMatchObject({
      code: 'terminating',
      sentence: 'is being deleted on host node2, with grace until 2026-01-02T03:06:00Z',
    });
  });
});

describe('decideNoPod', () => {
  const set = 'redis-1';
  const event = (reason: string, message: string, at?: string) => rawEvent('StatefulSet', set, reason, message, at);
  const prefix = 'create Pod redis-1-0 in StatefulSet redis-1 failed error: ';
  test.each<[string, string, string, boolean]>([
    [
      'PodSecurity',
      'pods "redis-1-0" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
      'violates PodSecurity "restricted:latest": runAsNonRoot != true',
      true,
    ],
    [
      'quota',
      'pods "redis-1-0" is forbidden: exceeded quota: small, requested: pods=1',
      'exceeded quota: small, requested: pods=1',
      true,
    ],
    [
      'a webhook',
      'admission webhook "x.y.z" denied the request: another pod answers',
      'admission webhook "x.y.z" denied the request: another pod answers',
      false,
    ],
    [
      'an invalid template',
      'Pod "redis-1-0" is invalid: spec.containers[0].image: Required value',
      'spec.containers[0].image: Required value',
      true,
    ],
  ])('%s', (_, message, why, fatal) => {
    expect(decideNoPod(set, [event('FailedCreate', prefix + message)])).toEqual({
      pod: 'redis-1-0',
      code: 'rejected',
      sentence: `the API server refuses the pod: ${why}`,
      evidence: [prefix + message],
      fatal,
    });
  });

  test('the last word counts, whatever the order of the events', () => {
    const failed = event('FailedCreate', `${prefix}no`, '2026-01-02T03:00:00Z');
    const made = event('SuccessfulCreate', 'create Pod redis-1-0 successful', '2026-01-02T03:01:00Z');
    expect(decideNoPod(set, [failed, made])).toBeNull();
    expect(
      decideNoPod(set, [{ ...made, lastTimestamp: null, eventTime: '2026-01-02T02:00:00Z' }, failed]),
    ).toMatchObject({ code: 'rejected' });
  });

  test('no event, or those of others', () => {
    expect(decideNoPod(set, [])).toBeNull();
    expect(decideNoPod(set, [rawEvent('StatefulSet', 'redis-2', 'FailedCreate', prefix)])).toBeNull();
  });
});
