/** What the shell is offered, as kubectl passes the words. */
import { expect, test } from '@jest/globals';
import { completionsFor } from '../../../cmd/completions.ts';
import { VERBS } from '../../../cmd/verbs/all.ts';
import type { Session } from '../../../cmd/deps.ts';
import type { KubePort } from '../../../pkg/engine/ports.ts';
import { movingClock } from '../../support/fake-clock.ts';

const names: Readonly<Record<string, readonly string[]>> = { default: ['redis', 'sessions'], prod: ['cache'] };

const clock = movingClock();

function world(signal = new AbortController().signal): Parameters<typeof completionsFor>[2] {
  return {
    clock,
    signal,
    openSession: (globals) => {
      const namespace = globals.namespace ?? 'default';
      const kube: Pick<KubePort, 'listClusters' | 'list'> = {
        listClusters: (where) =>
          Promise.resolve(
            (names[where ?? ''] ?? []).map((name) => ({ name, namespace: where ?? '', origin: 'ours', pods: 6 })),
          ),
        list: (apiVersion, kind) =>
          Promise.resolve(Object.keys(names).map((name) => ({ apiVersion, kind, metadata: { name } }))),
      };
      return Promise.resolve({ namespace, kube, close: () => undefined } as unknown as Session);
    },
  };
}

test.each([
  [['sl'], ['slots']],
  [
    ['slots', ''],
    ['redis', 'sessions'],
  ],
  [['slots', 's'], ['sessions']],
  [['slots', 'redis', ''], []],
  [['slots', '-n', 'prod', ''], ['cache']],
  [['-n', 'prod', 'slots', ''], ['cache']],
  [['slots', '--namespace=prod', ''], ['cache']],
  [
    ['slots', '-n', ''],
    ['default', 'prod'],
  ],
  [['slots', '-n', 'pr'], ['prod']],
  [
    ['slots', '-o', ''],
    ['wide', 'json', 'yaml'],
  ],
  [['slots', '--output=j'], ['--output=json']],
  [
    ['slots', '--color', 'a'],
    ['auto', 'always'],
  ],
  [['slots', '--sl'], ['--slot']],
  [['slots', '--key', 'x', '--key'], []],
  [['status', '--wat'], ['--watch']],
  [['explain', 'slots-unc'], ['slots-uncovered', 'slots-unclaimed'].filter((code) => code.startsWith('slots-unc'))],
  [['completion', 'b'], ['bash']],
  [['help', 'nod'], ['nodes']],
  [['bogus', ''], []],
  [['version', ''], []],
])('%j', async (words, expected) => {
  const { candidates, directive } = await completionsFor(words, VERBS, world());
  expect([candidates.map(({ word }) => word), directive]).toEqual([expected, 4]);
});

test('verbs say what they do', async () => {
  const { candidates } = await completionsFor(['slo'], VERBS, world());
  expect(candidates).toEqual([{ word: 'slots', about: 'Which shard holds which hash slots' }]);
});

test('files are offered where a file is wanted', async () => {
  expect(await completionsFor(['slots', '--password-file', ''], VERBS, world())).toEqual({
    candidates: [],
    directive: 0,
  });
});

test('without a cluster there are no names, and no error', async () => {
  const broken = { ...world(), openSession: () => Promise.reject(new Error('no kubeconfig')) };
  expect(await completionsFor(['slots', ''], VERBS, broken)).toEqual({ candidates: [], directive: 4 });
});

test('a server that does not answer is not waited for', async () => {
  const stop = new AbortController();
  const silent: Parameters<typeof completionsFor>[2] = {
    ...world(stop.signal),
    openSession: () =>
      Promise.resolve({
        namespace: 'default',
        kube: { listClusters: () => new Promise(() => undefined) },
        close: () => undefined,
      } as unknown as Session),
  };
  const asked = completionsFor(['slots', ''], VERBS, silent);
  stop.abort();
  expect(await asked).toEqual({ candidates: [], directive: 4 });
});
