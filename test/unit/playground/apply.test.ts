/** Server-side apply of the playground, as https://kubernetes.io/docs/reference/using-api/server-side-apply/ describes it. */
import { describe, expect, test } from '@jest/globals';
import { applied } from '../../playground/api/apply.ts';
import type { ApiObject } from '../../playground/api/objects.ts';

const config = (rest: object, labels?: Readonly<Record<string, string>>): ApiObject =>
  ({
    apiVersion: 'v1',
    kind: 'Thing',
    metadata: { name: 'x', ...(labels === undefined ? {} : { labels }) },
    ...rest,
  }) as ApiObject;

const by = (manager: string, live: ApiObject | null, said: ApiObject, force = false): ApiObject =>
  applied(live, said, { manager, force });

const bare = ({ metadata: { managedFields: _managed, ...metadata }, ...rest }: ApiObject): object => ({
  ...rest,
  metadata,
});

describe('apply', () => {
  test('what its manager no longer says goes; what others wrote stays', () => {
    const first = by('ada', null, config({ data: { a: '1', b: '1' } }));
    const written = { ...first, data: { a: '1', b: '1', c: 'by hand' } } as ApiObject;
    expect(bare(by('ada', written, config({ data: { a: '2' } })))).toEqual(config({ data: { a: '2', c: 'by hand' } }));
  });

  test('what two managers say goes with the last of them', () => {
    const both = by('bob', by('ada', null, config({ data: { a: '1', b: '1' } })), config({ data: { a: '1' } }));
    const without = by('ada', both, config({ data: { b: '1' } }));
    expect(bare(without)).toEqual(config({ data: { a: '1', b: '1' } }));
    expect(bare(by('bob', without, config({})))).toEqual(config({ data: { b: '1' } }));
  });

  test('another value for what another manager set is a conflict, which force takes over', () => {
    const live = by('ada', null, config({ spec: { replicas: 1 } }));
    const wanted = config({ spec: { replicas: 2 } });
    expect(() => by('bob', live, wanted)).toThrow('Apply failed with 1 conflict: conflict with "ada": .spec.replicas');
    const taken = by('bob', live, wanted, true);
    expect(bare(taken)).toEqual(wanted);
    expect(taken.metadata.managedFields?.map(({ manager, fieldsV1 }) => [manager, fieldsV1])).toEqual([
      ['ada', {}],
      ['bob', { 'f:spec': { 'f:replicas': {} } }],
    ]);
  });

  test('items of a list with keys are merged one by one, other lists as a whole', () => {
    const container = (name: string, more: object): object => ({ name, ...more });
    const live = by(
      'ada',
      null,
      config({ spec: { containers: [container('a', { args: ['1', '2'] }), container('b', {})] } }),
    );
    const sidecar = by('bob', live, config({ spec: { containers: [container('c', { args: ['x'] })] } }));
    const changed = by('ada', sidecar, config({ spec: { containers: [container('a', { args: ['3'] })] } }));
    expect(bare(changed)).toEqual(
      config({ spec: { containers: [container('a', { args: ['3'] }), container('c', { args: ['x'] })] } }),
    );
  });

  test('a selector is one value: half of the old one must not stay', () => {
    const live = by('ada', null, config({ spec: { selector: { app: 'x', tier: 'y' } } }));
    const said = config({ spec: { selector: { app: 'z' } } });
    expect(bare(by('ada', live, said))).toEqual(said);
  });

  test('labels are fields of their own', () => {
    const live = by('ada', null, config({}, { a: '1', b: '1' }));
    expect(bare(by('ada', live, config({}, { b: '1' })))).toEqual(config({}, { b: '1' }));
  });
});
