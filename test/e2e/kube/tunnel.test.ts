import { once, setMaxListeners } from 'node:events';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { PodFacts } from '../../../pkg/cluster/model/observation.ts';
import { createTunnelDialer } from '../../../pkg/kube/tunnel.ts';
import { describeCore, openClusterEnv, podObject, until } from '../../support/cluster-env.ts';
import type { ClusterEnv } from '../../support/cluster-env.ts';

const CLUSTER = 'tunnels';

describeCore('tunnels to pods', () => {
  let env: ClusterEnv;
  let pods: readonly PodFacts[] = [];
  beforeAll(async () => {
    env = await openClusterEnv();
    const labels = { 'kubectl-redis.io/cluster': CLUSTER };
    const names = ['redis-0', 'redis-1', 'redis-2', 'redis-3', 'redis-4', 'redis-5'];
    await Promise.all(names.map((name) => env.kube.create(podObject({ name, labels }))));
    await env.kube.create(podObject({ name: 'silent', labels, command: ['sleep', '600'] }));
    await env.kube.create(podObject({ name: 'unplaced', labels, cpu: '5000' }));
    const facts = await until(
      () => env.kube.readFacts({ namespace: env.namespace, name: CLUSTER }),
      (facts) =>
        facts.pods.filter((pod) => pod.ready).length === 6 &&
        facts.pods.some((pod) => pod.name === 'silent' && pod.container.state === 'running'),
      90_000,
    );
    pods = facts.pods;
  }, 120_000);
  afterAll(async () => {
    await env.close();
  });

  const podNamed = (name: string): PodFacts => {
    const pod = pods.find((each) => each.name === name);
    if (pod === undefined) throw new Error(`no pod ${name}`);
    return pod;
  };

  async function ping(pod: PodFacts, signal: AbortSignal): Promise<string> {
    const stream = await env.dial(pod, signal);
    stream.write('PING\r\n');
    const [answer] = (await once(stream, 'data', { signal })) as [Buffer];
    stream.destroy();
    return answer.toString();
  }

  test('six at once, each answers', async () => {
    const signal = AbortSignal.timeout(10_000);
    const ready = pods.filter((pod) => pod.ready);
    const startedAt = performance.now();
    const answers = await Promise.all(ready.map((pod) => ping(pod, signal)));
    const elapsedMs = performance.now() - startedAt;
    expect(answers).toEqual(Array.from({ length: 6 }, () => '+PONG\r\n'));
    expect(elapsedMs).toBeLessThan(5_000);
  });

  test('more than may be open at once take turns', async () => {
    const signal = AbortSignal.timeout(30_000);
    setMaxListeners(0, signal);
    const dial = createTunnelDialer(env.client, env.namespace, { maxOpen: 4 });
    const pod = podNamed('redis-0');
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const stream = await dial(pod, signal);
        stream.write('PING\r\n');
        const [answer] = (await once(stream, 'data', { signal })) as [Buffer];
        stream.destroy();
        return String(answer);
      }),
    );
    expect(new Set(answers)).toEqual(new Set(['+PONG\r\n']));
  });

  test('ten mebibytes there and back arrive whole', async () => {
    const stream = await env.dial(podNamed('redis-1'), AbortSignal.timeout(30_000));
    const value = Buffer.alloc(10 << 20, 'v');
    const head = `*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$${value.length}\r\n`;
    stream.write(Buffer.concat([Buffer.from(head), value, Buffer.from('\r\nGET big\r\n')]));
    const expected = Buffer.from(`+OK\r\n$${value.length}\r\n`).length + value.length + 2;
    const chunks: Buffer[] = [];
    let received = 0;
    for await (const chunk of stream) {
      chunks.push(chunk as Buffer);
      received += (chunk as Buffer).length;
      if (received >= expected) break;
    }
    expect(Buffer.concat(chunks).equals(Buffer.from(`+OK\r\n$${value.length}\r\n${value.toString()}\r\n`))).toBe(true);
  });

  test('QUIT ends the stream', async () => {
    const stream = await env.dial(podNamed('redis-2'), AbortSignal.timeout(10_000));
    stream.write('QUIT\r\n');
    const chunks: string[] = [];
    for await (const chunk of stream) chunks.push(String(chunk));
    expect(chunks.join('')).toBe('+OK\r\n');
  });

  test('nothing listens in the pod', async () => {
    await expect(ping(podNamed('silent'), AbortSignal.timeout(10_000))).rejects.toMatchObject({ code: 'refused' });
  });

  test.each([
    ['gone', (): PodFacts => ({ ...podNamed('silent'), name: 'gone' }), 'cannot reach pod gone: pods "gone" not found'],
    [
      'unplaced',
      (): PodFacts => podNamed('unplaced'),
      'cannot reach pod unplaced: pod unplaced does not have a host assigned',
    ],
  ])('a pod that is %s', async (_, pod, message) => {
    await expect(ping(pod(), AbortSignal.timeout(10_000))).rejects.toMatchObject({ code: 'tunnel', message });
  });

  test('without the right', async () => {
    const { client } = env.connect({ as: 'nobody' });
    const dial = createTunnelDialer(client, env.namespace);
    await expect(dial(podNamed('redis-0'), AbortSignal.timeout(10_000))).rejects.toMatchObject({
      code: 'tunnel',
      message: 'no right to reach pods: port-forwarding needs get and create on pods/portforward',
    });
  });
});
