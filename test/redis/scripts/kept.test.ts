/** What a start reads when the configuration has changed: what the server that ran last wrote last, not an older file of the other kind. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { poll } from '../../support/redis-server.ts';
import { ageFiles, fill, nth, scriptPods } from '../../support/script-cluster.ts';
import { FLAVOURS, type ScriptPod } from '../../support/script-pod.ts';

const { make, removeAll } = scriptPods(7390);

afterEach(removeAll);

/** As if another manifest had been applied. */
async function configure(pod: ScriptPod, appendonly: 'yes' | 'no', save: string): Promise<void> {
  const path = join(pod.configDir, 'redis.conf');
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => !/^(appendonly|save) /.test(line));
  await writeFile(path, [...lines, `appendonly ${appendonly}`, `save ${save}`, ''].join('\n'));
}

async function keptIn(pod: ScriptPod): Promise<string> {
  await pod.run('probe.sh', 'readiness');
  return (await readFile(join(pod.dataDir, '.kubectl-redis.keeps'), 'utf8').catch(() => '')).trim();
}

async function startAgain(pod: ScriptPod, signal: NodeJS.Signals): Promise<void> {
  await pod.kill(signal);
  pod.start();
  await pod.ready();
}

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('what is kept, %s', (_, flavour) => {
  /** A node of one shard that serves, with 10 keys, and configured so. */
  async function serving(appendonly: 'yes' | 'no', save: string): Promise<ScriptPod> {
    const pod = nth(await make(flavour, 1, { formed: true, spec: { masters: 1 } }), 1);
    await pod.setFormed('false\n');
    await configure(pod, appendonly, save);
    pod.start();
    await pod.ready();
    await pod.cli('cluster', 'addslotsrange', '0', '16383');
    await poll('it serves', 20_000, async () => ((await pod.cli('set', '{b}0', 'x')) === 'OK' ? true : null));
    await fill(pod, 'b', 10, []);
    return pod;
  }

  test.each([['SIGTERM'], ['SIGKILL']] as const)(
    'aof, then snapshots, then aof again by an older manifest, %s',
    async (signal) => {
      const pod = await serving('yes', '""');
      await poll('it is noted', 10_000, async () => ((await keptIn(pod)) === 'aof' ? true : null));
      // Nobody changes a configuration within the second.
      await ageFiles(pod);
      // As `restart --config` does it: while it runs, then with the next start.
      await pod.cli('config', 'set', 'appendonly', 'no');
      await pod.cli('config', 'set', 'save', '3600 1');
      expect(await keptIn(pod)).toBe('rdb');
      for (let i = 10; i < 50; i++) await pod.cli('set', `{b}${i}`, 'x');
      if (signal === 'SIGKILL') await pod.cli('save');
      await configure(pod, 'yes', '""');
      await startAgain(pod, signal);
      expect(await pod.cli('dbsize')).toBe('50');
      expect((await readdir(pod.dataDir)).filter((name) => name.includes('.unused-'))).toHaveLength(1);
      expect(await keptIn(pod)).toBe('aof');
      await poll('it serves', 20_000, async () => ((await pod.cli('set', '{b}50', 'x')) === 'OK' ? true : null));
      for (let i = 51; i < 60; i++) await pod.cli('set', `{b}${i}`, 'x');
      // (The last second of an append-only file may be lost with the process.)
      await startAgain(pod, 'SIGTERM');
      expect(await pod.cli('dbsize')).toBe('60');
    },
  );

  test('is noted by a probe that has no right to CONFIG', async () => {
    const pod = await serving('yes', '""');
    await poll('it is noted', 10_000, async () => ((await keptIn(pod)) === 'aof' ? true : null));
    await pod.cli('config', 'set', 'appendonly', 'no');
    expect(await pod.cli('acl', 'setuser', 'default', '-config')).toBe('OK');
    expect(await keptIn(pod)).toBe('rdb');
  });

  test.each(['appendonlydir', 'appendonlydir/appendonly.aof.manifest'])(
    'what somebody removed under the server is written anew: %s',
    async (name) => {
      const pod = await serving('yes', '""');
      await poll('it is noted', 10_000, async () => ((await keptIn(pod)) === 'aof' ? true : null));
      await rm(join(pod.dataDir, name), { recursive: true });
      await pod.cli('set', '{b}10', 'x');
      await keptIn(pod);
      const rewritten = async (): Promise<true | null> => {
        const files = await readdir(join(pod.dataDir, 'appendonlydir')).catch(() => []);
        const isDone = (await pod.cli('info', 'persistence')).includes('aof_rewrite_in_progress:0');
        return isDone && files.some((file) => file.endsWith('.manifest')) ? true : null;
      };
      await poll('the files are there again', 10_000, rewritten);
      await startAgain(pod, 'SIGTERM');
      expect(await pod.cli('dbsize')).toBe('11');
    },
  );

  test('a manifest that names what is not there is set aside: the volume has no data', async () => {
    const pod = await serving('yes', '""');
    await poll('it is noted', 10_000, async () => ((await keptIn(pod)) === 'aof' ? true : null));
    await pod.kill('SIGKILL');
    const dir = join(pod.dataDir, 'appendonlydir');
    const [base = ''] = (await readdir(dir)).filter((name) => /\.base\.|\.incr\./.test(name));
    await rm(join(dir, base));
    pod.start();
    await poll('it is set aside', 20_000, async () => (pod.log().includes('set aside as ') ? true : null));
    expect((await readdir(pod.dataDir)).filter((name) => name.startsWith('appendonlydir.torn-'))).toHaveLength(1);
  });

  test('snapshots, then aof, then snapshots again by an older manifest', async () => {
    const pod = await serving('no', '3600 1');
    expect(await keptIn(pod)).toBe('rdb');
    await pod.cli('save');
    await ageFiles(pod);
    await pod.cli('config', 'set', 'save', '');
    await pod.cli('config', 'set', 'appendonly', 'yes');
    await poll('the append-only file is whole', 10_000, async () => ((await keptIn(pod)) === 'aof' ? true : null));
    for (let i = 10; i < 50; i++) await pod.cli('set', `{b}${i}`, 'x');
    await configure(pod, 'no', '3600 1');
    await startAgain(pod, 'SIGTERM');
    expect(await pod.cli('dbsize')).toBe('50');
    expect(pod.log()).toContain('starting with appendonly yes');
    // It writes a dump when it is stopped now, and what is configured is right again.
    await ageFiles(pod);
    await poll('it serves', 20_000, async () => ((await pod.cli('set', '{b}50', 'x')) === 'OK' ? true : null));
    await startAgain(pod, 'SIGTERM');
    expect(await pod.cli('dbsize')).toBe('51');
    const said = pod.log().match(/guard: .*/g);
    expect([(await pod.cli('config', 'get', 'appendonly')).split('\n')[1], said]).toEqual(['no', null]);
  });

  test.each([
    ['an older one and a new one that was never finished', false],
    ['none', true],
  ])('snapshots, then aof, and the server dies before its first file is whole: %s', async (_name, none) => {
    const pod = await serving('yes', '""');
    await poll('it is noted', 10_000, async () => ((await keptIn(pod)) === 'aof' ? true : null));
    await ageFiles(pod);
    await pod.cli('config', 'set', 'appendonly', 'no');
    expect(await keptIn(pod)).toBe('rdb');
    for (let i = 10; i < 50; i++) await pod.cli('set', `{b}${i}`, 'x');
    await pod.cli('save');
    await pod.kill('SIGKILL');
    const dir = join(pod.dataDir, 'appendonlydir');
    if (none) await rm(dir, { recursive: true });
    else await writeFile(join(dir, 'temp-appendonly.aof.incr'), 'half');
    pod.start();
    await pod.ready();
    expect(await pod.cli('dbsize')).toBe('50');
  });

  test('a change that was meant: snapshots from now on, and the dump is read', async () => {
    const pod = await serving('yes', '""');
    await poll('it is noted', 10_000, async () => ((await keptIn(pod)) === 'aof' ? true : null));
    await pod.cli('config', 'set', 'appendonly', 'no');
    await pod.cli('config', 'set', 'save', '3600 1');
    for (let i = 10; i < 50; i++) await pod.cli('set', `{b}${i}`, 'x');
    // The probe has not run since.
    await configure(pod, 'no', '3600 1');
    await startAgain(pod, 'SIGTERM');
    expect(await pod.cli('dbsize')).toBe('50');
    expect(pod.log()).not.toContain('starting with appendonly yes');
  });
});
