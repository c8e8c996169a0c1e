/** Who takes over from a node whose volume is lost, where a sibling can't be asked (K3): who is silent may have more. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { poll } from '../../support/redis-server.ts';
import { fill, hasKeys, nth, roleOf, scriptPods } from '../../support/script-cluster.ts';
import { FLAVOURS, guardSays, type ScriptPod } from '../../support/script-pod.ts';

const { form, removeAll } = scriptPods(7350);
/** Nobody takes over by himself: only a guard may tell who does. */
const UNASKED = { spec: { masters: 3, config: { 'cluster-replica-no-failover': 'yes' } } };

afterEach(async () => {
  await removeAll();
});

async function downSeconds(pod: ScriptPod): Promise<number> {
  return Number(/master_link_down_since_seconds:(\d+)/.exec(await pod.cli('info', 'replication'))?.[1] ?? 0);
}

/** Primary 1 with replicas 4 and 7, its volume lost; 7 is frozen and has 50 keys, and 4 has them only where it is in step. */
async function lose(cluster: readonly ScriptPod[], inStep: boolean): Promise<ScriptPod> {
  const [lost, first, second] = [nth(cluster, 1), nth(cluster, 4), nth(cluster, 7)];
  await fill(lost, 'b', 20, [first, second]);
  if (!inStep) {
    await first.cli('config', 'set', 'masterauth', 'wrong');
    await first.cli('client', 'kill', 'type', 'master');
    await poll('4 has no link', 20_000, async () => ((await roleOf(first)) === 'slave with link down' ? true : null));
  }
  await fill(lost, 'b', 50, inStep ? [first, second] : [second]);
  // Whoever lost its link less than a node timeout before the end can't be told from one that lost it then.
  if (!inStep)
    await poll('4 is behind for certain', 20_000, async () => ((await downSeconds(first)) > 6 ? true : null));
  second.signal('SIGSTOP');
  await lost.kill('SIGKILL');
  await lost.loseVolume();
  lost.start();
  return lost;
}

describe.each(FLAVOURS.map((flavour) => [String(flavour), flavour] as const))('the guard, %s', (_, flavour) => {
  test('tells no replica that is behind while another is silent; and the other one as soon as it is heard', async () => {
    const cluster = await form(flavour, 3, 7, UNASKED);
    const lost = await lose(cluster, false);
    expect(await guardSays(lost, /may have more/, 60_000)).toMatch(
      /1 of 2 replicas answer.*; who answers is behind, and one that does not answer may have more: kubectl redis fix redis/,
    );
    expect(await roleOf(nth(cluster, 4))).toBe('slave with link down');
    nth(cluster, 7).signal('SIGCONT');
    await guardSays(lost, /told the replica at .*, which has 50 keys, to take over: OK$/, 60_000);
    await poll('7 leads', 30_000, async () => ((await roleOf(nth(cluster, 7))) === 'master' ? true : null));
    await hasKeys([nth(cluster, 7)], 50);
  }, 120_000);

  test('tells the one that was in step, though another is silent', async () => {
    const cluster = await form(flavour, 3, 7, UNASKED);
    const lost = await lose(cluster, true);
    await guardSays(lost, /told the replica at .*, which has 50 keys, to take over: OK$/, 60_000);
    await poll('4 leads', 30_000, async () => ((await roleOf(nth(cluster, 4))) === 'master' ? true : null));
    nth(cluster, 7).signal('SIGCONT');
  }, 120_000);
});
