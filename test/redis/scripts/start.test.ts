import { afterEach, describe, expect, test } from '@jest/globals';
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freeAddresses } from '../../support/loopback.ts';
import {
  FLAVOURS,
  guardSays,
  makePod,
  renderedConf,
  SYSTEM,
  type Flavour,
  type PodOptions,
  type ScriptPod,
} from '../../support/script-pod.ts';

const PORT = 7310;
const pods: ScriptPod[] = [];
const dirs: string[] = [];

async function podOf(flavour: Flavour, options: Partial<PodOptions> = {}): Promise<ScriptPod> {
  const [address = ''] = await freeAddresses(1, PORT);
  const pod = await makePod({ flavour, address, port: PORT, ...options });
  pods.push(pod);
  return pod;
}

/** A directory with programs of our own making: name -> text of a shell script. */
async function programs(scripts: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'programs-'));
  dirs.push(dir);
  for (const [name, text] of Object.entries(scripts)) {
    await writeFile(join(dir, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(dir, name), 0o755);
  }
  return dir;
}

afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.remove()));
  await Promise.all(dirs.splice(0).map((dir) => rm(dir, { recursive: true })));
});

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('start.sh, %s', (_, flavour) => {
  test('the server takes every directive that is for its version', async () => {
    const spec = {
      replicas: 2,
      memory: '1Gi',
      config: { save: '900 1\n300 10', 'client-output-buffer-limit': 'normal 0 0 0\npubsub 32mb 8mb 60', hz: '20' },
    };
    const pod = await podOf(flavour, { spec });
    pod.start();
    await pod.ready();
    const get = async (name: string): Promise<string | undefined> =>
      (await pod.cli('config', 'get', name)).split('\n')[1];
    const major = Number(/_version:(\d+)/.exec(await pod.cli('info', 'server'))?.[1]);
    expect(await get('maxmemory')).toBe('751619276');
    expect(await get('cluster-node-timeout')).toBe('5000');
    expect(await get('cluster-announce-ip')).toBe(pod.address);
    expect(await get('replica-announce-ip')).toBe(pod.address);
    expect(await get('save')).toBe('900 1 300 10');
    expect(await get('hz')).toBe('20');
    expect(await get('dir')).toBe(pod.dataDir);
    expect(await get('cluster-allow-replica-migration')).toBe(major >= 7 ? 'no' : undefined);
    expect(await get('repl-diskless-sync-max-replicas')).toBe(major >= 7 ? '2' : undefined);
    expect(await get('cluster-migration-barrier')).toBe(major >= 7 ? '1' : '1000');
    expect(await pod.cli('ping')).toBe('PONG');
  });

  test('waits for its address, says so, is alive and not ready, and ends at once', async () => {
    const pod = await podOf(flavour, { announceIp: null });
    pod.start();
    const line = await guardSays(pod, /waiting/);
    expect(line).toBe(
      'guard: waiting for the address of Service redis-1, which this node announces (its volume is empty); to finish: kubectl redis create redis -n default',
    );
    expect((await pod.run('probe.sh', 'liveness')).code).toBe(0);
    expect((await pod.run('probe.sh', 'startup')).code).toBe(0);
    const { code, output } = await pod.run('probe.sh', 'readiness');
    expect([code, output.trim()]).toEqual([1, line]);
    expect((await pod.run('stop.sh')).code).toBe(0);
    const from = performance.now();
    await pod.kill('SIGTERM');
    expect(performance.now() - from).toBeLessThan(500);
    expect(await pod.ended()).toBe(143);
  });

  test('repeats what it waits for', async () => {
    const pod = await podOf(flavour, { announceIp: null });
    pod.start();
    const seen = async (): Promise<number> => pod.log().match(/guard: waiting/g)?.length ?? 0;
    await guardSays(pod, /waiting/);
    const until = performance.now() + 9_000;
    while ((await seen()) < 2 && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await seen()).toBe(2);
  });

  test('does not start on a volume that it cannot write', async () => {
    const pod = await podOf(flavour);
    await rm(pod.dataDir, { recursive: true });
    await writeFile(pod.dataDir, 'not a directory');
    pod.start();
    expect(await pod.ended()).toBe(1);
    expect(pod.log()).toMatch(/^guard: cannot write to the volume at .* as user \d+, group \d+/m);
  });

  test('nor on one on which nobody can make a file', async () => {
    const pod = await podOf(flavour, { env: { KUBECTL_REDIS_DATA_DIR: '/proc' } });
    pod.start();
    expect(await pod.ended()).toBe(1);
    expect(pod.log()).toContain('guard: cannot write to the volume at /proc as user');
  });

  test('waits while another process uses the volume', async () => {
    const first = await podOf(flavour);
    first.start();
    await first.ready();
    const second = await podOf(flavour, { env: { KUBECTL_REDIS_DATA_DIR: first.dataDir } });
    second.start();
    await guardSays(second, /waiting for another process that still uses the volume/);
    await first.kill('SIGKILL');
    await second.ready();
    expect(await second.cli('config', 'get', 'dir')).toContain(first.dataDir);
  });

  test.each([
    ['a copy of a node of another namespace, with its address, waits', 'default', '127.0.0.1', false],
    ['one whose address the table says does not', 'default', null, true],
    ['nor does one that is where it was made for', 'staging', '127.0.0.1', true],
  ])('%s', async (__, home, announceIp, starts) => {
    const env = { KUBECTL_REDIS_NAMESPACE: home, KUBECTL_REDIS_POD_NAMESPACE: 'staging' };
    const pod = await podOf(flavour, { env, ...(announceIp === null ? { announceIp } : {}) });
    pod.start();
    if (!starts) {
      expect(await guardSays(pod, /waiting/)).toContain('this is a copy of a node of namespace default');
      expect(await pod.cli('ping')).not.toBe('PONG');
      return;
    }
    if (announceIp === null) expect(await guardSays(pod, /waiting/)).toContain('for the address of Service redis-1');
    else await pod.ready();
  });

  test('a record that was copied from another namespace is waited for until it is written for this one', async () => {
    const pod = await podOf(flavour, { env: { KUBECTL_REDIS_POD_NAMESPACE: 'staging' }, announceIp: null });
    await pod.setNamespace('prod');
    pod.start();
    expect(await guardSays(pod, /waiting/)).toContain('redis-state here is a copy of that of namespace prod');
    expect(await pod.cli('ping')).not.toBe('PONG');
    await pod.setNamespace('staging');
    await guardSays(pod, /for the address of Service redis-1/);
  });

  test('takes directives of its own, the last value of each, and a maxmemory where nobody set one', async () => {
    const env = {
      KUBECTL_REDIS_CONFIG: '# mine\nhz 20\nappendonly no\nsave ""\nsave 900 1\n',
      KUBECTL_REDIS_MAXMEMORY: '50000000',
    };
    const pod = await podOf(flavour, { env, spec: { config: { hz: '15' } } });
    pod.start();
    await pod.ready();
    const get = async (name: string): Promise<string | undefined> =>
      (await pod.cli('config', 'get', name)).split('\n')[1];
    expect([await get('hz'), await get('appendonly'), await get('save')]).toEqual(['20', 'no', '900 1']);
    expect(await get('maxmemory')).toBe('50000000');
    const other = await podOf(flavour, { env: { KUBECTL_REDIS_MAXMEMORY: '50000000' }, spec: { memory: '1Gi' } });
    other.start();
    await other.ready();
    expect((await other.cli('config', 'get', 'maxmemory')).split('\n')[1]).toBe('751619276');
  });

  test('keeps the password out of arguments, environment and log', async () => {
    const password = 'p"a\\s$s `w\'ö';
    const pod = await podOf(flavour, { password, spec: { auth: true } });
    pod.start();
    await pod.ready();
    expect(await pod.cli('ping')).toBe('PONG');
    expect(await pod.cli('config', 'get', 'masterauth')).toBe(`masterauth\n${password}`);
    const process = await Promise.all(
      ['cmdline', 'environ'].map((file) => readFile(`/proc/${pod.pid()}/${file}`, 'utf8')),
    );
    expect(process.join('') + pod.log()).not.toContain("w'ö");
    expect(process.join('')).not.toContain('REDISCLI_AUTH');
    expect((await stat(join(pod.runDir, 'redis.conf'))).mode & 0o777).toBe(0o600);
    expect((await pod.run('probe.sh', 'readiness')).code).toBe(0);
  });
});

