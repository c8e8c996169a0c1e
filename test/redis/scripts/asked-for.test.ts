/** What a person asked for and a server would do without: a password (K21), a dump on the volume (K18). */
import { afterEach, describe, expect, test } from '@jest/globals';
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readGuard } from '../../../pkg/cluster/wire/guard.ts';
import { readLoaded } from '../../../pkg/cluster/wire/loaded.ts';
import { poll } from '../../support/redis-server.ts';
import { fill, isSilent, nth, scriptPods } from '../../support/script-cluster.ts';
import { FLAVOURS, guardSays, SYSTEM, type ScriptPod } from '../../support/script-pod.ts';

const { make, removeAll } = scriptPods(7340);

afterEach(async () => {
  await removeAll();
});

describe('K21: never without the password that was asked for', () => {
  test('a Secret without the key: it waits, names the keys that are there, and starts when the right one is', async () => {
    const [pod] = await make(SYSTEM, 1, { formed: false, secret: { 'redis-password': 'x' } });
    if (pod === undefined) throw new Error('no pod');
    pod.start();
    expect(await guardSays(pod, /waiting/)).toMatch(
      /for the password: Secret redis-auth has no key password, or an empty one \(its keys: redis-password\)/,
    );
    expect(await isSilent(pod)).toBe(true);
    await writeFile(join(pod.root, 'auth', 'password'), 'hush');
    await poll('it serves whoever knows the password', 20_000, async () => {
      const reply = await pod.cli('ping');
      return reply.includes('NOAUTH') ? true : null;
    });
  });

  test('a template that asks for one, and a Secret without any key; and an empty one', async () => {
    const env = { KUBECTL_REDIS_AUTH: 'yes' };
    for (const secret of [{}, { password: '' }]) {
      const [pod] = await make(SYSTEM, 1, { formed: false, env, secret });
      if (pod === undefined) throw new Error('no pod');
      pod.start();
      expect(await guardSays(pod, /waiting/)).toContain('for the password: Secret redis-auth has no key password');
      expect(await isSilent(pod)).toBe(true);
    }
  });
});

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('K18: a dump, %s', (_, flavour) => {
  /** A node that was in a cluster, with its keys in dump.rdb only. */
  async function withDump(): Promise<ScriptPod> {
    const pods = await make(flavour, 1, { formed: true, spec: { masters: 1 } });
    const pod = nth(pods, 1);
    await pod.setFormed('false\n');
    pod.start();
    await pod.ready();
    await pod.cli('cluster', 'addslotsrange', '0', '16383');
    await poll('it serves', 20_000, async () => ((await pod.cli('set', '{b}0', 'x')) === 'OK' ? true : null));
    await fill(pod, 'b', 50, []);
    await pod.cli('save');
    await pod.kill('SIGKILL');
    await rm(join(pod.dataDir, 'appendonlydir'), { recursive: true, force: true });
    await rm(join(pod.dataDir, 'appendonly.aof'), { force: true });
    return pod;
  }

  test('that its server would ignore: it says how to load it, and loads it', async () => {
    const pod = await withDump();
    pod.start();
    const said = await guardSays(pod, /waiting/);
    expect(said).toMatch(/dump\.rdb is on this volume and appendonly is yes/);
    expect(said).toMatch(/To load it: kubectl exec \S+ -n \S+ -- touch \S+\/\.kubectl-redis\.load-dump;/);
    expect(readGuard({ why: 'guard-waiting', detail: said })?.withoutData).toBe(false);
    expect(await isSilent(pod)).toBe(true);
    await writeFile(join(pod.dataDir, '.kubectl-redis.load-dump'), '');
    await pod.ready();
    expect(await pod.cli('dbsize')).toBe('50');
    await pod.kill('SIGKILL');
    pod.start();
    await pod.ready();
    expect(await pod.cli('dbsize')).toBe('50');
    // That is told, also by starts after it, until somebody confirms.
    const told = await pod.cli('config', 'get', 'proc-title-template');
    const loaded = readLoaded(told.trim());
    // (Servers before 6.2 have no word for it.)
    if (told.trim() !== '') {
      expect(loaded).toMatchObject({ led: false });
      expect(loaded?.dataAt).toBeLessThanOrEqual(loaded?.startedAt ?? 0);
    }
    await pod.run('probe.sh', 'readiness');
    expect(readLoaded((await pod.cli('config', 'get', 'proc-title-template')).trim())).toEqual(loaded);
    await rm(join(pod.dataDir, '.kubectl-redis.loaded'));
    await pod.run('probe.sh', 'readiness');
    expect(await pod.cli('config', 'get', 'proc-title-template')).not.toContain('loaded:');
    await expect(access(join(pod.dataDir, 'dump.rdb'))).rejects.toThrow();
  });

  test('no server starts beside it', async () => {
    const [pod] = await make(flavour, 1, { formed: false });
    if (pod === undefined) throw new Error('no pod');
    await writeFile(join(pod.dataDir, 'dump.rdb'), 'REDIS0009');
    pod.start();
    await poll('its guard waits, or its server runs', 20_000, async () =>
      /waiting/.test(pod.log()) || !(await isSilent(pod)) ? true : null,
    );
    expect(await isSilent(pod)).toBe(true);
  });

  test('killed while it is made the beginning of the append-only file: nothing is lost', async () => {
    const pod = await withDump();
    await mkdir(join(pod.dataDir, 'appendonlydir'), { recursive: true });
    await writeFile(join(pod.dataDir, 'appendonlydir', 'appendonly.aof.1.base.rdb'), 'half');
    await writeFile(join(pod.dataDir, '.kubectl-redis.load-dump'), '');
    pod.start();
    await pod.ready();
    expect(await pod.cli('dbsize')).toBe('50');
  });

  test('that is moved away: as on any volume without data', async () => {
    const pod = await withDump();
    pod.start();
    await guardSays(pod, /dump\.rdb is on this volume/);
    await rename(join(pod.dataDir, 'dump.rdb'), join(pod.dataDir, 'dump.rdb.unused'));
    const detail = await guardSays(pod, /this volume has no data/);
    expect(readGuard({ why: 'guard-waiting', detail })?.withoutData).toBe(true);
  });

  test('that an init container put on a new volume: it says that its keys must come otherwise', async () => {
    const [pod] = await make(flavour, 1, { formed: false });
    if (pod === undefined) throw new Error('no pod');
    await writeFile(join(pod.dataDir, 'dump.rdb'), 'REDIS0009');
    pod.start();
    expect(await guardSays(pod, /waiting/)).toMatch(
      /bring them here with redis-cli --cluster import; to start without/,
    );
    await rm(join(pod.dataDir, 'dump.rdb'));
    await pod.ready();
  });
});
