import { describe, expect, test } from '@jest/globals';
import { AppError } from '../../../pkg/errors.ts';
import { mergeDirectives, parseConfigArguments, parseConfigFile } from '../../../pkg/pod/config-directives.ts';

function errorOf(action: () => unknown): AppError {
  try {
    action();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

describe('--config', () => {
  test.each([
    [['maxmemory-policy=allkeys-lru'], { 'maxmemory-policy': 'allkeys-lru' }],
    [['MaxMemory = 100mb'], { maxmemory: '100mb' }],
    [['save='], { save: '""' }],
    [['save=900 1'], { save: '900 1' }],
    [['save=900 1 300 10'], { save: '900 1\n300 10' }],
    [['save="900 1 300 10"'], { save: '900 1\n300 10' }],
    [['save=900 1', 'save=300 10'], { save: '900 1\n300 10' }],
    [['save=900 1', 'save='], { save: '""' }],
    [['notify-keyspace-events='], { 'notify-keyspace-events': '""' }],
    [['notify-keyspace-events="Ex g"'], { 'notify-keyspace-events': '"Ex g"' }],
    [
      ['client-output-buffer-limit=normal 0 0 0 pubsub 32mb 8mb 60'],
      { 'client-output-buffer-limit': 'normal 0 0 0\npubsub 32mb 8mb 60' },
    ],
    [['user=app on >x=y ~* +@all'], { user: 'app on >x=y ~* +@all' }],
    [['loadmodule=/m/a.so', 'loadmodule=/m/b.so x'], { loadmodule: '/m/a.so\n/m/b.so x' }],
    [['search.timeout=500', 'bf-error-rate=0.1'], { 'search.timeout': '500', 'bf-error-rate': '0.1' }],
    [[], {}],
  ])('%j', (args, directives) => {
    expect(parseConfigArguments(args)).toEqual(directives);
  });

  test.each([
    ['maxmemory', 'is not KEY=VALUE', '--config maxmemory-policy=allkeys-lru'],
    ['=1', 'is not KEY=VALUE', '--config maxmemory-policy=allkeys-lru'],
    ['', '--config "" is not KEY=VALUE', '--config maxmemory-policy=allkeys-lru'],
    ['max memory=1', 'not the name of a directive', 'maxmemory-policy'],
    ['dir=/data', "--config dir can't be set", '--storage'],
    ['Port=7000', "--config port can't be set", 'Service of your own'],
    ['bind=127.0.0.1', "bind can't be set", 'every pod needs it'],
    ['cluster-node-timeout=1', "can't be set", 'chooses the cluster settings'],
    ['cluster-enabled=no', "can't be set", 'chooses the cluster settings'],
    ['replica-announce-ip=1.2.3.4', "can't be set", "Service's address"],
    ['slave-announce-port=1', "can't be set", "Service's address"],
    ['requirepass=x', "can't be set", '--auth'],
    ['masterauth=x', "can't be set", '--auth'],
    ['user=default off', "can't be set", '--auth'],
    ['aclfile=/x', "can't be set", 'user=NAME'],
    ['tls-port=1', "can't be set", 'TLS'],
    ['appenddirname=x', "can't be set", 'every pod needs it'],
    ['daemonize=yes', "can't be set", 'process of its container'],
    ['logfile=/x', "can't be set", 'kubectl logs'],
    ['include=/x', "can't be set", '--config-file'],
    ['rename-command=FLUSHALL ""', "can't be set", 'users'],
    ['unixsocket=/x', "can't be set", 'outside the container'],
    ['replicaof=a 1', "can't be set", 'Redis Cluster'],
    ['maxmemory=1\nport 1', 'one line of printable text', 'line break'],
    ['proc-title-template="a', 'unbalanced quotes', 'Redis reads'],
    ['proc-title-template="a"b', 'unbalanced quotes', 'Redis reads'],
    ['save=900', 'takes 2 words an entry', '900 1'],
    ['client-output-buffer-limit=normal 0 0', 'takes 4 words an entry', 'normal 0 0 0'],
    ['client-output-buffer-limit=', 'needs a value', 'normal 0 0 0'],
  ])('refuses %j', (arg, message, hint) => {
    const error = errorOf(() => parseConfigArguments([arg]));
    expect(error.message).toContain(message);
    expect(error.hint).toContain(hint);
    expect(error.exitCode).toBe(2);
  });

  test('refuses two values for one directive', () => {
    const error = errorOf(() => parseConfigArguments(['hz=10', 'HZ=20']));
    expect(error.message).toBe('--config hz is given twice');
  });
});

describe('--config-file', () => {
  test('is read as Redis reads it', () => {
    const text = [
      '# a comment',
      '',
      'maxmemory 100mb',
      '  Maxmemory   200mb  ',
      'save 900 1',
      'save 300 10',
      'client-output-buffer-limit normal 0 0 0',
      '\tnotify-keyspace-events "Ex # no comment"',
      'user a on',
      'user b on',
      'loglevel verbose\r',
    ].join('\n');
    expect(parseConfigFile(text, 'my.conf')).toEqual({
      maxmemory: '200mb',
      save: '900 1\n300 10',
      'client-output-buffer-limit': 'normal 0 0 0',
      'notify-keyspace-events': '"Ex # no comment"',
      user: 'a on\nb on',
      loglevel: 'verbose',
    });
  });

  test.each([
    ['# x\nport 7000', "my.conf:2: port can't be set"],
    ['hz 10\n\ncluster-enabled yes', "my.conf:3: cluster-enabled can't be set"],
    ['hz "10', 'my.conf:1: hz: unbalanced quotes'],
    ['=x', 'my.conf:1: =x: not the name of a directive'],
  ])('%j', (text, message) => {
    expect(errorOf(() => parseConfigFile(text, 'my.conf')).message).toContain(message);
  });

  test('an argument replaces what the file says', () => {
    const file = parseConfigFile('hz 10\nsave 900 1', 'f');
    expect(mergeDirectives(file, parseConfigArguments(['save=60 1']))).toEqual({ hz: '10', save: '60 1' });
  });
});
