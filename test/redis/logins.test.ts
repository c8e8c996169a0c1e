/** C10: what a node that refuses is said to refuse: the password, with where it came from, or a right, with what to grant. */
import { describe, expect, test } from '@jest/globals';
import { must } from '../support/form-cluster.ts';
import { openPort, startServer } from '../support/redis-ask.ts';
import { openViewScene } from '../support/view-scene.ts';

const PASSWORD = 'b6-correct-horse';
const secretOf = (password: string | null): Parameters<typeof openViewScene>[0] => ({
  servers: { password: PASSWORD },
  objects: [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'shop-auth', namespace: 'default' },
      data: password === null ? { other: '' } : { password: Buffer.from(password).toString('base64') },
    },
  ],
});

describe('C10: views of nodes that refuse', () => {
  test('a right: command and user are named with what to grant, and no Secret', async () => {
    const { view, servers, redis } = await openViewScene();
    for (const server of servers) await must(redis, server, [['ACL', 'SETUSER', 'default', '-info']]);
    const nodes = await view('nodes', 'shop');
    expect(nodes.stdout).toMatch(/shop-1-0 .* a right is missing: user default may not run INFO/);
    const { stdout } = await view('check', 'shop');
    expect(stdout).toMatch(/^warning +permission-missing\n/);
    expect(stdout).toContain('None of the 4 pods of shop may be asked (shop-1-0: user default may not run INFO');
    expect(stdout).toContain('fix: ACL SETUSER default +info on each node');
    expect(stdout).not.toMatch(/Secret|password/);
  }, 60_000);

  test('the password of a Secret: the Secret is named', async () => {
    const { view } = await openViewScene(secretOf('guess'));
    const { stdout } = await view('check', 'shop');
    expect(stdout).toMatch(/^warning +password-refused\n/);
    expect(stdout).toContain('(the password of Secret shop-auth was given)');
    expect(stdout).toContain('fix: Compare Secret shop-auth with what the node was started with');
    expect(stdout).not.toContain('guess');
  }, 60_000);

  test.each([
    ['no Secret', { servers: { password: PASSWORD } }, 'there is no Secret shop-auth'],
    ['a Secret without the key', secretOf(null), 'Secret shop-auth has no key password'],
  ])(
    'no password, because of %s: that is said',
    async (_, options, why) => {
      const { view } = await openViewScene(options);
      const { stdout } = await view('check', 'shop');
      expect(stdout).toContain(`NOAUTH Authentication required (no password was given: ${why})`);
      expect(stdout).toContain('fix: Give the password that the node was started with: --password-file FILE.');
    },
    60_000,
  );
});

test('C10: a user is told all that it lacks at once, by the name that the server knows it by', async () => {
  const server = await startServer({ config: [['user', 'blind', 'on', `>${PASSWORD}`, '+ping', '+info']] });
  const redis = openPort({ credentials: async () => ({ username: 'blind', password: PASSWORD }) });
  expect(await redis.ask(server.pod, { deadlineMs: 5000 })).toEqual({
    kind: 'unreachable',
    why: 'permission',
    detail: 'user blind may not run CLUSTER MYID, CLUSTER NODES, CLUSTER INFO',
    login: { user: 'blind', secret: null, denied: ['cluster|myid', 'cluster|nodes', 'cluster|info'] },
  });
});
