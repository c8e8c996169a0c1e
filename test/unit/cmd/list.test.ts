/** C17: `list` for somebody who may not see everything. */
import { expect, test } from '@jest/globals';
import type { Deps, Session } from '../../../cmd/deps.ts';
import { run } from '../../../cmd/run.ts';
import { VERBS } from '../../../cmd/verbs/all.ts';
import type { KubePort, ListedCluster } from '../../../pkg/engine/ports.ts';
import { AppError } from '../../../pkg/errors.ts';
import { healthyObservation } from '../../support/observation.ts';

const { kube: facts, cluster } = healthyObservation();
const ROW: ListedCluster = { ...cluster, origin: 'labelled', pods: 6 };
const NO_TUNNEL = 'no right to reach pods: port-forwarding needs get and create on pods/portforward';

async function list(listClusters: KubePort['listClusters'], ...argv: string[]): Promise<Record<string, unknown>> {
  const session = {
    kube: { readFacts: () => Promise.resolve(facts), logTail: () => Promise.resolve([]), listClusters },
    redis: { ask: () => Promise.resolve({ kind: 'unreachable', why: 'tunnel', detail: NO_TUNNEL }) },
    namespace: 'default',
    prepare: () => undefined,
    close: () => undefined,
  } as unknown as Session;
  let [stdout, stderr] = ['', ''];
  const deps = {
    terminal: {
      write: (text: string) => void (stdout += text),
      say: (text: string) => void (stderr += text),
      look: () => ({ width: null, colour: false }),
      size: () => null,
    },
    clock: { now: () => Date.parse('2026-11-23T10:00:00.000Z'), sleep: () => Promise.resolve() },
    signal: new AbortController().signal,
    env: {},
    interactive: false,
    openSession: () => Promise.resolve(session),
  } as unknown as Deps;
  const code = await run(['list', ...argv], deps, { verbs: VERBS, debug: false });
  return { code, stdout, stderr };
}

test('C17: who may list pods alone is told what is missing, and nothing is claimed of nodes that nobody could ask', async () => {
  const { code, stdout, stderr } = await list((_, onGap) => {
    for (const what of ['services', 'statefulsets']) onGap?.(what, 'forbidden');
    return Promise.resolve([ROW]);
  });
  expect(stderr).toBe(
    'note: no right to list services and statefulsets: clusters that have no pod now may be missing here\n',
  );
  expect(stdout).toMatch(/^default +redis +labelled +- +6\/6 +unknown +- +24h +No node could be asked/m);
  expect(stdout).toContain(`No node could be asked (${NO_TUNNEL}), so nothing is known; 0 of 6 nodes answer.`);
  expect(code).toBe(0);
});

test('C17: who may not even list pods is told where else to look', async () => {
  const hint = "Ask the cluster's administrator for it";
  const refused = new AppError('no right to list pods at cluster scope', { code: 'forbidden', cause: 'because', hint });
  expect(await list(() => Promise.reject(refused), '-A')).toEqual({
    code: 1,
    stdout: '',
    stderr: `error: no right to list pods at cluster scope\n  why: because\n  try: ${hint}; or look where you have the right: kubectl redis list -n NAMESPACE\n`,
  });
});

test('who may see everything is told nothing besides', async () => {
  expect(await list(() => Promise.resolve([]))).toEqual({
    code: 0,
    stdout: '',
    stderr: 'No Redis Clusters found in namespace default.\n',
  });
});
