import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { renderRedisConf } from '../../../pkg/pod/redis-conf.ts';
import { anySpec } from '../../support/any-spec.ts';
import { specOf } from '../../support/spec.ts';

/** Directives without the comments that say why; marked ones are kept. */
function directivesOf(conf: string): string[] {
  return conf.split('\n').filter((line) => line !== '' && !/^#( |$)/.test(line));
}

describe('redis.conf', () => {
  test('of three primaries with a replica each', () => {
    expect(directivesOf(renderRedisConf(specOf({ memory: '1Gi' })))).toEqual([
      'port 6379',
      'protected-mode no',
      'tcp-keepalive 60',
      'cluster-enabled yes',
      'cluster-config-file nodes.conf',
      'cluster-node-timeout 5000',
      'cluster-require-full-coverage no',
      'cluster-replica-validity-factor 10',
      '#>=7.0 cluster-allow-replica-migration no',
      '#<7.0 cluster-migration-barrier 1000',
      'repl-timeout 20',
      'repl-ping-replica-period 2',
      'repl-diskless-sync yes',
      'repl-diskless-sync-delay 0',
      'repl-backlog-size 53687091',
      'replica-lazy-flush yes',
      'dir /var/lib/redis',
      'appendonly yes',
      'appendfsync everysec',
      'appendfilename "appendonly.aof"',
      '#>=7.0 appenddirname "appendonlydir"',
      'aof-use-rdb-preamble yes',
      'auto-aof-rewrite-percentage 100',
      'auto-aof-rewrite-min-size 64mb',
      'save ""',
      'dbfilename dump.rdb',
      'maxmemory 751619276',
      'maxmemory-policy noeviction',
      'daemonize no',
      'logfile ""',
      'loglevel notice',
      '#>=7.0 shutdown-timeout 10',
    ]);
  });

  test('says why, directive by directive', () => {
    const lines = renderRedisConf(specOf({ memory: '1Gi', config: { hz: '20' } })).split('\n');
    const theirs = lines.indexOf('# ---- given with --config and --config-file');
    const unexplained = lines.slice(0, theirs).filter((line, at) => {
      const directive = line !== '' && !/^#( |$)/.test(line);
      return directive && !/^# [^-]/.test(lines[at - 1] ?? '');
    });
    expect(unexplained).toEqual([]);
  });

  test.each([
    [{ masters: 50, replicas: 1 }, 'cluster-node-timeout 5000'],
    [{ masters: 51, replicas: 1 }, 'cluster-node-timeout 15000'],
    [{ replicas: 2 }, 'repl-diskless-sync-delay 2'],
    [{ replicas: 2 }, '#>=7.0 repl-diskless-sync-max-replicas 2'],
    [{ memory: '128Mi' }, 'maxmemory 93952409'],
    [{ memory: '128Mi' }, 'repl-backlog-size 6710886'],
    [{ memory: '64Gi' }, 'repl-backlog-size 268435456'],
    [{ memory: null }, 'repl-backlog-size 16777216'],
  ])('%j: %s', (change, line) => {
    expect(directivesOf(renderRedisConf(specOf(change)))).toContain(line);
  });

  test('has no maxmemory without a memory limit', () => {
    expect(renderRedisConf(specOf())).not.toMatch(/^maxmemory /m);
  });

  test('has what people give last, and not ours as well', () => {
    const config = { save: '900 1\n300 10', appendonly: 'no', maxmemory: '10mb', 'maxmemory-policy': 'allkeys-lru' };
    const lines = directivesOf(renderRedisConf(specOf({ memory: '1Gi', config })));
    expect(lines.slice(-5)).toEqual([
      'save 900 1',
      'save 300 10',
      'appendonly no',
      'maxmemory 10mb',
      'maxmemory-policy allkeys-lru',
    ]);
    expect(lines.filter((line) => /^(save|appendonly|maxmemory|maxmemory-policy) /.test(line))).toHaveLength(5);
  });

  test('has every directive once, and no secret', () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const names = directivesOf(renderRedisConf(spec)).map((line) => line.replace(/^#\S+ /, '').split(' ')[0]);
        const single = names.filter((name) => name !== 'save');
        expect(single.length).toBe(new Set(single).size);
        expect(names).not.toContain('requirepass');
      }),
    );
  });
});