describe('start.sh', () => {
  test("ends in the image's own entry point", async () => {
    const dir = await programs({ 'docker-entrypoint.sh': 'echo "entry point: $*"; exec "$@"' });
    const pod = await podOf(SYSTEM, { env: { PATH: `${dir}:${process.env['PATH']}` } });
    pod.start();
    await pod.ready();
    expect(pod.log()).toContain(`entry point: redis-server ${pod.runDir}/redis.conf\n`);
  });

  test('an image without a server is named as that', async () => {
    const dir = await programs({});
    for (const tool of ['dash', 'sed', 'awk', 'sleep', 'id']) await symlink(`/usr/bin/${tool}`, join(dir, tool));
    const pod = await podOf(SYSTEM, { env: { PATH: dir } });
    pod.start();
    expect(await pod.ended()).toBe(1);
    expect(pod.log()).toBe('guard: this image has no redis-server and no valkey-server: choose another with --image\n');
  });

  test('a server that does not run is shown with its own words', async () => {
    const dir = await programs({ 'redis-server': 'echo "exec format error"; exit 126' });
    const pod = await podOf(SYSTEM, { env: { PATH: `${dir}:${process.env['PATH']}` } });
    pod.start();
    expect(await pod.ended()).toBe(1);
    expect(pod.log()).toBe('guard: redis-server does not run in this image: exec format error\n');
  });

  const marked = [
    '# a comment > with < marks',
    '#>=7.0 a',
    '#<7.0 b',
    '#>=6.2 c 1 2',
    '#redis>=8.4 d',
    '#valkey>=9.0 e',
    '#valkey<9.0 f',
    '#redis<8.4 g',
    'h "x # y"',
    '#commented-out >=7 i',
  ].join('\n');
  test.each([
    ['Redis server v=5.0.14 sha=0 malloc=libc', 'b g'],
    ['Redis server v=6.2.0 sha=0', 'b c g'],
    ['Redis server v=7.0.15 sha=0', 'a c g'],
    ['Redis server v=8.4.0 sha=0', 'a c d'],
    ['Redis server v=10.0.1 sha=0', 'a c d'],
    ['Valkey server v=7.2.7 sha=0', 'a c f'],
    ['Valkey server v=9.1.2 sha=0', 'a c e'],
    ['Something else', 'b g'],
  ])('of marked lines "%s" gets %s', async (version, expected) => {
    const dir = await programs({ 'redis-server': `[ "$1" != --version ] && exec cat "$1"\necho '${version}'` });
    const pod = await podOf(SYSTEM, { env: { PATH: `${dir}:${process.env['PATH']}` } });
    await writeFile(join(pod.configDir, 'redis.conf'), marked);
    pod.start();
    expect(await pod.ended()).toBe(0);
    const lines = (await renderedConf(pod)).split('\n').filter((line) => /^[a-i]\b/.test(line));
    expect(lines.map((line) => line[0])).toEqual([...expected.split(' '), 'h'].sort());
    expect(lines.filter((line) => line.includes(' '))).toEqual([
      ...(expected.includes('c') ? ['c 1 2'] : []),
      'h "x # y"',
    ]);
  });
});

test('a pod that shares its template takes N from its name, and its address from the table', async () => {
  const [address = ''] = await freeAddresses(1, PORT);
  const env = { HOSTNAME: 'redis-set-4', KUBECTL_REDIS_NODE: '' };
  const pod = await makePod({ flavour: SYSTEM, address, port: PORT, announceIp: null, env });
  pods.push(pod);
  pod.start();
  await guardSays(pod, /waiting for the address of Service redis-4/);
  await pod.setTable(`3 redis-3 127.0.0.1 -\n4 redis-4 ${address} -\n`);
  await pod.ready();
  expect((await pod.cli('config', 'get', 'cluster-announce-ip')).split('\n')[1]).toBe(address);
});
