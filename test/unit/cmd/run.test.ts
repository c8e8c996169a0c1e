/** Whole runs of the command line against clusters that are only observations: what is printed where, and the exit code. */
import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../../pkg/errors.ts';
import { changeKube, changed } from '../../support/observation-changes.ts';
import { unowned } from '../../support/observation-faults.ts';
import { freshObservation, healthyObservation } from '../../support/observation.ts';
import { runCommand } from '../../support/fake-terminal.ts';

const redis = healthyObservation();
const other = healthyObservation({ name: 'sessions' });
const far = healthyObservation({ namespace: 'prod' });

describe('which cluster', () => {
  test('the only one of the namespace needs no name', async () => {
    const ran = await runCommand(['check'], { clusters: [redis, far] });
    expect(ran).toEqual({ exitCode: 0, stdout: 'No problems found in redis (6 nodes, 3 shards).\n', stderr: '' });
  });

  test.each([
    [
      'several',
      ['check'],
      [redis, other],
      2,
      'error: namespace default has 2 clusters: redis and sessions\n  try: name one of them\n',
    ],
    [
      'none',
      ['check'],
      [],
      1,
      'error: there is no Redis Cluster in namespace default\n  try: make one: kubectl redis create redis -n default; or look everywhere: kubectl redis list -A\n',
    ],
    [
      'a typing mistake',
      ['check', 'rediss'],
      [redis, other],
      1,
      'error: there is no Redis Cluster rediss in namespace default\n  try: did you mean redis? Those that are there: redis and sessions\n',
    ],
    [
      'another namespace',
      ['check', 'redis'],
      [far],
      1,
      'error: there is no Redis Cluster redis in namespace default\n  try: it is in namespace prod: add -n\n',
    ],
    [
      'a namespace that is not there',
      ['check', 'redis', '-n', 'missing'],
      [redis],
      1,
      'error: namespace missing does not exist\n  try: choose another with -n; see which there are: kubectl get namespaces\n',
    ],
    [
      'no name at all',
      ['check', 'Re_dis'],
      [redis],
      2,
      'error: "Re_dis" is not a name of a cluster\n  try: a name is made of lower case letters, digits and dashes\n',
    ],
  ])('%s', async (_, argv, clusters, exitCode, stderr) => {
    expect(await runCommand(argv, { clusters })).toEqual({ exitCode, stdout: '', stderr });
  });

  test('a Service of the same name that is not ours is no cluster', async () => {
    const bare = changed(
      redis,
      changeKube((kube) => ({ ...kube, pods: [], statefulSets: [], config: null, services: [] })),
    );
    const service = { ...redis.kube.services[0], name: 'redis', labels: {}, annotations: {} };
    const taken = changed(
      bare,
      changeKube((kube) => ({ ...kube, services: [service as (typeof redis.kube.services)[number]] })),
    );
    const ran = await runCommand(['slots', 'redis'], { clusters: [{ ...taken, replies: [] }] });
    expect([ran.exitCode, ran.stdout]).toEqual([1, '']);
    expect(ran.stderr).toContain('there is no Redis Cluster redis');
  });
});

describe('exit codes', () => {
  test.each([
    ['check of a healthy cluster', ['check'], redis, 0],
    ['check of one with a fault', ['check'], changed(redis, unowned([{ start: 1, end: 9 }])), 3],
    ['check of one that is not formed', ['check'], freshObservation(), 3],
    ['status shows a fault and did what it should', ['status'], changed(redis, unowned([{ start: 1, end: 9 }])), 0],
    ['slots', ['slots'], redis, 0],
    ['list', ['list'], redis, 0],
    ['help', ['help', 'slots'], redis, 0],
    ['help for what is not there', ['help', 'slot'], redis, 2],
    ['explain', ['explain', 'slots-uncovered'], redis, 0],
    ['explain what is not there', ['explain', 'slots-uncover'], redis, 2],
    ['both of two that exclude each other', ['slots', '--key', 'a', '--slot', '1'], redis, 2],
    ['version', ['version'], redis, 0],
    ['completion', ['completion', 'bash'], redis, 0],
    ['completion for a shell that is none', ['completion', 'sh'], redis, 2],
  ])('%s', async (_, argv, cluster, exitCode) => {
    const ran = await runCommand(argv, { clusters: [cluster] });
    expect(ran.exitCode).toBe(exitCode);
    // Data on stdout, complaints on stderr, never both.
    expect(exitCode === 2 ? ran.stdout : ran.stderr).toBe('');
  });
});

describe('errors', () => {
  test('of Kubernetes: what failed, why, what to try', async () => {
    const broken = new AppError('no right to list pods', {
      code: 'forbidden',
      cause: new Error('pods is\nforbidden'),
      hint: 'Ask for it.',
    });
    expect(await runCommand(['slots'], { clusters: [], broken })).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'error: no right to list pods\n  why: pods is forbidden\n  try: Ask for it.\n',
    });
  });

  test('of ours: one line, and how to see more', async () => {
    const broken = new TypeError('x is not a function');
    const plain = await runCommand(['slots'], { clusters: [], broken });
    expect(plain).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'error: x is not a function (a bug; run it again with --debug to see where)\n',
    });
    const debugged = await runCommand(['slots', '--debug'], { clusters: [], broken });
    expect(debugged.stderr).toContain('TypeError: x is not a function\n    at ');
  });
});

describe('what could not be read', () => {
  test('is a note on stderr', async () => {
    const blind = changed(
      redis,
      changeKube((kube) => ({ ...kube, gaps: [{ what: 'nodes', why: 'nodes is forbidden' }] })),
    );
    const ran = await runCommand(['nodes'], { clusters: [blind] });
    expect(ran.stderr).toBe('note: nodes could not be read: nodes is forbidden\n');
  });
});

describe('list', () => {
  test('a namespace', async () => {
    const ran = await runCommand(['list'], { clusters: [redis, freshObservation({ name: 'new' }), far] });
    expect(ran.stdout).toBe(
      [
        'NAMESPACE   NAME    ORIGIN   SHAPE                      PODS   STATE     VERSION       AGE   REMARKS',
        'default     redis   ours     3 primaries + 3 replicas   6/6    healthy   redis 8.6.3   24h',
        'default     new     ours     0 primaries + 0 replicas   6/6    forming   redis 8.6.3   24h   The nodes are not joined to a cluster yet; 6 of 6 nodes answer.',
        '',
      ].join('\n'),
    );
  });

  test('names for a script', async () => {
    const clusters = [redis, far];
    expect((await runCommand(['list', '-o', 'name'], { clusters })).stdout).toBe('redis\n');
    expect((await runCommand(['list', '-A', '-o', 'name'], { clusters })).stdout).toBe('default/redis\nprod/redis\n');
  });

  test('nothing', async () => {
    const ran = await runCommand(['list'], { clusters: [far] });
    expect(ran).toEqual({ exitCode: 0, stdout: '', stderr: 'No Redis Clusters found in namespace default.\n' });
  });
});

test('pods for other commands', async () => {
  const { stdout } = await runCommand(['nodes', '-o', 'name'], { clusters: [redis] });
  expect(stdout).toBe('pod/redis-1-0\npod/redis-2-0\npod/redis-3-0\npod/redis-4-0\npod/redis-5-0\npod/redis-6-0\n');
});
