import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { KubeObject, PodTrouble } from '../../../pkg/engine/ports.ts';
import { podFacts } from '../../../pkg/kube/facts.ts';
import { describeCore, openClusterEnv, podObject, testCluster, until } from '../../support/cluster-env.ts';
import type { ClusterEnv, PodShape } from '../../support/cluster-env.ts';

describeCore('why a pod is not ready', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
  });
  afterAll(async () => {
    await env.close();
  });

  /** Makes the pod and asks until the answer is the expected one. */
  async function troubleOf(shape: PodShape, code: string): Promise<PodTrouble | null> {
    const pod = podFacts(await env.kube.create(podObject(shape)));
    return until(
      () => env.kube.whyNotReady(pod),
      (trouble) => trouble?.code === code,
      50_000,
    );
  }

  const claim = (name: string, storageClassName: string): KubeObject => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: { requests: { storage: '1Mi' } } },
  });

  test('no host has that much CPU', async () => {
    const trouble = await troubleOf({ name: 'huge', cpu: '5000' }, 'unschedulable');
    expect(trouble?.sentence).toMatch(/^no host takes it: 0\/\d+ nodes are available: .*Insufficient cpu/);
    expect(trouble?.sentence).not.toContain('preemption');
  });

  testCluster('an image that is not there', async () => {
    const trouble = await troubleOf({ name: 'imageless', image: 'localhost/nothing:1' }, 'image');
    expect(trouble?.sentence).toMatch(/^image localhost\/nothing:1 can't be had \((ErrImagePull|ImagePullBackOff)\): /);
  });

  testCluster('an image name that is none', async () => {
    expect(await troubleOf({ name: 'misspelt', image: 'Redis:::7' }, 'image')).toMatchObject({
      sentence: '"Redis:::7" is not a valid image name',
      fatal: true,
    });
  });

  test('a crash loop, with its last words', async () => {
    // One write to one stream: the order of two streams in a log is not defined.
    const command = ['sh', '-c', 'printf "before\\nBad directive\\n"; exit 3'];
    const trouble = await troubleOf({ name: 'crash', command }, 'crash-loop');
    expect(trouble?.sentence).toMatch(/^container redis ends with exit code 3.*: Bad directive$/);
    expect(trouble?.evidence).toEqual(['before', 'Bad directive']);
  });

  test('a guard that waits', async () => {
    const command = ['sh', '-c', 'echo "guard: waiting for redis-2"; sleep 600'];
    expect(await troubleOf({ name: 'guarded', command }, 'guard-waiting')).toEqual({
      pod: 'guarded',
      code: 'guard-waiting',
      sentence: 'the start guard is waiting for redis-2',
      evidence: ['guard: waiting for redis-2'],
      fatal: false,
    });
  });

  test('a storage class that is not there', async () => {
    await env.kube.create(claim('classless', 'nope'));
    const trouble = await troubleOf({ name: 'unstored', claim: 'classless' }, 'no-storage-class');
    expect(trouble).toMatchObject({ pod: 'unstored', fatal: true });
    expect(trouble?.sentence).toMatch(
      /^claim classless wants storage class nope, which does not exist; there (is|are) /,
    );
  });

  test('a claim that is not there', async () => {
    const trouble = await troubleOf({ name: 'claimless', claim: 'nobody-made-it' }, 'claim-unbound');
    expect(trouble).toMatchObject({ sentence: 'claim nobody-made-it does not exist', fatal: true });
  });

  test('a ready pod, then a pod that is gone', async () => {
    const pod = podFacts(await env.kube.create(podObject({ name: 'fine' })));
    await until(
      () => env.kube.whyNotReady(pod),
      (trouble) => trouble === null,
      50_000,
    );
    await env.kube.remove('v1', 'Pod', 'fine', { graceSeconds: 0 });
    const trouble = await until(
      () => env.kube.whyNotReady(pod),
      (answer) => answer?.code === 'gone',
      30_000,
    );
    expect(trouble).toMatchObject({ pod: 'fine', sentence: 'does not exist any more' });
  });

  test('pods that the namespace does not allow: the StatefulSet has none', async () => {
    const strict = await openClusterEnv({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    try {
      const labels = { app: 'redis-1' };
      await strict.kube.create({
        apiVersion: 'apps/v1',
        kind: 'StatefulSet',
        metadata: { name: 'redis-1' },
        spec: {
          replicas: 1,
          serviceName: 'redis-1',
          selector: { matchLabels: labels },
          template: { metadata: { labels }, spec: podObject({ name: 'any' })['spec'] },
        },
      });
      const trouble = await until(
        () => strict.kube.whyNoPod('redis-1'),
        (answer) => answer !== null,
        30_000,
      );
      expect(trouble).toMatchObject({ pod: 'redis-1-0', code: 'rejected', fatal: true });
      expect(trouble?.sentence).toMatch(/^the API server refuses the pod: violates PodSecurity "restricted:latest"/);
      expect(await strict.kube.whyNoPod('redis-2')).toBeNull();
    } finally {
      await strict.close();
    }
  });
});
