/** What `delete` shows: the plan as text and as a document, what it kept, what it asks. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { deletePlanOf } from '../../../cmd/document/delete-plan.ts';
import { deletePlanLines, keptLines, lossInWords } from '../../../cmd/view/delete-plan.ts';
import { planDelete, type OwnedObject } from '../../../pkg/cluster/plan/delete.ts';
import type { Loss } from '../../../pkg/cluster/model/loss.ts';
import { ALL_SLOTS } from '../../../pkg/cluster/model/slots.ts';
import type { KeyCount, PreparedDelete } from '../../../pkg/engine/delete.ts';
import { healthyObservation } from '../../support/observation.ts';

function object(apiVersion: string, kind: string, name: string): OwnedObject {
  return { apiVersion, kind, name, uid: `uid-${kind}-${name}`, terminating: false };
}

const NODES = [1, 2, 3, 4, 5, 6].map((n) => `redis-${n}`);
const OWNED: readonly OwnedObject[] = [
  ...NODES.map((node) => object('apps/v1', 'StatefulSet', node)),
  ...NODES.map((node) => object('v1', 'Pod', `${node}-0`)),
  ...[1, 2, 3].map((n) => object('policy/v1', 'PodDisruptionBudget', `redis-shard-${n}`)),
  ...['redis', ...NODES].map((name) => object('v1', 'Service', name)),
  object('v1', 'ConfigMap', 'redis-config'),
  ...NODES.map((node) => object('v1', 'PersistentVolumeClaim', `data-${node}-0`)),
];

function prepared(
  purge: boolean,
  keys: KeyCount = { counted: 1234, complete: true },
  loss: Loss | null = null,
): PreparedDelete {
  const cluster = { namespace: 'default', name: 'redis' };
  const roles = new Map(NODES.map((node, i) => [`${node}-0`, i < 3 ? ('primary' as const) : ('replica' as const)]));
  return {
    cluster,
    purge,
    inventory: { owned: OWNED, brought: [], gaps: [{ what: 'NetworkPolicy', why: 'no right to list' }] },
    observation: healthyObservation(),
    plan: planDelete({ cluster, owned: OWNED, roles, purge, others: [], strays: null, loss, agreedLoss: ALL_SLOTS }),
    keys,
    loss,
    fingerprint: '',
  };
}

describe('the plan of delete', () => {
  test('as text: what goes, what stays, how to resume', () => {
    expect(deletePlanLines(prepared(false), { width: 100, colour: false }).join('\n')).toBe(`\
Delete redis in namespace default and keep its data

  KIND                    COUNT   WHAT HAPPENS   NAMES
  StatefulSet                 6   goes           redis-1 … redis-6
  Pod                         6   goes           redis-1-0 … redis-6-0
  PodDisruptionBudget         3   goes           redis-shard-1, redis-shard-2, redis-shard-3
  Service                     7   stays          redis … redis-6
  ConfigMap                   1   stays          redis-config
  PersistentVolumeClaim       6   stays          data-redis-1-0 … data-redis-6-0

  does        stop the replicas, wait until they have stopped, stop the primaries, wait until they
              have stopped, remove what guarded the pods
  stops       clients get no answer from then on
  loses       nothing: every key stays on its volume
  resumes     kubectl redis create redis`);
  });

  test('with --purge-data nothing stays, and the loss is named', () => {
    const lines = deletePlanLines(prepared(true), { width: null, colour: false });
    expect(lines[0]).toBe('Delete redis in namespace default with all its data');
    expect(lines.filter((line) => line.includes('stays'))).toEqual([]);
    expect(lines.at(-1)).toBe('  loses       1,234 keys of redis and 6 volumes, for ever');
  });

  test.each([
    [{ counted: 1, complete: true }, '1 key of redis and 6 volumes'],
    [{ counted: 7, complete: false }, '7 keys or more of redis (not every node could be asked) and 6 volumes'],
    [{ counted: 0, complete: false }, 'all keys of redis (not every node could be asked) and 6 volumes'],
  ])('what would be lost with %j', (keys, words) => {
    expect(lossInWords(prepared(true, keys))).toBe(words);
  });

  test('what was kept, and what can be done with it', () => {
    expect(keptLines(prepared(false))).toEqual([
      'Kept:       6 PersistentVolumeClaims (data-redis-1-0 … data-redis-6-0), ConfigMap redis-config and 7 Services (redis … redis-6)',
      'Resume:     kubectl redis create redis -n default',
      'Remove all: kubectl redis delete redis --purge-data -n default',
    ]);
  });

  test('keys that are on no volume are named (K8)', () => {
    const sentence = '7 keys of shard 1, slots 0-5460: redis-1-0 keeps none on disk (appendonly no, save "")';
    const one = prepared(false, undefined, { slots: [{ start: 0, end: 5460 }], keys: 7, seconds: null, sentence });
    expect(deletePlanLines(one, { width: null, colour: false }).join('\n')).toContain(`loses       ${sentence}`);
    expect(deletePlanOf(one)).toMatchObject({ loss: { slots: [{ start: 0, end: 5460 }], keys: 7 } });
  });

  test.each([false, true])('as a document it is what docs/schemas/delete-plan.json says (purge: %s)', (purge) => {
    const schema = JSON.parse(readFileSync('docs/schemas/delete-plan.json', 'utf8')) as object;
    const validate = new Ajv2020({ strict: true, allErrors: true, allowUnionTypes: true }).compile(schema);
    const document: unknown = JSON.parse(
      JSON.stringify(deletePlanOf(prepared(purge, { counted: 5, complete: false }))),
    );
    expect(validate(document) ? null : validate.errors).toBeNull();
    expect(document).toMatchObject({
      purgeData: purge,
      keys: null,
      keysCounted: 5,
      keeps: { length: purge ? 0 : 14 },
      removes: { length: purge ? 29 : 15 },
    });
  });
});
