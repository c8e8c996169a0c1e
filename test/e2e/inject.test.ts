/** `inject` through the built command line; what it prints is taken by a real API server, also under PodSecurity `restricted`. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cli, kubectl } from '../support/cli.ts';
import { describeCluster, openClusterEnv, type ClusterEnv } from '../support/cluster-env.ts';

const SAMPLE = new URL('../../manifests/samples/stateful-set.yaml', import.meta.url);
const RESTRICTED = 'pod-security.kubernetes.io/enforce=restricted';

describeCluster('inject', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
    await kubectl(['label', 'namespace', env.namespace, RESTRICTED], { namespace: env.namespace });
  }, 60_000);
  afterAll(() => env.close());

  test('reads standard input, and what it prints may be applied', async () => {
    const { namespace } = env;
    const injected = await cli(['inject', '-f', '-'], { namespace, input: await readFile(SAMPLE, 'utf8') });
    expect(injected.code).toBe(0);
    expect(injected.stderr).toContain(`kubectl redis create redis -n ${namespace}`);
    const applied = await kubectl(['apply', '--dry-run=server', '-f', '-'], { namespace, input: injected.stdout });
    // A pod that PodSecurity would refuse is a warning here.
    expect([applied.code, applied.stderr, applied.stdout]).toEqual([
      0,
      '',
      'statefulset.apps/redis created (server dry run)\n',
    ]);
  });

  test('prints nothing when a pod is refused', async () => {
    const text = (await readFile(SAMPLE, 'utf8')).replace('kind: StatefulSet', 'kind: Deployment');
    const refused = await cli(['inject', '-f', '-'], { namespace: env.namespace, input: text });
    expect([refused.code, refused.stdout]).toEqual([3, '']);
    expect(refused.stderr).toContain('(needs-webhook)');
  });
});
