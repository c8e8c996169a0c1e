import { expect, test } from '@jest/globals';
import { createPlaces } from '../../../pkg/kube/places.ts';

const soon = (): AbortSignal => AbortSignal.timeout(5_000);

test('waiting ends with the deadline, and leaves no gap in the queue', async () => {
  const places = createPlaces(1);
  const leave = await places.take(soon());
  const control = new AbortController();
  const tired = places.take(control.signal);
  const patient = places.take(soon());
  control.abort(new Error('tired'));
  await expect(tired).rejects.toThrow('tired');
  leave();
  leave();
  const leaveToo = await patient;
  await expect(places.take(AbortSignal.timeout(10))).rejects.toMatchObject({ name: 'TimeoutError' });
  leaveToo();
  (await places.take(soon()))();
});
