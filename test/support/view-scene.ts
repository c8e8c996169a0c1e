/** Views of the command line, in this process, on real servers behind a stub of the API: their tunnels lead through it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { Deps } from '../../cmd/deps.ts';
import { run } from '../../cmd/run.ts';
import { openSession } from '../../cmd/session.ts';
import { VERBS } from '../../cmd/verbs/all.ts';
import { systemClock } from '../../pkg/engine/clock.ts';
import type { KubeObject, RedisPort } from '../../pkg/engine/ports.ts';
import { createRedisPort } from '../../pkg/redis/connect.ts';
import { formCluster } from './form-cluster.ts';
import { startKubeApiStub } from './kube-api-stub.ts';
import { forwardTunnels, type TunnelFault } from './pod-tunnels.ts';
import { afterThisTest } from './redis-ask.ts';
import { startRedisServers, type RedisServer, type RedisServerOptions } from './redis-server.ts';
import { stubCluster } from './stub-cluster.ts';

export interface ViewScene {
  /** Of pods shop-1-0, shop-2-0 … in this order; the first three are primaries. */
  readonly servers: readonly RedisServer[];
  /** As the tests themselves ask, with the right password. */
  readonly redis: RedisPort;
  readonly view: (...argv: string[]) => Promise<{ readonly stdout: string; readonly ms: number }>;
}

export interface SceneOptions {
  readonly faults?: ReadonlyMap<string, TunnelFault>;
  readonly servers?: RedisServerOptions;
  /** Beside those of the cluster. */
  readonly objects?: readonly KubeObject[];
}

/** Cluster `shop` of three primaries and one replica, for this test. */
export async function openViewScene(options: SceneOptions = {}): Promise<ViewScene> {
  const running = await startRedisServers({ count: 4, ...options.servers });
  afterThisTest(() => running.stop());
  const password = options.servers?.password;
  const redis = createRedisPort({
    dial: running.dial,
    credentials: async () => (password === undefined ? null : { password }),
  });
  afterThisTest(() => redis.close());
  await formCluster(redis, running.servers, 3);
  const pods = running.servers.map(({ address, port }) => ({ ip: address, port }));
  const stub = await startKubeApiStub([...stubCluster('shop', 3, pods), ...(options.objects ?? [])]);
  afterThisTest(() => stub.close());
  const byName = new Map(pods.map((pod, i) => [`shop-${i + 1}-0`, pod]));
  afterThisTest(forwardTunnels(stub, byName, options.faults));
  const dir = mkdtempSync(join(tmpdir(), 'view-scene-'));
  afterThisTest(() => rmSync(dir, { recursive: true }));
  const kubeconfig = join(dir, 'kubeconfig');
  writeFileSync(kubeconfig, stub.kubeconfig);
  return { servers: running.servers, redis, view: (...argv) => runView(argv, kubeconfig) };
}

async function runView(argv: readonly string[], kubeconfig: string): Promise<{ stdout: string; ms: number }> {
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
}
