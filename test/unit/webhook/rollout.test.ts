import { expect, test } from '@jest/globals';
import { podTrouble, whyNotRolledOut } from '../../../cmd/webhook/rollout.ts';
import { AppError } from '../../../pkg/errors.ts';

const rolledOut = { observedGeneration: 3, replicas: 2, updatedReplicas: 2, readyReplicas: 2 };

test.each([
  [rolledOut, null],
  [{ ...rolledOut, observedGeneration: 2 }, 'Kubernetes has not looked at its Deployment yet'],
  [{ ...rolledOut, updatedReplicas: 1 }, '1 of 2 pods are of this version'],
  // The old one counts as ready.
  [{ ...rolledOut, replicas: 3 }, 'of the version before, 1 still there'],
  [{ ...rolledOut, readyReplicas: 1 }, '1 of 2 pods are ready'],
  [undefined, 'Kubernetes has not looked at its Deployment yet'],
])('a Deployment whose status is %j: %s', (status, missing) => {
  const metadata = { name: 'x', generation: 3 };
  expect(whyNotRolledOut({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec: { replicas: 2 }, status })).toBe(
    missing,
  );
});

test('no Deployment, and one without pods', () => {
  expect(whyNotRolledOut(null)).toBe('it has no Deployment');
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'x' }, spec: { replicas: 0 } };
  expect(whyNotRolledOut(deployment)).toBe('its Deployment wants no pods');
});

test('who may not look at pods is not told what is wrong with them', async () => {
  const refusing = (code: string) => ({
    list: async () => {
      throw new AppError('no', { code });
    },
    whyNotReady: async () => null,
  });
  expect(await podTrouble(refusing('forbidden'))).toBeNull();
  await expect(podTrouble(refusing('timeout'))).rejects.toMatchObject({ code: 'timeout' });
});
