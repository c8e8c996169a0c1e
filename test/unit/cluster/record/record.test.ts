/** Records: what is written can be read again and says the same; what is secret is not in it; what is damaged is refused. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { check } from '../../../../pkg/cluster/check/check.ts';
import { interpret } from '../../../../pkg/cluster/interpret.ts';
import type { Observation } from '../../../../pkg/cluster/model/observation.ts';
import type { TroubleFacts } from '../../../../pkg/cluster/model/reasons.ts';
import { parseRecord, renderRecord } from '../../../../pkg/cluster/record/record.ts';
import { redact } from '../../../../pkg/cluster/record/redact.ts';
import { AppError } from '../../../../pkg/errors.ts';
import { specAnnotations } from '../../../../pkg/pod/annotations.ts';
import { someObservation } from '../../../support/observation-arbitraries.ts';
import {
  changeAnswer,
  changeKube,
  changePod,
  changeReply,
  changeService,
  changed,
} from '../../../support/observation-changes.ts';
import { writes } from '../../../support/observation-writes.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { specOf } from '../../../support/spec.ts';

const SECRET = 'hunter2';
const judged = (observation: Observation): unknown => check(interpret(observation), observation);

/** A cluster with the same secret in every place that can hold one. */
const leaky = changed(
  healthyObservation(),
  changePod('redis-1-0', (pod) => ({
    ...pod,
    annotations: {
      ...pod.annotations,
      'kubectl.kubernetes.io/last-applied-configuration': `{"env":"${SECRET}"}`,
      'vault.example/token': SECRET,
      'kubectl-redis.io/config': `maxmemory-policy noeviction\nuser app on >${SECRET} ~* +@all`,
    },
  })),
  changeService('redis', (service) => ({
    ...service,
    annotations: {
      ...service.annotations,
      ...specAnnotations(specOf({ config: { user: `app on >${SECRET}`, 'maxmemory-policy': 'allkeys-lru' } })),
    },
  })),
  changeKube((kube) => ({
    ...kube,
    statefulSets: kube.statefulSets.map((set) => ({
      ...set,
      templateAnnotations: { ...set.templateAnnotations, 'x.example/y': SECRET },
    })),
    config: {
      ...kube.config,
      'redis.conf': `# a comment that says user and password\nport 6379\n#>=7.0 masterauth ${SECRET}\nrequirepass ${SECRET}\n`,
      'start.sh': `echo ${SECRET}`,
    },
  })),
  changeAnswer('redis-2-0', (answer) => ({
    ...answer,
    config: { ...answer.config, masterauth: SECRET, requirepass: '' },
  })),
);

describe('what is redacted', () => {
  const text = renderRecord(leaky, '1.2.3');
  const read = parseRecord(text, 'a file');

  test('is nowhere in the file', () => {
    expect(text).not.toContain(SECRET);
  });

  test('and what tells something is', () => {
    expect(read.kube.config?.['redis.conf']).toBe(
      '# a comment that says user and password\nport 6379\n#>=7.0 masterauth (redacted)\nrequirepass (redacted)\n',
    );
    expect(read.kube.pods[0]?.annotations['kubectl-redis.io/config']).toBe(
      'maxmemory-policy noeviction\nuser (redacted)',
    );
    const spec = read.kube.services.find(({ name }) => name === 'redis')?.annotations['kubectl-redis.io/spec'];
    expect(JSON.parse(spec ?? '')).toMatchObject({
      masters: 3,
      config: { user: '(redacted)', 'maxmemory-policy': 'allkeys-lru' },
    });
    const reply = read.replies.find(({ pod }) => pod === 'redis-2-0')?.reply;
    expect(reply?.kind === 'answered' ? reply.answer.config : null).toMatchObject({
      masterauth: '(redacted)',
      requirepass: '',
    });
    expect(judged(read)).toEqual(judged(leaky));
  });

  test('a record that is damaged is not kept', () => {
    const damaged = changed(
      healthyObservation(),
      changeService('redis', (service) => ({
        ...service,
        annotations: { 'kubectl-redis.io/spec': `{"config":"${SECRET}` },
      })),
    );
    expect(renderRecord(damaged, '1.2.3')).not.toContain(SECRET);
  });
});

