import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import jsonPatch from 'fast-json-patch';
import { patchBetween } from '../../../../pkg/pod/inject/json-patch.ts';
import type { Json } from '../../../../pkg/pod/inject/pod-json.ts';
import { arbitraryPod, injectPod } from '../../../support/inject-pods.ts';

const CLUSTER = 'kubectl-redis.io/cluster';

describe('properties', () => {
  test('a second pass changes nothing', () => {
    fc.assert(
      fc.property(arbitraryPod, (written) => {
        const first = injectPod(written);
        fc.pre(first.kind === 'injected');
        expect(injectPod(first.pod)).toMatchObject({ kind: 'skipped', code: 'injected-already' });
      }),
    );
  });

  test('even without the mark, a second pass offline finds nothing to add', () => {
    fc.assert(
      fc.property(arbitraryPod, (written) => {
        const first = injectPod(written, { mode: 'offline' });
        fc.pre(first.kind === 'injected');
        const { 'kubectl-redis.io/injected': mark, ...annotations } = first.pod.metadata.annotations ?? {};
        const again = injectPod(
          { ...first.pod, metadata: { ...first.pod.metadata, annotations } },
          { mode: 'offline' },
        );
        expect(mark).toBe('inject');
        expect(again).toMatchObject({ kind: 'injected', pod: first.pod });
      }),
    );
  });

  test('what people wrote is still there, field by field', () => {
    fc.assert(
      fc.property(arbitraryPod, (written) => {
        const result = injectPod(written, { mode: 'offline' });
        fc.pre(result.kind === 'injected');
        const { annotations, ...metadata } = written['metadata'] as Json;
        const { [CLUSTER]: _, ...kept } = annotations as Json;
        expect(result.pod).toMatchObject({ metadata: { ...metadata, annotations: kept } });
        expectContains(result.pod.spec, written['spec']);
      }),
    );
  });

  test('the patch leads from what was written to the result', () => {
    fc.assert(
      fc.property(arbitraryPod, (written) => {
        const result = injectPod(written);
        fc.pre(result.kind === 'injected');
        const patch = patchBetween(written, result.pod);
        const patched = jsonPatch.applyPatch(structuredClone(written), patch as never, true).newDocument;
        expect(patched).toEqual(JSON.parse(JSON.stringify(result.pod)));
      }),
    );
  });

  test('names of volumes are unique, and every mount has its volume', () => {
    fc.assert(
      fc.property(arbitraryPod, (written) => {
        const result = injectPod(written);
        fc.pre(result.kind === 'injected');
        const names = (result.pod.spec.volumes ?? []).map(({ name }) => name);
        expect(new Set(names).size).toBe(names.length);
        const given = JSON.stringify(written);
        for (const container of result.pod.spec.containers) {
          const paths = (container.volumeMounts ?? []).map(({ mountPath }) => mountPath.replace(/\/+$/, ''));
          expect(new Set(paths).size).toBe(paths.length);
          for (const { name } of container.volumeMounts ?? [])
            expect(names.includes(name) || given.includes(`"${name}"`)).toBe(true);
        }
      }),
    );
  });
});

/** Objects by their fields, lists by their items: everything of `written` is in `got`. */
function expectContains(got: unknown, written: unknown): void {
  if (Array.isArray(written)) {
    for (const item of written)
      expect(got).toContainEqual(typeof item === 'object' ? expect.objectContaining(shallow(item as Json)) : item);
    if (Array.isArray(got)) written.forEach((item, index) => expectContains(got[index], item));
  } else if (typeof written === 'object' && written !== null) {
    for (const [key, value] of Object.entries(written)) expectContains((got as Json)[key], value);
  } else expect(got).toEqual(written);
}

function shallow(item: Json): Json {
  return Object.fromEntries(Object.entries(item).filter(([, value]) => typeof value !== 'object'));
}
