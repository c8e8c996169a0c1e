/** What the readiness probe looks after besides: the timeout of a link that is down, the job that brings a node back. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { readdir, readFile, rm, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { poll } from '../../support/redis-server.ts';
import { fill, hasKeys, nth, rejoined, scriptPods } from '../../support/script-cluster.ts';
import { FLAVOURS, type ScriptPod } from '../../support/script-pod.ts';

const { form, make, removeAll } = scriptPods(7370);

afterEach(removeAll);

/** Processes of the pod, by what they were started with: its scripts and servers, and what those started. */
async function processesOf(pod: ScriptPod): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const environments = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '')));
  return pids.filter((_, index) => environments[index]?.includes(`KUBECTL_REDIS_RUN_DIR=${pod.runDir}\0`));
}

async function linkTimeout(pod: ScriptPod): Promise<string | undefined> {
  await pod.run('probe.sh', 'readiness');
  return (await pod.cli('config', 'get', 'repl-timeout')).split('\n')[1];
}

/** Makes the job's last sign of life two minutes old. */
async function age(pod: ScriptPod): Promise<void> {
  const then = Date.now() / 1_000 - 120;
  await utimes(join(pod.runDir, 'rejoin-pulse'), then, then);
}

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('upkeep, %s', (_, flavour) => {
  test('no script leaves a process behind: the server, process 1 of its container, would not reap it', async () => {
    const [pod] = await make(flavour, 1);
    if (pod === undefined) throw new Error('no pod');
    pod.start();
    await pod.ready();
    // (The server has overwritten what it was started with.)
    const before = await processesOf(pod);
    for (const words of [['probe.sh', 'readiness'], ['probe.sh', 'liveness'], ['stop.sh']] as const) {
      const [script, ...args] = words;
      await pod.run(script, ...args);
      expect(await processesOf(pod)).toEqual(before);
    }
    pod.signal('SIGSTOP');
    await pod.run('probe.sh', 'liveness');
    expect(await processesOf(pod)).toEqual(before);
  });

  test('while its link is down a replica gives up a connection after 5 s, else after what was configured', async () => {
    const cluster = await form(flavour, 3, 4, { spec: { config: { 'cluster-node-timeout': '15000' } } });
    const [primary, replica] = [nth(cluster, 1), nth(cluster, 4)];
    expect(await linkTimeout(replica)).toBe('20');
    await primary.kill('SIGKILL');
    await poll('a link that is down', 10_000, async () => ((await linkTimeout(replica)) === '5' ? true : null));
    primary.start();
    await primary.ready();
    await poll('a link that is up', 20_000, async () => ((await linkTimeout(replica)) === '20' ? true : null));
    expect(await linkTimeout(primary)).toBe('20');
  });

  test('the job that brings a node back is started again when it was killed, and when it is stuck', async () => {
    const cluster = await form(flavour, 3, 4);
    const [primary, lost] = [nth(cluster, 1), nth(cluster, 4)];
    await fill(primary, 'b', 20, [lost]);
    await lost.kill('SIGKILL');
    await lost.loseVolume();
    const job = (): Promise<number> =>
      poll('the job', 10_000, async () => {
        const pulse = await readFile(join(lost.runDir, 'rejoin-pulse'), 'utf8').catch(() => '');
        return Number(pulse) > 1 ? Number(pulse) : null;
      });
    // Nobody who has the slots of its shard answers, so that it can't be done before it is stopped.
    primary.signal('SIGSTOP');
    lost.start();
    await lost.ready();
    const first = await job();
    process.kill(first, 'SIGSTOP');
    await age(lost);
    expect((await lost.run('probe.sh', 'readiness')).code).toBe(1);
    await poll('another job', 10_000, async () => ((await job()) === first ? null : true));
    process.kill(await job(), 'SIGKILL');
    await rm(join(lost.runDir, 'rejoin-pulse'));
    primary.signal('SIGCONT');
    expect((await lost.run('probe.sh', 'readiness')).code).toBe(1);
    await rejoined(lost);
    await hasKeys([primary, lost], 20);
  });
});
