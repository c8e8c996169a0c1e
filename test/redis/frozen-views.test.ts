/** C6: what a view costs, and says, when a node is frozen or the way to it does not open. Real servers behind a stub of the API. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Deps } from '../../cmd/deps.ts';
import { run } from '../../cmd/run.ts';
import { openSession } from '../../cmd/session.ts';
import { VERBS } from '../../cmd/verbs/all.ts';
import { systemClock } from '../../pkg/engine/clock.ts';
import { createRedisPort } from '../../pkg/redis/connect.ts';
import { formCluster } from '../support/form-cluster.ts';
import { startKubeApiStub } from '../support/kube-api-stub.ts';
import { forwardTunnels, type TunnelFault } from '../support/pod-tunnels.ts';
import { afterThisTest, at } from '../support/redis-ask.ts';
import { startRedisServers } from '../support/redis-server.ts';
import { stubCluster } from '../support/stub-cluster.ts';

/** The view itself takes some hundred milliseconds on a busy machine; before, it took ten seconds more. */
const AT_MOST_MS = 3_500;
const LAST = 'shop-4-0';

async function openScene(fault?: TunnelFault): Promise<{
  readonly view: (...argv: string[]) => Promise<{ readonly stdout: string; readonly ms: number }>;
  readonly freeze: () => void;
}> {
  const running = await startRedisServers({ count: 4 });
  afterThisTest(() => running.stop());
  const redis = createRedisPort({ dial: running.dial, credentials: async () => null });
  afterThisTest(() => redis.close());
  await formCluster(redis, running.servers, 3);
  const pods = running.servers.map(({ address, port }) => ({ ip: address, port }));
  const stub = await startKubeApiStub(stubCluster('shop', 3, pods));
  afterThisTest(() => stub.close());
  const byName = new Map(pods.map((pod, i) => [`shop-${i + 1}-0`, pod]));
  afterThisTest(forwardTunnels(stub, byName, new Map(fault === undefined ? [] : [[LAST, fault]])));
  const dir = mkdtempSync(join(tmpdir(), 'frozen-views-'));
  afterThisTest(() => rmSync(dir, { recursive: true }));
  const kubeconfig = join(dir, 'kubeconfig');
  writeFileSync(kubeconfig, stub.kubeconfig);
  const view = async (...argv: string[]): Promise<{ stdout: string; ms: number }> => {
    let stdout = '';
    let stderr = '';
    const deps: Deps = {
      terminal: {
        write: (text) => void (stdout += text),
        say: (text) => void (stderr += text),
        look: () => ({ width: null, colour: false }),
        size: () => null,
        live: false,
        onResize: () => () => undefined,
        unread: new AbortController().signal,
      },
      clock: systemClock,
      signal: new AbortController().signal,
      env: {},
      interactive: false,
      openSession: (globals) => openSession({ ...globals, kubeconfig }, {}),
    };
    const startedAt = performance.now();
    await run(argv, deps, { verbs: VERBS, debug: false });
    expect(stderr).toBe('');
    return { stdout, ms: performance.now() - startedAt };
  };
  return { view, freeze: () => at(running.servers, 3).kill('SIGSTOP') };
}

describe('C6: one node of a cluster does not answer', () => {
  test('frozen: every view ends in time and says that there was no answer', async () => {
    const { view, freeze } = await openScene();
    await view('nodes', 'shop');
    freeze();
    const nodes = await view('nodes', 'shop');
    expect(nodes.stdout).toMatch(new RegExp(`${LAST} .* no answer in 2 s`));
    const check = await view('check', 'shop');
    expect(check.stdout).toContain('does not answer (no answer in 2 s)');
    const times = [nodes.ms, check.ms, (await view('slots', 'shop')).ms, (await view('list')).ms];
    expect(Math.max(...times)).toBeLessThan(AT_MOST_MS);
  }, 60_000);

  test.each(['silent', 'unanswered'] as const)(
    'a tunnel that does not open (%s): it says that it was the tunnel',
    async (fault) => {
      const { view } = await openScene(fault);
      const nodes = await view('nodes', 'shop');
      expect(nodes.stdout).toMatch(new RegExp(`${LAST} .* the tunnel did not open in 2 s`));
      const check = await view('check', 'shop');
      expect(check.stdout).toMatch(/tunnel-broken\n.*the tunnel did not open in 2 s/);
      expect(Math.max(nodes.ms, check.ms)).toBeLessThan(AT_MOST_MS);
    },
    60_000,
  );

  test('--request-timeout holds for nodes, too, be it longer or shorter', async () => {
    const { view, freeze } = await openScene();
    freeze();
    const longer = await view('nodes', 'shop', '--request-timeout', '3s');
    expect([longer.ms >= 3_000, longer.stdout]).toEqual([true, expect.stringContaining('no answer in 3 s')]);
    expect((await view('nodes', 'shop', '--request-timeout', '500ms')).stdout).toContain('no answer in 0.5 s');
  }, 60_000);
});
