/** The command line inside the cluster: as a pod, with a service account, straight to the pods. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cli, kubectl } from '../support/cli.ts';
import { describeCluster, openClusterEnv, type ClusterEnv } from '../support/cluster-env.ts';

const DIST = fileURLToPath(new URL('../../dist', import.meta.url));
/** Any image with Node and tar. */
const NODE_IMAGE = process.env['E2E_NODE_IMAGE'] ?? 'local/node:20';

const READS = '--resource=pods,services,configmaps,persistentvolumeclaims,statefulsets.apps,leases.coordination.k8s.io';

describeCluster('inside the cluster', () => {
  let env: ClusterEnv;
  const inPod = (...words: string[]): ReturnType<typeof kubectl> =>
    kubectl(['exec', 'shell', '--', 'node', '/tmp/dist/kubectl-redis.js', ...words], env);
  beforeAll(async () => {
    env = await openClusterEnv();
    const shell = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'shell' },
      spec: {
        serviceAccountName: 'viewer',
        terminationGracePeriodSeconds: 0,
        containers: [{ name: 'shell', image: NODE_IMAGE, imagePullPolicy: 'IfNotPresent', command: ['sleep', '3600'] }],
      },
    };
    const made = await cli(['create', 'redis', '--replicas', '0', '--storage', '100Mi'], env);
    expect([made.code, made.stderr]).toEqual([0, expect.any(String)]);
    // No right to port-forward: what is shown was asked directly.
    for (const [args, input] of [
      [['create', 'serviceaccount', 'viewer'], ''],
      [['create', 'role', 'viewer', '--verb=get,list', READS], ''],
      [['create', 'rolebinding', 'viewer', '--role=viewer', `--serviceaccount=${env.namespace}:viewer`], ''],
      [['apply', '-f', '-'], JSON.stringify(shell)],
      [['wait', '--for=condition=Ready', 'pod/shell', '--timeout=60s'], ''],
      [['cp', DIST, 'shell:/tmp/dist'], ''],
    ] as const) {
      const ended = await kubectl(args, { namespace: env.namespace, input });
      // Its stderr is shown and not judged: kubectl may grumble about its own streams there.
      if (ended.code !== 0) throw new Error(`kubectl ${args.join(' ')} ended with ${ended.code}: ${ended.stderr}`);
    }
  }, 180_000);
  afterAll(() => env.close());

  test('finds server, namespace and pods by itself, and needs no port-forward', async () => {
    const slots = await inPod('slots');
    expect([slots.code, slots.stderr]).toEqual([0, expect.not.stringContaining('error')]);
    expect(slots.stdout).toContain('16384 of 16384 slots covered, 3 shards');
  }, 60_000);

  test('a tunnel can be asked for, and then the missing right is named', async () => {
    const nodes = await inPod('nodes', '--connect', 'tunnel');
    expect([nodes.code, nodes.stdout]).toEqual([0, expect.stringContaining('portforward')]);
  }, 60_000);
});
