/** C6: what a view costs, and says, when a node is frozen or the way to it does not open. Real servers behind a stub of the API. */
import { describe, expect, test } from '@jest/globals';
import { at } from '../support/redis-ask.ts';
import { openViewScene } from '../support/view-scene.ts';

/** The view itself takes some hundred milliseconds on a busy machine; before, it took ten seconds more. */
const AT_MOST_MS = 3_500;
const LAST = 'shop-4-0';

describe('C6: one node of a cluster does not answer', () => {
  test('frozen: every view ends in time and says that there was no answer', async () => {
    const { view, servers } = await openViewScene();
    await view('nodes', 'shop');
    at(servers, 3).kill('SIGSTOP');
    const nodes = await view('nodes', 'shop');
    expect(nodes.stdout).toMatch(new RegExp(`${LAST} .* no answer in 2 s`));
    const check = await view('check', 'shop');
    expect(check.stdout).toContain('does not answer (no answer in 2 s)');
    const times = [nodes.ms, check.ms, (await view('slots', 'shop')).ms, (await view('list')).ms];
    expect(Math.max(...times)).toBeLessThan(AT_MOST_MS);
  }, 60_000);

  test.each(['silent', 'unanswered'] as const)(
    'a tunnel that does not open (%s): it says that it was the tunnel',
    async (fault) => {
      const { view } = await openViewScene({ faults: new Map([[LAST, fault]]) });
      const nodes = await view('nodes', 'shop');
      expect(nodes.stdout).toMatch(new RegExp(`${LAST} .* the tunnel did not open in 2 s`));
      const check = await view('check', 'shop');
      expect(check.stdout).toMatch(/tunnel-broken\n.*the tunnel did not open in 2 s/);
      expect(Math.max(nodes.ms, check.ms)).toBeLessThan(AT_MOST_MS);
    },
    60_000,
  );

  test('--request-timeout holds for nodes, too, be it longer or shorter', async () => {
    const { view, servers } = await openViewScene();
    at(servers, 3).kill('SIGSTOP');
    const longer = await view('nodes', 'shop', '--request-timeout', '3s');
    expect([longer.ms >= 3_000, longer.stdout]).toEqual([true, expect.stringContaining('no answer in 3 s')]);
    expect((await view('nodes', 'shop', '--request-timeout', '500ms')).stdout).toContain('no answer in 0.5 s');
  }, 60_000);
});
