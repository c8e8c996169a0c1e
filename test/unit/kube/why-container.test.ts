import { describe, expect, test } from '@jest/globals';
import type { Evidence } from '../../../pkg/kube/evidence.ts';
import { decide, notReady } from '../../support/decide-trouble.ts';
import { rawEvent, rawPod, rawWaitingPod } from '../../support/kube-json.ts';

const podName = 'redis-1-0';

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
      mark: '2',
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
      mark: '3',
    });
  });

  test('C11: an init container that has done its work hides no crash of the server', () => {
    const pod = rawPod({
      spec: {
        nodeName: 'node2',
        containers: [{ name: 'redis', image: 'redis:7.2' }],
        initContainers: [{ name: 'prepare', image: 'busybox' }],
      },
      status: {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'False' }],
        initContainerStatuses: [{ name: 'prepare', state: { terminated: { exitCode: 0, reason: 'Completed' } } }],
        containerStatuses: [
          {
            name: 'redis',
            restartCount: 4,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, reason: 'Error' } },
          },
        ],
      },
    });
    expect(decide(pod, { previousLog: ['Bad directive'] })).toMatchObject({
      code: 'crash-loop',
      sentence: 'container redis ends with exit code 1, restarted 4 times: Bad directive',
    });
  });

  test('C11: an init container that fails is the trouble', () => {
    const pod = rawPod({
      spec: { nodeName: 'node2', containers: [{ name: 'redis' }], initContainers: [{ name: 'prepare' }] },
      status: {
        phase: 'Pending',
        conditions: [],
        initContainerStatuses: [
          {
            name: 'prepare',
            restartCount: 2,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 3 } },
          },
        ],
        containerStatuses: [{ name: 'redis', state: { waiting: { reason: 'PodInitializing' } } }],
      },
    });
    expect(decide(pod)).toMatchObject({ sentence: 'container prepare ends with exit code 3, restarted 2 times' });
  });

  test('C13: the last line that says something, without the head that the server gives it', () => {
    const head = '1:M 29 Nov 2026 18:13:48.961 #';
    const pod = rawWaitingPod('CrashLoopBackOff', '', { restartCount: 3, exitCode: 1 });
    const previousLog = [
      `${head} Can't handle RDB format version 13`,
      `${head} Fatal error loading the DB, check server logs. Exiting.`,
    ];
    expect(decide(pod, { previousLog })).toMatchObject({
      sentence: "container redis ends with exit code 1, restarted 3 times: Can't handle RDB format version 13",
      evidence: previousLog,
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
