/** Views of clusters that this tool did not create, of clusters with a password, and with a node that does not answer. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { formatRanges } from '../../pkg/cluster/model/slots.ts';
import { cli, IMAGE, kubectl, type Ended } from '../support/cli.ts';
import { describeCluster, openClusterEnv, until, type ClusterEnv } from '../support/cluster-env.ts';
import { inRedis, slotsOf } from '../support/seen-cluster.ts';

/** As one finds them: one StatefulSet, pod IPs announced, no label or object of ours. */
function handMade(name: string): object {
  const labels = { app: name };
  const container = {
    name: 'server',
    image: IMAGE,
    args: [
      'redis-server',
      '--cluster-enabled',
      'yes',
      '--cluster-node-timeout',
      '2000',
      '--protected-mode',
      'no',
      '--dir',
      '/tmp',
    ],
    ports: [{ containerPort: 6379 }, { containerPort: 16379 }],
    readinessProbe: { tcpSocket: { port: 6379 }, periodSeconds: 1 },
  };
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container] } };
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: {
      replicas: 6,
      podManagementPolicy: 'Parallel',
      serviceName: name,
      selector: { matchLabels: labels },
      template,
    },
  };
}

describeCluster('views', () => {
  let env: ClusterEnv;
  beforeAll(async () => {
    env = await openClusterEnv();
    const options = { namespace: env.namespace };
    const [applied, made] = await Promise.all([
      kubectl(['apply', '-f', '-'], { ...options, input: JSON.stringify(handMade('legacy')) }),
      cli(['create', 'secret', '--auth', '--replicas', '0', '--storage', '100Mi'], options),
    ]);
    expect([applied.code, made.code, made.stderr]).toEqual([0, 0, expect.any(String)]);
    await kubectl(['rollout', 'status', 'statefulset/legacy', '--timeout=120s'], options);
    const ips = (
      await kubectl(['get', 'pods', '-l', 'app=legacy', '-o', 'jsonpath={.items[*].status.podIP}'], options)
    ).stdout.split(' ');
    const formed = await kubectl(
      [
        'exec',
        'legacy-0',
        '--',
        'redis-cli',
        '--cluster',
        'create',
        ...ips.map((ip) => `${ip}:6379`),
        '--cluster-replicas',
        '1',
        '--cluster-yes',
      ],
      options,
    );
    expect(formed.stdout).toContain('[OK] All 16384 slots covered.');
    await until(
      () => run('slots', 'legacy', '-o', 'json'),
      (ended) => (ended.stdout.match(/"role": "replica"/g) ?? []).length === 3,
      60_000,
    );
  }, 240_000);
  afterAll(() => env.close());
  const run = (...args: string[]): Promise<Ended> => cli(args, { namespace: env.namespace });

  test('slots of a cluster that was made by hand', async () => {
    const slots = await slotsOf(env.namespace, 'legacy');
    expect(slots.shards.map((shard) => [formatRanges(shard.slots), shard.replicas.length])).toEqual([
      ['0-5460', 1],
      ['5461-10922', 1],
      ['10923-16383', 1],
    ]);
    const table = await run('slots', 'legacy');
    expect(table.stdout).toMatch(
      /^SHARD +SLOTS +ROLE +POD +HOST +ZONE +KEYS +REMARKS\n1 +0-5460 \(5461\) +primary +legacy-\d/,
    );
    expect(table.stdout).toContain('16384 of 16384 slots covered, 3 shards');
  }, 60_000);

  test('nodes, status, check and list of it', async () => {
    const nodes = await run('nodes', 'legacy');
    expect([nodes.code, nodes.stdout.match(/^legacy-\d/gm)]).toEqual([
      0,
      ['legacy-0', 'legacy-1', 'legacy-2', 'legacy-3', 'legacy-4', 'legacy-5'],
    ]);
    const status = await run('status', 'legacy');
    expect([status.code, status.stdout]).toEqual([0, expect.stringMatching(/^Redis Cluster .+\/legacy: /)]);
    const check = await run('check', 'legacy', '-o', 'json');
    expect(JSON.stringify(JSON.parse(check.stdout))).toContain('pod-ip-announced');
    const list = await run('list');
    expect(list.stdout).toMatch(/legacy +foreign/);
    expect(list.stdout).toMatch(/secret +ours/);
  }, 60_000);

  test.each(['slots', 'nodes', 'status', 'check', 'list'])(
    '%s as YAML says what it says as JSON',
    async (verb) => {
      const name = verb === 'list' ? [] : ['secret'];
      const [json, yaml] = await Promise.all([run(verb, ...name, '-o', 'json'), run(verb, ...name, '-o', 'yaml')]);
      const kindOf = (text: string): unknown => (parse(text) as { kind: string }).kind;
      expect([yaml.code, kindOf(yaml.stdout)]).toEqual([json.code, (JSON.parse(json.stdout) as { kind: string }).kind]);
    },
    60_000,
  );

  test('create on it says that it is there, and refuses another shape', async () => {
    expect((await run('create', 'legacy')).stdout).toContain('legacy is there already');
    expect((await run('create', 'legacy', '--masters', '4')).code).toBe(3);
  }, 60_000);

  test('C6: a node that does not answer is a row that says why, and costs a view two seconds', async () => {
    const pod = 'legacy-4';
    await inRedis(env.namespace, pod, 'CLIENT', 'PAUSE', '12000', 'ALL');
    const startedAt = performance.now();
    const nodes = await run('nodes', 'legacy');
    expect(performance.now() - startedAt).toBeLessThan(4_500);
    expect([nodes.code, nodes.stdout]).toEqual([0, expect.stringMatching(new RegExp(`${pod} .*no answer in 2 s`))]);
    expect(nodes.stdout.match(/^legacy-\d/gm)).toHaveLength(6);
    await until(
      () => inRedis(env.namespace, pod, 'PING'),
      (reply) => reply === 'PONG',
      30_000,
    );
  }, 60_000);

  test('a pod that is gone: the others are shown, and the cluster still names it', async () => {
    await kubectl(['scale', 'statefulset', 'legacy', '--replicas=5'], { namespace: env.namespace });
    await until(
      () => env.kube.get('v1', 'Pod', 'legacy-5'),
      (found) => found === null,
      60_000,
    );
    const nodes = await run('nodes', 'legacy');
    expect([nodes.code, nodes.stdout.match(/^legacy-\d/gm)]).toEqual([
      0,
      ['legacy-0', 'legacy-1', 'legacy-2', 'legacy-3', 'legacy-4'],
    ]);
    expect((await run('check', 'legacy')).code).toBe(3);
  }, 90_000);

  test('a cluster with a password: from its Secret, from a file, and refused without', async () => {
    expect((await slotsOf(env.namespace, 'secret')).shards).toHaveLength(3);
    const password = Buffer.from(
      (await kubectl(['get', 'secret', 'secret-auth', '-o', 'jsonpath={.data.password}'], { namespace: env.namespace }))
        .stdout,
      'base64',
    ).toString();
    expect(password.length).toBeGreaterThanOrEqual(20);
    for (const args of [
      [
        'create',
        'role',
        'viewer',
        '--verb=get,list,create',
        '--resource=pods,pods/portforward,services,configmaps,persistentvolumeclaims,statefulsets.apps,leases.coordination.k8s.io',
      ],
      ['create', 'rolebinding', 'viewer', '--role=viewer', '--user=e2e-viewer'],
    ]) {
      expect((await kubectl(args, { namespace: env.namespace })).code).toBe(0);
    }
    const without = await run('nodes', 'secret', '--as', 'e2e-viewer');
    expect([without.code, without.stdout]).toEqual([0, expect.stringMatching(/secret-1-0 .*password not accepted/)]);
    const dir = mkdtempSync(join(tmpdir(), 'password-'));
    try {
      writeFileSync(join(dir, 'password'), `${password}\n`);
      const withFile = await run('nodes', 'secret', '--as', 'e2e-viewer', '--password-file', join(dir, 'password'));
      expect([withFile.code, withFile.stdout]).toEqual([0, expect.stringMatching(/secret-1-0 +[0-9a-f]{8} +primary/)]);
      writeFileSync(join(dir, 'password'), 'wrong');
      const wrong = await run('nodes', 'secret', '--password-file', join(dir, 'password'));
      expect([wrong.code, wrong.stdout]).toEqual([0, expect.stringMatching(/secret-1-0 .*password not accepted/)]);
      expect(wrong.stdout + wrong.stderr).not.toContain(password);
    } finally {
      rmSync(dir, { recursive: true });
    }
  }, 90_000);

  test('an unknown cluster: the ones that there are', async () => {
    const ended = await run('slots', 'legcy');
    expect([ended.code, ended.stderr]).toEqual([
      1,
      expect.stringMatching(/^error: there is no Redis Cluster legcy in namespace .+\n  try: .*legacy/),
    ]);
  }, 60_000);

  test('two clusters and no name: both are named', async () => {
    const ended = await run('slots');
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringMatching(/legacy.*secret/)]);
  }, 60_000);
});
