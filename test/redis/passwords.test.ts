import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../pkg/errors.ts';
import type { RedisPort } from '../../pkg/engine/ports.ts';
import { answered, openPort, outcome, startServer } from '../support/redis-ask.ts';

const SECRET = 'b6-correct-horse';

describe('passwords', () => {
  test.each([
    ['missing', null, 'auth: NOAUTH Authentication required.'],
    ['wrong', { password: 'guess' }, 'auth: WRONGPASS invalid username-password pair'],
    ['of an unknown user', { username: 'eve', password: 'guess' }, 'auth: WRONGPASS invalid username-password pair'],
    ['right', { password: SECRET }, 'answered'],
    ['right, with its user', { username: 'default', password: SECRET }, 'answered'],
  ])('%s', async (_, credentials, expected) => {
    const server = await startServer({ password: SECRET });
    const redis = openPort({ credentials: async () => credentials });
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toMatch(expected);
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toMatch(expected);
  });

  test('given, but the server wants none', async () => {
    const server = await startServer();
    const redis = openPort({ credentials: async () => ({ password: SECRET }) });
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toBe('answered');
  });

  test('run with a wrong one runs nothing', async () => {
    const server = await startServer({ config: [['user', 'ops', 'on', `>${SECRET}`, '~*', '+@all']] });
    const redis = openPort({ credentials: async () => ({ username: 'ops', password: 'guess' }) });
    await expect(redis.run(server.pod, [['CLUSTER', 'BUMPEPOCH']], 5000)).rejects.toMatchObject({ code: 'auth' });
    expect(answered(await openPort().ask(server.pod, { deadlineMs: 5000 })).clusterInfo.currentEpoch).toBe(0);
  });

  test('never appear in what is said or thrown', async () => {
    const server = await startServer({ config: [['rename-command', 'AUTH', 'LOGIN']] });
    const redis = openPort({ credentials: async () => ({ password: SECRET }) });
    const reply = await redis.ask(server.pod, { deadlineMs: 5000 });
    expect(reply).toMatchObject({ kind: 'unreachable', why: 'auth' });
    expect(JSON.stringify(reply)).not.toContain(SECRET);
    const thrown: unknown = await redis.run(server.pod, [['PING']], 5000).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(AppError);
    expect(JSON.stringify(thrown, Object.getOwnPropertyNames(thrown))).not.toContain(SECRET);
  });

  test('that cannot be read: auth, with the reason', async () => {
    const server = await startServer();
    const redis = openPort({ credentials: () => Promise.reject(new Error('secrets "redis-auth" is forbidden')) });
    expect(outcome(await redis.ask(server.pod, { deadlineMs: 5000 }))).toBe(
      'auth: No password to log in with: secrets "redis-auth" is forbidden',
    );
  });

  test('of a user who may not see the cluster: permission; who may not see the configuration: no configuration', async () => {
    const server = await startServer({
      config: [
        ['user', 'blind', 'on', `>${SECRET}`, '+ping'],
        ['user', 'guest', 'on', `>${SECRET}`, '+cluster', '+info'],
      ],
    });
    const as = (username: string): RedisPort => openPort({ credentials: async () => ({ username, password: SECRET }) });
    expect(await as('blind').ask(server.pod, { deadlineMs: 5000 })).toMatchObject({ why: 'permission' });
    const guest = answered(await as('guest').ask(server.pod, { deadlineMs: 5000, withConfig: true }));
    expect(guest.config).toBeNull();
  });
});
