/** Ids that no pod has: which of them may come back, and with what; and which pods are missing. */
import { describe, expect, test } from '@jest/globals';
import { evidenceOf, type Evidence } from '../../../../pkg/cluster/evidence/evidence.ts';
import type { Life } from '../../../../pkg/cluster/evidence/life.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import type { ClusterNode, ClusterState } from '../../../../pkg/cluster/model/state.ts';
import { changeKube, changeLines, changePod, changed, type Change } from '../../../support/observation-changes.ts';
import { ghost, hostDown, podGone, unowned, unreachable } from '../../../support/observation-faults.ts';
import { healthyObservation, nodeIdOf } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';
import { deployed, scaledDown, withoutAddress } from './brought-pods.ts';

const GHOST = 'f'.repeat(40);
const made = healthyObservation();

function seen(observation: Observation): { readonly state: ClusterState; readonly evidence: Evidence } {
  const state = interpret(observation);
  return { state, evidence: evidenceOf(state, observation.kube) };
}

function lifeOf(observation: Observation, nodeId: string): Life {
  const { state, evidence } = seen(observation);
  const node = state.nodes.find((one): one is ClusterNode => one.nodeId === nodeId);
  if (node === undefined) throw new Error(`nobody knows ${nodeId}`);
  expect(node.pod).toBeNull();
  return evidence.lifeOf(node);
}

/** Pod, whether a workload of that name is known, and the id that it had. */
function missing(observation: Observation): (readonly [string, boolean, string | undefined])[] {
  return seen(observation).evidence.missing.map(({ pod, workload, node }) => [
    pod,
    workload,
    node?.nodeId ?? undefined,
  ]);
}

/** Its StatefulSet went with its pod, and the record does not name it. */
const notRecorded = (node: string): Change =>
  changeKube((kube) => ({
    ...kube,
    statefulSets: kube.statefulSets.filter(({ name }) => name !== node),
    state: { formed: 'true', spec: JSON.stringify(specOf({ masters: 3, nodes: numbered(1, 2, 3, 4, 5) })) },
  }));

function numbered(...ordinals: readonly number[]): Record<string, string> {
  return Object.fromEntries(ordinals.map((ordinal) => [String(ordinal), String(((ordinal - 1) % 3) + 1)]));
}

test('without the right to list Services an owner of slots without a pod is not gone for good', () => {
  const away = changed(made, notRecorded('redis-1'), podGone('redis-1-0'));
  const hidden = changeKube((kube) => ({ ...kube, services: [], gaps: [{ what: 'services', why: 'forbidden' }] }));
  expect(lifeOf(changed(away, hidden), nodeIdOf(1))).toMatchObject({ kind: 'dead', returns: 'whole' });
});

describe('pods of others', () => {
  test('a recorded node of a Deployment whose pod is away is missing, and may come back whole', () => {
    const away = changed(deployed(), podGone('redis-1-0'));
    expect(missing(away)).toEqual([['redis-1', false, nodeIdOf(1)]]);
    expect(lifeOf(away, nodeIdOf(1))).toEqual({ kind: 'dead', by: 'pod redis-1 is missing', returns: 'whole' });
  });

  test('a StatefulSet that counts from another number misses nobody', () => {
    const foreign = healthyObservation({ kind: 'foreign' });
    const counts = (firstOrdinal: number, replicas: number): Change =>
      changeKube((kube) => ({
        ...kube,
        statefulSets: kube.statefulSets.map((set) => ({ ...set, firstOrdinal, replicas })),
      }));
    expect(missing(changed(foreign, counts(3, 3)))).toEqual([]);
    expect(missing(changed(foreign, counts(3, 4)))).toEqual([['redis-6', true, undefined]]);
  });

  test('with several away each is tied by its address', () => {
    const away = changed(deployed(), podGone('redis-1-0'), podGone('redis-5-0'));
    expect(missing(away)).toEqual([
      ['redis-1', false, nodeIdOf(1)],
      ['redis-5', false, nodeIdOf(5)],
    ]);
  });

  test('nor does a shape in the annotations of Service NAME change that', () => {
    expect(missing(changed(deployed({ shape: true }), podGone('redis-1-0')))).toEqual([
      ['redis-1', false, nodeIdOf(1)],
    ]);
    expect(missing(deployed({ shape: true }))).toEqual([]);
  });

  test('of a StatefulSet that was scaled down, too: tied by the address of the Service', () => {
    expect(missing(scaledDown())).toEqual([['redis-5', true, nodeIdOf(6)]]);
    expect(lifeOf(scaledDown(), nodeIdOf(6))).toMatchObject({ kind: 'dead', returns: 'whole' });
  });

  test('a line without a pod counts where nobody remembers its node', () => {
    const forgotten = changed(
      deployed(),
      podGone('redis-1-0'),
      changeLines((line) => (line.nodeId === nodeIdOf(1) ? null : line)),
    );
    expect(missing(forgotten)).toEqual([['redis-1', false, undefined]]);
  });

  test('before the first MEET a line means nothing', () => {
    const { kube, ...rest } = deployed();
    const fresh = { ...rest, replies: [], kube: { ...kube, pods: [], state: { ...kube.state, formed: 'false' } } };
    expect(missing(fresh)).toEqual([]);
  });

  test('without any record an id may come back whole, unless another node is in its place', () => {
    const foreign = healthyObservation({ kind: 'foreign' });
    const by = 'no pod has it, and its volume may be there';
    const slots = [{ start: 0, end: 9 }];
    expect(lifeOf(changed(foreign, unowned(slots), ghost(GHOST, { slots })), GHOST)).toEqual({
      kind: 'dead',
      by,
      returns: 'whole',
    });
    // Nothing of the data is its.
    expect(lifeOf(changed(foreign, ghost(GHOST)), GHOST)).toMatchObject({ kind: 'dead', returns: 'never' });
    const ip = foreign.kube.pods[0]?.ip ?? '';
    expect(lifeOf(changed(foreign, ghost(GHOST, { ip })), GHOST)).toMatchObject({ kind: 'dead', returns: 'never' });
  });

  test('it may still run on a host that is not ready', () => {
    const slots = [{ start: 0, end: 9 }];
    const foreign = healthyObservation({ kind: 'foreign' });
    const lost = changed(foreign, unowned(slots), ghost(GHOST, { slots }), hostDown('host-1'));
    expect(lifeOf(lost, GHOST).kind).toBe('unknown');
  });
});

