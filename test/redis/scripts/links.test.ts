/** links.sh: nodes that still dial the pod before are led to the one that is here. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { utimes, writeFile, access } from 'node:fs/promises';
import { join } from 'node:path';
import { formPods, settled } from '../../support/form-pods.ts';
import { freeAddresses } from '../../support/loopback.ts';
import { poll } from '../../support/redis-server.ts';
import { nth, startAll } from '../../support/script-cluster.ts';
import { FLAVOURS, guardSays, makePod, type Flavour, type ScriptPod } from '../../support/script-pod.ts';
import { startService, type StaleService } from '../../support/stale-service.ts';

const PORT = 7390;
const ANNOUNCING = /announcing the second bus port/;
const SECOND_BUS_PORT = 17_391;
const pods: ScriptPod[] = [];
let service: StaleService | null = null;

afterEach(async () => {
  await Promise.all(pods.splice(0).map((pod) => pod.remove()));
  service?.close();
  service = null;
});

interface Scene {
  readonly cluster: readonly ScriptPod[];
  readonly replica: ScriptPod;
  readonly service: StaleService;
  /** The address of the Service. */
  readonly announced: string;
}

/** Three primaries and a replica of the first, who is behind a Service. Its peers give up nobody while the test runs. */
async function makeScene(flavour: Flavour, password?: string): Promise<Scene> {
  const [announced = '', ...addresses] = await freeAddresses(5, PORT);
  const secret = password === undefined ? {} : { password };
  const spec = { auth: password !== undefined, config: { 'cluster-node-timeout': '4000' } };
  const made = await Promise.all(
    addresses.map((address, index) => {
      const env = { KUBECTL_REDIS_SECOND_BUS_PORT: String(SECOND_BUS_PORT) };
      const behind = index === 3 ? { announceIp: announced, env } : {};
      return makePod({ flavour, address, port: PORT, ordinal: index + 1, formed: true, spec, ...secret, ...behind });
    }),
  );
  pods.push(...made);
  const replica = nth(made, 4);
  service = await startService(announced, {
    [PORT]: PORT,
    [PORT + 10_000]: PORT + 10_000,
    [SECOND_BUS_PORT]: PORT + 10_000,
  });
  service.lead(replica.address);
  for (const pod of made) await pod.setFormed('false');
  await startAll(made);
  await formPods(made, 3);
  for (const pod of made) await pod.setFormed('true');
  return { cluster: made, replica, service, announced };
}

/** Kills the replica; when it is back, all others still dial the pod that was there before. */
async function comeBackUnseen(scene: Scene): Promise<void> {
  scene.service.lead(null);
  await scene.replica.kill('SIGKILL');
  await poll('who dials the pod before', 5_000, async () => (scene.service.stuck() >= 3 ? true : null));
  scene.service.lead(scene.replica.address);
  scene.replica.start();
  await scene.replica.ready();
}

/** How many nodes have a link to the pod. */
async function arrivedAt(pod: ScriptPod): Promise<number> {
  return ((await pod.cli('cluster', 'links')).match(/\bfrom\b/g) ?? []).length;
}

/** The replica's address, `10.0.0.1:6379@16379`, in the views of all. */
async function addressesOf({ cluster, replica }: Scene): Promise<readonly string[]> {
  const id = await replica.cli('cluster', 'myid');
  const views = await Promise.all(cluster.map((pod) => pod.cli('cluster', 'nodes')));
  return views.map((view) => new RegExp(`^${id} ([^ ,]*)`, 'm').exec(view)?.[1] ?? '');
}

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('links, %s', (_, flavour) => {
  test('who dials the pod before dials again, and the node announces its usual bus port as before', async () => {
    const scene = await makeScene(flavour, 'secret');
    await comeBackUnseen(scene);
    await guardSays(scene.replica, ANNOUNCING);
    await poll('links of the three others', 10_000, async () => ((await arrivedAt(scene.replica)) === 3 ? true : null));
    const usual = `${scene.announced}:${PORT}@${PORT + 10_000}`;
    await poll('the usual port', 10_000, async () =>
      (await addressesOf(scene)).every((address) => address === usual) ? true : null,
    );
    await settled(scene.cluster, 1);
    expect(scene.service.stuck()).toBe(0);
    // Votes arrive: the role can be handed over.
    expect(await scene.replica.cli('cluster', 'failover')).toBe('OK');
    await poll('a new primary', 5_000, async () =>
      /role:master/.test(await scene.replica.cli('info', 'replication')) ? true : null,
    );
  });

  test('where all have arrived, or do not answer, nothing is announced', async () => {
    const scene = await makeScene(flavour);
    // Stopped, it dials nobody, and does not say that it is there.
    nth(scene.cluster, 3).signal('SIGSTOP');
    await scene.replica.kill('SIGTERM');
    scene.replica.start();
    await scene.replica.ready();
    await poll('links of the others', 10_000, async () => ((await arrivedAt(scene.replica)) === 2 ? true : null));
    await poll('the third counts as failed', 20_000, async () =>
      / fail /.test((await nth(scene.cluster, 1).cli('cluster', 'nodes')).replaceAll(/master,fail\b/g, ' fail '))
        ? true
        : null,
    );
    nth(scene.cluster, 3).signal('SIGCONT');
    await poll('the third is back', 20_000, async () => ((await arrivedAt(scene.replica)) === 3 ? true : null));
    expect(scene.replica.log()).not.toMatch(ANNOUNCING);
  });

  test('a job that was killed in the middle leaves nothing behind: the probe announces what was before', async () => {
    const scene = await makeScene(flavour);
    const mark = join(scene.replica.runDir, 'redialing');
    await scene.replica.cli('config', 'set', 'cluster-announce-bus-port', String(SECOND_BUS_PORT));
    await writeFile(mark, '0\n');
    const announced = async (): Promise<string | undefined> => {
      await scene.replica.run('probe.sh', 'readiness');
      return (await scene.replica.cli('config', 'get', 'cluster-announce-bus-port')).split('\n')[1];
    };
    // It may still be at it.
    expect(await announced()).toBe(String(SECOND_BUS_PORT));
    const then = Date.now() / 1_000 - 120;
    await utimes(mark, then, then);
    expect(await announced()).toBe('0');
    await expect(access(mark)).rejects.toThrow();
  });
});
