import { afterEach, describe, expect, test } from '@jest/globals';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formPods } from '../../support/form-pods.ts';
import { freeAddresses } from '../../support/loopback.ts';
import { poll } from '../../support/redis-server.ts';
import { FLAVOURS, makePod, type Flavour, type PodOptions, type ScriptPod } from '../../support/script-pod.ts';

const PORT = 7330;
const pods: ScriptPod[] = [];

async function startPods(flavour: Flavour, count: number, options: Partial<PodOptions> = {}): Promise<ScriptPod[]> {
  const addresses = await freeAddresses(count, PORT);
  const made = await Promise.all(addresses.map((address) => makePod({ flavour, address, port: PORT, ...options })));
  pods.push(...made);
  for (const pod of made) pod.start();
  await Promise.all(made.map((pod) => pod.ready()));
  return made;
}

async function startPod(flavour: Flavour, options: Partial<PodOptions> = {}): Promise<ScriptPod> {
  const [pod] = await startPods(flavour, 1, options);
  if (pod === undefined) throw new Error('no pod');
  return pod;
}

async function codes(pod: ScriptPod): Promise<{ readiness: number; liveness: number }> {
  const [readiness, liveness] = await Promise.all([pod.run('probe.sh', 'readiness'), pod.run('probe.sh', 'liveness')]);
  return { readiness: readiness.code, liveness: liveness.code };
}

async function nodeTimeout(pod: ScriptPod): Promise<string | undefined> {
  return (await pod.cli('config', 'get', 'cluster-node-timeout')).split('\n')[1];
}

afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.remove()));
});

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('probe.sh, %s', (_, flavour) => {
  test('a primary that no cluster knows yet is ready; one that is gone is neither', async () => {
    const pod = await startPod(flavour);
    expect(await pod.cli('cluster', 'info')).toContain('cluster_state:fail');
    expect(await codes(pod)).toEqual({ readiness: 0, liveness: 0 });
    expect((await pod.run('probe.sh', 'startup')).code).toBe(0);
    await pod.kill('SIGKILL');
    expect(await codes(pod)).toEqual({ readiness: 1, liveness: 1 });
    expect((await pod.run('probe.sh', 'startup')).code).toBe(1);
    expect((await pod.run('probe.sh')).code).toBe(2);
  });

  test('a replica is ready while its link is up', async () => {
    const cluster = await startPods(flavour, 4, {
      spec: { config: { 'repl-timeout': '2', 'cluster-node-timeout': '1000' } },
    });
    await formPods(cluster, 3);
    const [primary, replica] = [cluster[0], cluster[3]];
    if (primary === undefined || replica === undefined) throw new Error('no pods');
    expect(await codes(replica)).toEqual({ readiness: 0, liveness: 0 });
    await primary.kill('SIGKILL');
    await poll('link down', 10_000, async () =>
      (await replica.cli('info', 'replication')).includes('link_status:down') ? true : null,
    );
    const { code, output } = await replica.run('probe.sh', 'readiness');
    expect([code, output]).toEqual([1, 'the link to the primary is down\n']);
    expect((await replica.run('probe.sh', 'liveness')).code).toBe(0);
  });

  test('a server that loads, or runs a long script, is alive and not ready', async () => {
    const slow = { 'key-load-delay': '20000', 'loading-process-events-interval-bytes': '1024', 'lua-time-limit': '50' };
    const pod = await startPod(flavour, { spec: { masters: 1, replicas: 0, config: slow } });
    await pod.cli('cluster', 'addslots', ...Array.from({ length: 16384 }, (_, slot) => String(slot)));
    await poll('a cluster of one', 10_000, async () => ((await pod.cli('set', 'a', '1')) === 'OK' ? true : null));

    const script = pod.cli('eval', 'while true do end', '0');
    await poll('BUSY', 10_000, async () => ((await pod.cli('ping')).startsWith('BUSY') ? true : null));
    expect(await codes(pod)).toEqual({ readiness: 1, liveness: 0 });
    await pod.cli('script', 'kill');
    await script;

    await pod.cli('eval', "for i=1,300 do redis.call('set', '{a}' .. i, string.rep('x', 100)) end", '1', '{a}');
    // Only what is in the snapshot part of the log is loaded with the delay.
    await pod.cli('bgrewriteaof');
    await poll('the rewrite', 10_000, async () =>
      /aof_rewrite_in_progress:0[^]*aof_rewrites:[1-9]/.test(await pod.cli('info')) ? true : null,
    );
    await pod.kill('SIGKILL');
    pod.start();
    await poll('LOADING', 10_000, async () => ((await pod.cli('ping')).startsWith('LOADING') ? true : null));
    expect(await codes(pod)).toEqual({ readiness: 1, liveness: 0 });
  });

  test('a frozen server is neither, and does not hold the probe', async () => {
    const pod = await startPod(flavour);
    pod.signal('SIGSTOP');
    const { code, elapsedMs } = await pod.run('probe.sh', 'liveness');
    expect(code).toBe(1);
    expect(elapsedMs).toBeLessThan(4_500);
    expect((await pod.run('probe.sh', 'readiness')).code).toBe(1);
    pod.signal('SIGCONT');
    expect(await codes(pod)).toEqual({ readiness: 0, liveness: 0 });
  });

  test('a wrong password is life', async () => {
    const pod = await startPod(flavour, { password: 'right', spec: { auth: true } });
    expect(await codes(pod)).toEqual({ readiness: 0, liveness: 0 });
    await writeFile(join(pod.root, 'auth', 'password'), 'wrong');
    expect(await codes(pod)).toEqual({ readiness: 1, liveness: 0 });
    await rm(join(pod.root, 'auth', 'password'));
    expect(await codes(pod)).toEqual({ readiness: 1, liveness: 0 });
  });

  test('a short cluster-node-timeout is put back by the second run, one that still changes is not', async () => {
    const pod = await startPod(flavour);
    const ready = async (): Promise<string | undefined> => {
      expect((await pod.run('probe.sh', 'readiness')).code).toBe(0);
      return nodeTimeout(pod);
    };
    expect(await ready()).toBe('5000');
    await pod.cli('config', 'set', 'cluster-node-timeout', '500');
    expect(await ready()).toBe('500');
    expect(await ready()).toBe('5000');
    await pod.cli('config', 'set', 'cluster-node-timeout', '500');
    expect(await ready()).toBe('500');
    await pod.cli('config', 'set', 'cluster-node-timeout', '600');
    expect(await ready()).toBe('600');
    await pod.cli('config', 'set', 'cluster-node-timeout', '5000');
    expect(await ready()).toBe('5000');
    await pod.cli('config', 'set', 'cluster-node-timeout', '600');
    expect(await ready()).toBe('600');
    expect(await ready()).toBe('5000');
  });

  test('T3: a longer cluster-node-timeout is put back when no key can need it any more', async () => {
    const pod = await startPod(flavour);
    const stamp = join(pod.runDir, 'node-timeout-stamp');
    const ready = async (): Promise<string | undefined> => {
      expect((await pod.run('probe.sh', 'readiness')).code).toBe(0);
      return nodeTimeout(pod);
    };
    const passes = async (seconds: number): Promise<void> => {
      const [value, since] = (await readFile(stamp, 'utf8')).trim().split(' ');
      await writeFile(stamp, `${value} ${Number(since) - seconds}\n`);
    };
    await pod.cli('config', 'set', 'cluster-node-timeout', '60007');
    expect([await ready(), await ready()]).toEqual(['60007', '60007']);
    await passes(250);
    expect(await ready()).toBe('60007');
    // Another key: its time begins anew.
    await pod.cli('config', 'set', 'cluster-node-timeout', '60008');
    expect(await ready()).toBe('60008');
    await passes(280);
    expect(await ready()).toBe('60008');
    await passes(30);
    expect(await ready()).toBe('5000');
    expect(await ready()).toBe('5000');
    // A clock that was set back: it is counted from now on.
    await pod.cli('config', 'set', 'cluster-node-timeout', '60009');
    expect(await ready()).toBe('60009');
    await passes(-10_000);
    expect(await ready()).toBe('60009');
    await passes(400);
    expect(await ready()).toBe('5000');
  });
});
