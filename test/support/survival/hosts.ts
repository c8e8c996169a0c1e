/**
 * Power and network of the test cluster's hosts, and its API server. A kubeconfig can't ask for that, so the environment
 * names commands; without them the tests that need them are skipped.
 *
 *   E2E_HOST_COMMAND   run as `COMMAND node crash|boot|cut|join N`: power loss of host N, power again, network gone, network
 *                      again. N is the number at the end of the host's name.
 *   E2E_API_COMMAND    run as `COMMAND pause|continue`: the API server stops to answer, and goes on
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, test } from '@jest/globals';
import { hasCluster, until, type ClusterEnv } from '../cluster-env.ts';
import { kubectl } from '../cli.ts';

const HOST_COMMAND = process.env['E2E_HOST_COMMAND'] ?? '';
const API_COMMAND = process.env['E2E_API_COMMAND'] ?? '';

/** `describe` where hosts can be crashed and cut, `describe.skip` elsewhere. */
export const describeHosts = hasCluster && HOST_COMMAND !== '' ? describe : describe.skip;

/** `test` where the API server can be paused, `test.skip` elsewhere. */
export const testApi = hasCluster && API_COMMAND !== '' ? test : test.skip;

const run = promisify(execFile);
const COMMAND_MS = 60_000;

/** With $E2E_LONG=1 what is away stays away for as long as it takes Kubernetes to give it up; else as short as can be. */
export const LONG = (process.env['E2E_LONG'] ?? '') !== '';

export interface Hosts {
  crash(host: string): Promise<void>;
  cut(host: string): Promise<void>;
  boot(host: string): Promise<void>;
  join(host: string): Promise<void>;
  pauseApi(): Promise<void>;
  continueApi(): Promise<void>;
  /** Undoes whatever of this is still in force, and waits until every host is Ready and schedulable. For `afterEach`. */
  restore(env: ClusterEnv): Promise<void>;
}

export function createHosts(): Hosts {
  const crashed = new Set<string>();
  const cut = new Set<string>();
  let paused = false;
  // What it starts outlives these tests, and their directory for temporary files.
  const { TMPDIR: _, ...inherited } = process.env;
  const host = async (what: string, name: string): Promise<void> => {
    await run(HOST_COMMAND, ['node', what, /\d+$/.exec(name)?.[0] ?? name], { timeout: COMMAND_MS, env: inherited });
  };
  const api = async (what: string): Promise<void> => {
    await run(API_COMMAND, [what], { timeout: COMMAND_MS });
    paused = what === 'pause';
  };
  const hosts: Hosts = {
    crash: async (name) => {
      crashed.add(name);
      await host('crash', name);
    },
    cut: async (name) => {
      cut.add(name);
      await host('cut', name);
    },
    boot: async (name) => {
      await host('boot', name);
      crashed.delete(name);
    },
    join: async (name) => {
      await host('join', name);
      cut.delete(name);
    },
    pauseApi: () => api('pause'),
    continueApi: () => api('continue'),
    restore: async (env) => {
      if (paused) await hosts.continueApi();
      for (const name of crashed) await hosts.boot(name);
      for (const name of cut) await hosts.join(name);
      await allReady(env);
    },
  };
  return hosts;
}

async function allReady(env: ClusterEnv): Promise<void> {
  const nodes = await hostNames(env);
  await kubectl(['uncordon', ...nodes], env);
  await until(
    () => kubectl(['wait', '--for=condition=Ready', 'nodes', '--all', '--timeout=5s'], env),
    (ended) => ended.code === 0,
    90_000,
  );
}

/** Time that passes while something is away: what is tested is that nothing happens, so there is nothing to wait for. */
export function away(forSeconds: { readonly short: number; readonly long: number }): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1_000 * (LONG ? forSeconds.long : forSeconds.short)));
}

/** Names of the hosts that take pods, in order. */
export async function hostNames(env: ClusterEnv): Promise<readonly string[]> {
  const nodes = await env.kube.list('v1', 'Node');
  return nodes.map((node) => node.metadata.name).sort((a, b) => a.localeCompare(b));
}
