/** A volume with keys and without any nodes.conf: a hidden copy of it, and where that is gone too, a person's word. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readGuard } from '../../../pkg/cluster/wire/guard.ts';
import { settled } from '../../support/form-pods.ts';
import { poll } from '../../support/redis-server.ts';
import { fill, hasKeys, isSilent, nth, PATIENT, roleOf, scriptPods } from '../../support/script-cluster.ts';
import { FLAVOURS, guardSays, type ScriptPod } from '../../support/script-pod.ts';

const { form, removeAll } = scriptPods(7360);
const COPY = '.kubectl-redis.nodes.conf';
const WITH_KEYS =
  /to start with its keys as that node: kubectl exec \S+ -n \S+ -- touch \S+\/\.kubectl-redis\.be-that-node$/;

async function without(pod: ScriptPod, ...names: string[]): Promise<void> {
  await Promise.all(names.map((name) => rm(join(pod.dataDir, name), { recursive: true, force: true })));
}

function say(pod: ScriptPod): Promise<void> {
  return writeFile(join(pod.dataDir, '.kubectl-redis.be-that-node'), '');
}

afterEach(removeAll);

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))(
  'without nodes.conf, %s',
  (_, flavour) => {
    test('whoever removes nodes.conf* leaves a copy of it', async () => {
      const cluster = await form(flavour, 3, 3);
      const pod = nth(cluster, 1);
      await fill(pod, 'b', 20, []);
      await writeFile(join(pod.dataDir, 'nodes.conf.last-good'), 'of older scripts');
      expect((await pod.run('probe.sh', 'readiness')).code).toBe(0);
      const id = await pod.cli('cluster', 'myid');
      await pod.kill('SIGKILL');
      await without(pod, 'nodes.conf', 'nodes.conf.last-good');
      pod.start();
      await pod.ready();
      expect(pod.log()).toContain('guard: nodes.conf is none: using its last good copy\n');
      expect(await pod.cli('cluster', 'myid')).toBe(id);
      await settled(cluster);
      await hasKeys([pod], 20);
    });

    test('without the copy as well, and without a replica: a person says whose keys they are, and all are there', async () => {
      const cluster = await form(flavour, 3, 3);
      const pod = nth(cluster, 1);
      await fill(pod, 'b', 20, []);
      const id = await pod.cli('cluster', 'myid');
      await pod.kill('SIGKILL');
      await without(pod, 'nodes.conf', COPY);
      pod.start();
      const detail = await guardSays(pod, WITH_KEYS);
      expect(readGuard({ why: 'guard-waiting', detail })?.startWithKeys).toMatch(/be-that-node$/);
      expect(await isSilent(pod)).toBe(true);
      await say(pod);
      await pod.ready();
      expect(await pod.cli('cluster', 'myid')).toBe(id);
      await settled(cluster);
      await hasKeys([pod], 20);
      expect(await pod.cli('set', '{b}1', 'again')).toBe('OK');
    });

    test.each([
      ['leads, by the time of its data', true],
      ['is kept, where the files here look newer', false],
    ])('a silent replica is waited for, and one that has more %s', async (_name, preserveTimestamps) => {
      const cluster = await form(flavour, 3, 4, PATIENT);
      const [pod, replica] = [nth(cluster, 1), nth(cluster, 4)];
      await fill(pod, 'b', 20, [replica]);
      await pod.kill('SIGKILL');
      const old = join(pod.root, 'old');
      await cp(pod.dataDir, old, { recursive: true, preserveTimestamps: true });
      pod.start();
      await pod.ready();
      await poll('it serves again', 30_000, async () => ((await pod.cli('set', '{b}1', 'x')) === 'OK' ? true : null));
      await fill(pod, 'b', 50, [replica]);
      await Promise.all([pod.kill('SIGKILL'), replica.kill('SIGKILL')]);
      await rm(pod.dataDir, { recursive: true });
      await cp(old, pod.dataDir, { recursive: true, preserveTimestamps });
      await without(pod, 'nodes.conf', COPY);
      pod.start();
      await guardSays(pod, WITH_KEYS);
      await say(pod);
      await guardSays(pod, /nothing says of which time its data is/);
      expect(await isSilent(pod)).toBe(true);
      replica.start();
      await replica.ready();
      if (!preserveTimestamps) {
        await guardSays(
          pod,
          /none of them is known to have all: kubectl redis fix redis says .* to start with what is here:/,
        );
        await hasKeys([replica], 50);
        expect(await isSilent(pod)).toBe(true);
        await writeFile(join(pod.dataDir, '.kubectl-redis.start-old'), '');
        await pod.ready();
        await hasKeys([pod, replica], 20);
        return;
      }
      await pod.ready();
      await hasKeys([pod, replica], 50);
      expect(await roleOf(replica)).toBe('master');
    });
  },
);
