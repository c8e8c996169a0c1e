/** Evidence comes before any mark (C5, K2); where nobody can know, a cluster counts as formed. */
import { describe, expect, test } from '@jest/globals';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import type { KubeFacts, NodeReply } from '../../../pkg/cluster/model/observation.ts';
import { freshObservation, healthyObservation } from '../../support/observation.ts';
import { changeAnswer, changeKube, changeReply, changed, type Change } from '../../support/observation-changes.ts';

const kube = (change: Partial<KubeFacts>): Change => changeKube((now) => ({ ...now, ...change }));
const fresh = freshObservation();
const all =
  (reply: NodeReply): Change =>
  (observation) =>
    changed(observation, ...observation.replies.map(({ pod }) => changeReply(pod, () => reply)));
const silent = all({ kind: 'unreachable', why: 'timeout', detail: '2 s' });
const waits = (detail: string): Change => all({ kind: 'unreachable', why: 'guard-waiting', detail });
const ADDRESS = 'waiting for the address of Service redis-1, which this node announces';
/** Pods of templates of an older version; claims were made for them, or long before. */
const byOld = (claimAge: string): Change =>
  changeKube((now) => ({
    ...now,
    pods: now.pods.map((pod) => ({ ...pod, readsState: false, createdAt: '2026-11-22T10:00:00Z' })),
    claims: now.claims.map((claim) => ({ ...claim, createdAt: claimAge })),
  }));
const neverRan: Change = changeKube((now) => ({
  ...now,
  pods: now.pods.map((pod) => ({
    ...pod,
    container: { ...pod.container, state: 'waiting', reason: 'ErrImagePull', restarts: 0 },
  })),
}));

/** No container has a status before the kubelet has seen the pod. */
const pending: Change = changeKube((now) => ({
  ...now,
  pods: now.pods.map((pod) => ({
    ...pod,
    phase: 'Pending',
    container: { ...pod.container, state: 'unknown', reason: null, restarts: 0 },
  })),
}));

describe('a cluster counts as formed', () => {
  test.each([
    [
      'whose slots have owners, whatever the record says',
      healthyObservation(),
      kube({ state: { formed: 'false' } }),
      true,
    ],
    ['as the record says, without a word of anybody', fresh, kube({ state: { formed: 'true' } }), true],
    ['whose record says no', fresh, kube({}), false],
    ['whose record says no, with nobody who answers: only the tool writes it', fresh, silent, false],
    [
      'of which a node knows another',
      fresh,
      changeAnswer('redis-1-0', (answer) => {
        const other = fresh.replies[1]?.reply;
        return other?.kind === 'answered' ? { ...answer, view: [...answer.view, ...other.answer.view] } : answer;
      }),
      true,
    ],
    [
      'of which a node is only being introduced to another',
      fresh,
      changeAnswer('redis-1-0', (answer) => {
        const [line] = answer.view;
        const other = line === undefined ? [] : [{ ...line, nodeId: 'f'.repeat(40), flags: ['handshake'] }];
        return { ...answer, view: [...answer.view, ...other] };
      }),
      false,
    ],
  ])('%s: %s', (_, observation, change, formed) => {
    expect(interpret(changed(observation, change)).formed).toBe(formed);
  });

  describe('of which only a manifest, or nothing, says anything', () => {
    const unsaid = kube({ state: null, config: { formed: 'false' } });
    test.each([
      ['all answer and are fresh', [], false],
      ['one has keys', [changeAnswer('redis-3-0', (one) => ({ ...one, info: { ...one.info, keys: 1 } }))], true],
      ['one is silent', [changeReply('redis-3-0', () => ({ kind: 'unreachable', why: 'timeout', detail: '' }))], true],
      [
        'there is a volume more than pods',
        [kube({ claims: [...fresh.kube.claims, { name: 'x', phase: 'Bound', storageClass: null }] })],
        true,
      ],
      ['there is no volume and no pod', [kube({ claims: [], pods: [] })], false],
      [
        'guards wait, and say that their volumes are empty',
        [waits(`${ADDRESS} (its volume is empty); to finish`)],
        false,
      ],
      ['guards wait, and say nothing of their volumes', [waits(ADDRESS)], true],
      [
        'old guards wait for addresses, in pods that are the first of their volumes',
        [waits(ADDRESS), byOld('2026-11-22T10:00:00Z')],
        false,
      ],
      [
        'old guards wait for addresses, on volumes that were there before',
        [waits(ADDRESS), byOld('2026-11-21T10:00:00Z')],
        true,
      ],
      [
        'no image was found for the first pods of their volumes',
        [silent, neverRan, byOld('2026-11-22T09:59:58Z')],
        false,
      ],
      [
        'no image was found, for volumes that were there before',
        [silent, neverRan, byOld('2026-11-21T10:00:00Z')],
        true,
      ],
      ['the first pods of their volumes have no host yet', [silent, pending, byOld('2026-11-22T09:59:58Z')], false],
      [
        'pods have no host yet, and their volumes were there before',
        [silent, pending, byOld('2026-11-21T10:00:00Z')],
        true,
      ],
    ] as [string, Change[], boolean][])('%s: %s', (_, changes, formed) => {
      expect(interpret(changed(fresh, unsaid, ...changes)).formed).toBe(formed);
      expect(interpret(changed(fresh, unsaid, ...changes, kube({ config: null }))).formed).toBe(formed);
    });
  });

  test('of others: only by slots', () => {
    expect(interpret(freshObservation({ kind: 'foreign' })).formed).toBe(false);
    expect(interpret(healthyObservation({ kind: 'foreign' })).formed).toBe(true);
    expect(interpret(changed(freshObservation({ kind: 'foreign' }), silent)).formed).toBe(false);
  });
});