describe('pods of ours', () => {
  test('an id that nothing ties to a pod never comes back', () => {
    expect(lifeOf(changed(made, ghost(GHOST)), GHOST)).toMatchObject({
      by: 'every pod is another node',
      returns: 'never',
    });
  });

  test('one that an old record does not name may come back while its claim is there', () => {
    const old = changed(made, podGone('redis-6-0'), notRecorded('redis-6'));
    expect(missing(old)).toEqual([]);
    expect(lifeOf(old, nodeIdOf(6))).toEqual({
      kind: 'dead',
      by: 'no pod has it, and claim data-redis-6-0 may be its',
      returns: 'whole',
    });
    const without = changeKube((kube) => ({
      ...kube,
      claims: kube.claims.filter(({ name }) => name !== 'data-redis-6-0'),
    }));
    expect(lifeOf(changed(old, without), nodeIdOf(6))).toMatchObject({ returns: 'never' });
    const unread = changeKube((kube) => ({ ...kube, gaps: [{ what: 'persistentvolumeclaims', why: 'forbidden' }] }));
    expect(lifeOf(changed(old, without, unread), nodeIdOf(6))).toMatchObject({ returns: 'whole' });
  });

  test('whose place another node has does not, whatever claims there are', () => {
    expect(lifeOf(changed(made, ghost(GHOST, { ip: '10.96.0.16' })), GHOST)).toMatchObject({ returns: 'never' });
  });

  test('one that a change of shape has stopped is not missing, and is let go', () => {
    const spec = specOf({ scaling: { leaving: [6], spread: false } });
    const stopped = changed(
      made,
      podGone('redis-6-0'),
      notRecorded('redis-6'),
      changeKube((kube) => ({
        ...kube,
        state: { formed: 'true', spec: JSON.stringify(spec), nodes: '6 redis-6 - 3' },
      })),
    );
    expect(interpret(stopped).desired?.leaving).toEqual([6]);
    expect(missing(stopped)).toEqual([]);
    expect(lifeOf(stopped, nodeIdOf(6))).toMatchObject({ returns: 'never' });
  });
});

describe('beside a pod that nothing ties to an id', () => {
  const waiting = changed(made, unreachable('redis-1-0', 'guard-waiting'), withoutAddress('redis-1-0'));

  test('whose guard found no data: an owner of slots comes back empty', () => {
    expect(lifeOf(waiting, nodeIdOf(1))).toEqual({
      kind: 'dead',
      by: 'redis-1-0 lost its volume, and may be it',
      returns: 'empty',
    });
  });

  test('another node in its place is worth more', () => {
    const elsewhere = changeLines((line) => (line.nodeId === nodeIdOf(1) ? { ...line, ip: '10.96.0.12' } : line));
    expect(lifeOf(changed(waiting, elsewhere), nodeIdOf(1))).toMatchObject({ kind: 'dead', returns: 'never' });
  });

  test('an id that owns nothing is left alone, because the pod may have it', () => {
    expect(lifeOf(changed(waiting, ghost(GHOST)), GHOST).kind).toBe('unknown');
  });

  test('of which nobody knows what is on it: unknown', () => {
    const silent = changed(made, unreachable('redis-1-0', 'timeout'), withoutAddress('redis-1-0'));
    expect(lifeOf(silent, nodeIdOf(1)).kind).toBe('unknown');
    const both = changed(waiting, unreachable('redis-5-0', 'timeout'), withoutAddress('redis-5-0'));
    expect(lifeOf(both, nodeIdOf(1)).kind).toBe('unknown');
  });

  test('of others, with more ids than such pods: one of them may have its volume', () => {
    const brought = changed(
      healthyObservation({ kind: 'foreign' }),
      unreachable('redis-0', 'guard-waiting'),
      changePod('redis-0', (pod) => ({ ...pod, ip: '' })),
    );
    expect(lifeOf(brought, nodeIdOf(1))).toMatchObject({ returns: 'empty' });
    expect(lifeOf(changed(brought, ghost(GHOST)), nodeIdOf(1))).toMatchObject({ returns: 'whole' });
  });
});
