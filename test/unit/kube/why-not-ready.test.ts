import { describe, expect, test } from '@jest/globals';
import { podFacts } from '../../../pkg/kube/facts.ts';
import { decideNoPod, decideTrouble } from '../../../pkg/kube/why-not-ready.ts';
import { decide, NO_EVIDENCE, notReady } from '../../support/decide-trouble.ts';
import { rawEvent, rawPod } from '../../support/kube-json.ts';

const podName = 'redis-1-0';

describe('a container that runs and is not ready', () => {
  test('the guard waits: its last line says for what', () => {
    const log = ['guard: empty volume', 'Could not connect', 'guard: waiting for redis-2 to forget 3f2a', 'some noise'];
    expect(decide(notReady(), { log })).toEqual({
      pod: podName,
      code: 'guard-waiting',
      sentence: 'the start guard is waiting for redis-2 to forget 3f2a',
      evidence: log,
      fatal: false,
    });
  });

  test('once the server writes, the guard is done', () => {
    const log = [
      'guard: waiting for redis-2',
      'guard: starting empty',
      '1:M 02 Jan 2026 03:04:05.678 * Ready to accept connections tcp',
    ];
    const events = [rawEvent('Pod', podName, 'Unhealthy', 'Readiness probe failed: LOADING')];
    expect(decide(notReady(), { log, events })).toEqual({
      pod: podName,
      code: 'starting',
      sentence: 'runs but is not ready: Readiness probe failed: LOADING',
      evidence: log,
      fatal: false,
    });
  });

  test('a guard that has done with waiting is not waiting', () => {
    const log = ['guard: waiting for redis-2', 'guard: no data on this volume, and nobody knows it: starting empty'];
    expect(decide(notReady(), { log })).toMatchObject({ code: 'starting', evidence: log });
  });

  test('old mount warnings do not matter any more', () => {
    const events = [rawEvent('Pod', podName, 'FailedMount', 'was slow')];
    expect(decide(notReady(), { events })).toMatchObject({ code: 'starting', sentence: 'runs but is not ready' });
  });
});

describe('other ends', () => {
  test('a ready pod has no trouble', () => {
    expect(decide(rawPod())).toBeNull();
  });

  test('a pod that is gone', () => {
    expect(decideTrouble(podFacts(rawPod()), { ...NO_EVIDENCE, pod: null })).toEqual({
      pod: podName,
      code: 'gone',
      sentence: 'does not exist any more',
      evidence: [],
      fatal: false,
    });
  });

  test('a pod that is being deleted, ready or not', () => {
    const pod = rawPod({ metadata: { name: podName, deletionTimestamp: '2026-01-02T03:06:00Z' } });
    expect(decide(pod)).toMatchObject({
      code: 'terminating',
      sentence: 'is being deleted on host node2, with grace until 2026-01-02T03:06:00Z',
    });
  });
});

describe('decideNoPod', () => {
  const set = 'redis-1';
  const event = (reason: string, message: string, at?: string) => rawEvent('StatefulSet', set, reason, message, at);
  const prefix = 'create Pod redis-1-0 in StatefulSet redis-1 failed error: ';
  test.each<[string, string, string, boolean]>([
    [
      'PodSecurity',
      'pods "redis-1-0" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true',
      'violates PodSecurity "restricted:latest": runAsNonRoot != true',
      true,
    ],
    [
      'quota',
      'pods "redis-1-0" is forbidden: exceeded quota: small, requested: pods=1',
      'exceeded quota: small, requested: pods=1',
      true,
    ],
    [
      'a webhook',
      'admission webhook "x.y.z" denied the request: another pod answers',
      'admission webhook "x.y.z" denied the request: another pod answers',
      false,
    ],
    [
      'an invalid template',
      'Pod "redis-1-0" is invalid: spec.containers[0].image: Required value',
      'spec.containers[0].image: Required value',
      true,
    ],
  ])('%s', (_, message, why, fatal) => {
    expect(decideNoPod(set, [event('FailedCreate', prefix + message)])).toEqual({
      pod: 'redis-1-0',
      code: 'rejected',
      sentence: `the API server refuses the pod: ${why}`,
      evidence: [prefix + message],
      fatal,
      mark: '2026-01-02T03:05:00Z',
    });
  });

  test('the last word counts, whatever the order of the events', () => {
    const failed = event('FailedCreate', `${prefix}no`, '2026-01-02T03:00:00Z');
    const made = event('SuccessfulCreate', 'create Pod redis-1-0 successful', '2026-01-02T03:01:00Z');
    expect(decideNoPod(set, [failed, made])).toBeNull();
    expect(
      decideNoPod(set, [{ ...made, lastTimestamp: null, eventTime: '2026-01-02T02:00:00Z' }, failed]),
    ).toMatchObject({ code: 'rejected' });
  });

  test('no event, or those of others', () => {
    expect(decideNoPod(set, [])).toBeNull();
    expect(decideNoPod(set, [rawEvent('StatefulSet', 'redis-2', 'FailedCreate', prefix)])).toBeNull();
  });
});
