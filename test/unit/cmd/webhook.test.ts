/** C17: `webhook` as it is typed: which namespace is meant, what may not be read, and flags that all verbs take. */
import { describe, expect, test } from '@jest/globals';
import type { Deps, Session } from '../../../cmd/deps.ts';
import { run } from '../../../cmd/run.ts';
import { VERBS } from '../../../cmd/verbs/all.ts';
import type { KubePort } from '../../../pkg/engine/ports.ts';
import { AppError } from '../../../pkg/errors.ts';
import { webhookManifests } from '../../../webhook/manifests.ts';
import { cluster, NAMESPACE, OPTIONS } from '../../support/installed-webhook.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** An installation in its usual namespace; `over` is what this user may not do. */
async function webhook(argv: readonly string[], over: Partial<KubePort> = {}): Promise<Ran> {
  const world = cluster();
  for (const object of webhookManifests(OPTIONS)) await world.kube.apply(object);
  const kube = { ...world.kube, ...over };
  const session = {
    kube,
    namespace: 'x',
    inNamespace: (): Session => session,
    close: () => undefined,
  } as unknown as Session;
  let [stdout, stderr] = ['', ''];
  const deps = {
    terminal: { write: (text: string) => void (stdout += text), say: (text: string) => void (stderr += text) },
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    signal: new AbortController().signal,
    env: {},
    interactive: false,
    openSession: () => Promise.resolve(session),
  } as unknown as Deps;
  const code = await run(['webhook', ...argv], deps, { verbs: VERBS, debug: false });
  return { code, stdout, stderr };
}

describe('C17: webhook', () => {
  test('status -n of another namespace shows the one that there is, and says where it is', async () => {
    const { code, stdout, stderr } = await webhook(['status', '-n', 'elsewhere']);
    expect(stderr).toBe(`note: the webhook is in namespace ${NAMESPACE}, not in elsewhere\n`);
    expect(stdout).toContain(`Namespace:      ${NAMESPACE}\n`);
    expect(code).toBe(3);
  });

  test('status without -n, and with the right one, has nothing to note', async () => {
    for (const argv of [['status'], ['status', '-n', NAMESPACE]]) expect((await webhook(argv)).stderr).toBe('');
  });

  test('uninstall -n of another namespace removes nothing', async () => {
    const { code, stdout, stderr } = await webhook(['uninstall', '-n', 'elsewhere', '--yes']);
    expect([code, stdout, stderr]).toEqual([
      1,
      '',
      `error: the webhook is in namespace ${NAMESPACE}, not in elsewhere\n  try: to mean that one: -n ${NAMESPACE}\n`,
    ]);
  });

  test('status without the right to read what is for the whole cluster: the rest is shown', async () => {
    const get: KubePort['get'] = async (apiVersion, kind, name) => {
      if (kind === 'MutatingWebhookConfiguration') throw new AppError('no right to get it', { code: 'forbidden' });
      return cluster().kube.get(apiVersion, kind, name);
    };
    const { code, stderr } = await webhook(['status', '-n', NAMESPACE], { get });
    expect([code, stderr]).toEqual([1, expect.stringContaining('is not installed')]);
    const world = cluster();
    for (const object of webhookManifests(OPTIONS)) await world.kube.apply(object);
    const mayNot: KubePort['get'] = (apiVersion, kind, name) =>
      kind === 'MutatingWebhookConfiguration' ? get(apiVersion, kind, name) : world.kube.get(apiVersion, kind, name);
    const shown = await webhook(['status', '-n', NAMESPACE], { get: mayNot });
    expect([shown.code, shown.stdout]).toEqual([3, expect.stringContaining('CA published:   could not be read')]);
  });

  test('--yes is taken, as by every verb that changes something', async () => {
    const { code, stderr } = await webhook(['uninstall', '--yes', '--dry-run']);
    expect([code, stderr]).toEqual([0, expect.stringContaining('would be deleted')]);
    expect((await webhook(['install', '--yes'])).stderr).toMatch(/^error: webhook install needs --image/);
  });
});