test('any cluster, read again, has the same problems', () => {
  fc.assert(
    fc.property(someObservation, (observation) => {
      // What no server says is refused, as below.
      fc.pre(!JSON.stringify(observation).includes('"end":20000'));
      const read = parseRecord(renderRecord(observation, '1.2.3'), 'a file');
      expect(read).toEqual(redact(observation));
      expect(judged(read)).toEqual(judged(observation));
    }),
    { numRuns: 40 },
  );
});

test('of a crashed pod its last words are kept, not its log, and neither where they could hold a secret', () => {
  const trouble = (sentence: string): TroubleFacts => {
    return { pod: 'redis-1-0', code: 'crash-loop', sentence, evidence: ['12:M # argv: SET card 1234'] };
  };
  const observation = changed(
    healthyObservation(),
    writes('redis-2-0', { goodReplicas: 1 }),
    changeReply('redis-3-0', () => ({
      kind: 'unreachable',
      why: 'permission',
      detail: 'user app may not run INFO',
      login: { user: 'app', secret: null, denied: ['info'] },
    })),
    changeKube((kube) => ({
      ...kube,
      troubles: [
        trouble('container redis ends: Bad file format'),
        trouble(`container redis ends: >>> 'requirepass "b6"'`),
      ],
      storageClasses: [{ name: 'standard', expands: true }],
      claims: kube.claims.map((claim) => ({ ...claim, size: '1Gi' })),
    })),
  );
  const { kube, replies } = parseRecord(renderRecord(observation, '1.2.3'), 'a file');
  expect(kube.troubles).toEqual([
    { pod: 'redis-1-0', code: 'crash-loop', sentence: 'container redis ends: Bad file format', evidence: [] },
    { pod: 'redis-1-0', code: 'crash-loop', sentence: '(redacted)', evidence: [] },
  ]);
  expect([kube.storageClasses, kube.claims, replies]).toEqual([
    observation.kube.storageClasses,
    observation.kube.claims,
    observation.replies,
  ]);
});

describe('what is no record', () => {
  const record = JSON.parse(renderRecord(healthyObservation(), '1.2.3')) as { observation: { kube: object } };
  test.each([
    ['no JSON', 'redis', 'a file is not JSON'],
    ['a list', '[]', 'a file is no recorded cluster'],
    ['a pod', '{"apiVersion":"v1","kind":"Pod"}', 'a file is no recorded cluster'],
    [
      'a later API',
      JSON.stringify({ ...record, apiVersion: 'kubectl-redis.io/v2' }),
      'a file was written by a newer version (kubectl-redis 1.2.3)',
    ],
    [
      'a later schema',
      JSON.stringify({ ...record, observation: { ...record.observation, schema: 2 } }),
      'a file was written by a newer version (kubectl-redis 1.2.3)',
    ],
    ['nothing in it', JSON.stringify({ ...record, observation: null }), 'a file is damaged: it is not an object'],
    [
      'no pods',
      JSON.stringify({
        ...record,
        observation: { ...record.observation, kube: { ...record.observation.kube, pods: {} } },
      }),
      'a file is damaged: kube.pods is not a list',
    ],
  ])('%s', (_, text, message) => {
    expect(() => parseRecord(text, 'a file')).toThrow(message);
  });

  test('whatever is put in the place of whatever: refused in a sentence, or fit to be judged', () => {
    const strange = fc.constantFrom(null, 7, -1, 'x', [], {}, true, [null], 1e300);
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 8 }), strange, (path, value) => {
        const copy = structuredClone(record) as unknown;
        put(copy, path, value);
        let read: Observation;
        try {
          read = parseRecord(JSON.stringify(copy), 'a file');
        } catch (error) {
          expect(error).toBeInstanceOf(AppError);
          return;
        }
        judged(read);
      }),
      { numRuns: 500 },
    );
  });
});

/** Walks down by `path`, a number for each level, and replaces what is there. */
function put(root: unknown, path: readonly number[], value: unknown): void {
  let at = root;
  path.forEach((number, depth) => {
    if (typeof at !== 'object' || at === null) return;
    const keys = Object.keys(at);
    const key = keys[number % Math.max(1, keys.length)];
    if (key === undefined) return;
    const holder = at as Record<string, unknown>;
    if (depth === path.length - 1) holder[key] = value;
    else at = holder[key];
  });
}

test('a record of this version stays readable', () => {
  const read = parseRecord(readFileSync('test/fixtures/records/link-down.json', 'utf8'), 'the fixture');
  expect(check(interpret(read), read).map(({ code }) => code)).toContain('replica-link-down');
});
