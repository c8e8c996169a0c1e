/** `status --watch`: what goes to the terminal, and that it is left as it was found. */
import { describe, expect, test } from '@jest/globals';
import type { Deps, Session } from '../../../cmd/deps.ts';
import { run } from '../../../cmd/run.ts';
import { VERBS } from '../../../cmd/verbs/all.ts';
import type { Observation } from '../../../pkg/cluster/model/observation.ts';
import { AppError } from '../../../pkg/errors.ts';
import { unowned } from '../../support/observation-faults.ts';
import { healthyObservation } from '../../support/observation.ts';

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';

interface Watched {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Looks at one observation after the other; Ctrl-C comes in the pause after the last one. An error is a look that fails. */
async function watch(
  argv: readonly string[],
  looks: readonly (Observation | Error)[],
  size: { readonly columns: number; readonly rows: number } | null,
  onPause: (pause: number, resize: () => void, close: () => void) => void = () => undefined,
): Promise<Watched> {
  let [stdout, stderr, pauses, at] = ['', '', 0, 0];
  let resize = (): void => undefined;
  const [stop, unread] = [new AbortController(), new AbortController()];
  const current = (): Observation | Error => looks[Math.min(at, looks.length - 1)] ?? new Error('no look');
  const session: Pick<Session, 'namespace' | 'close'> & {
    kube: object;
    redis: object;
    prepare: () => void;
  } = {
    prepare: () => undefined,
    namespace: 'default',
    close: () => undefined,
    kube: {
      readFacts: () => {
        const now = current();
        return now instanceof Error ? Promise.reject(now) : Promise.resolve(now.kube);
      },
    },
    redis: {
      ask: (pod: { readonly name: string }) => {
        const now = current();
        return Promise.resolve(now instanceof Error ? null : now.replies.find((one) => one.pod === pod.name)?.reply);
      },
    },
  };
  const deps: Deps = {
    terminal: {
      write: (text) => void (stdout += text),
      say: (text) => void (stderr += text),
      look: () => ({ width: size?.columns ?? null, colour: false }),
      size: () => size,
      live: false,
      unread: unread.signal,
      onResize: (callback) => {
        resize = callback;
        return () => (resize = () => undefined);
      },
    },
    clock: {
      now: () => Date.parse('2026-11-23T10:00:00.000Z'),
      monotonic: () => 0,
      sleep: (_, signal) => {
        onPause(
          pauses++,
          () => resize(),
          () => unread.abort(new Error('EPIPE')),
        );
        at++;
        if (at >= looks.length) stop.abort(new Error('interrupted'));
        return signal?.aborted === true ? Promise.reject(new Error('interrupted')) : Promise.resolve();
      },
    },
    signal: stop.signal,
    env: {},
    interactive: false,
    openSession: () => Promise.resolve(session as unknown as Session),
  };
  const exitCode = await run(['status', 'redis', '--watch', ...argv], deps, { verbs: VERBS, debug: false });
  return { exitCode, stdout, stderr };
}

const healthy = healthyObservation();
const broken = unowned([{ start: 5, end: 6 }])(healthy);

describe('on a terminal', () => {
  test('draws in place and gives the terminal back', async () => {
    const { exitCode, stdout, stderr } = await watch([], [healthy, broken], { columns: 80, rows: 40 });
    expect([exitCode, stderr]).toEqual([130, '']);
    expect(stdout.startsWith(ENTER)).toBe(true);
    expect(stdout.endsWith(LEAVE)).toBe(true);
    const pages = stdout.split('\u001b[H').slice(1);
    expect(pages.map((page) => page.split('\u001b[K')[0])).toEqual([
      'Redis Cluster default/redis: healthy',
      'Redis Cluster default/redis: broken',
    ]);
    expect(pages[0]).toContain('10:00:00 UTC, every 2 s; Ctrl-C ends\u001b[K\u001b[J');
  });

  test('a page that is too long for the window is cut, and says so', async () => {
    const { stdout } = await watch([], [broken], { columns: 80, rows: 10 });
    const [page = ''] = stdout.split('\u001b[H').slice(1);
    const lines = page.replace(LEAVE, '').split('\r\n');
    expect(lines).toHaveLength(10);
    expect(lines[7]).toMatch(/^… \d+ more lines/);
  });

  test('another size of the window: drawn at once', async () => {
    const { stdout } = await watch([], [healthy, healthy], { columns: 80, rows: 40 }, (pause, resize) => {
      if (pause === 0) resize();
    });
    expect(stdout.split('\u001b[H')).toHaveLength(4);
  });

  test('a look that fails keeps the last page and says why', async () => {
    const fault = new AppError('cannot reach the API server', { code: 'server-unreachable' });
    const { exitCode, stdout } = await watch([], [healthy, fault], { columns: 80, rows: 40 });
    expect(exitCode).toBe(130);
    const page = stdout.split('\u001b[H')[2] ?? '';
    expect(page).toContain('Redis Cluster default/redis: healthy');
    expect(page).toContain('10:00:00 UTC was the last look that worked: cannot reach the API server');
  });

  test('a first look that fails is an error, and the terminal was not touched', async () => {
    const fault = new AppError('cannot reach the API server', { code: 'server-unreachable' });
    expect(await watch([], [fault], { columns: 80, rows: 40 })).toEqual({
      exitCode: 1,
      stdout: '',
      stderr: 'error: cannot reach the API server\n',
    });
  });
});

describe('elsewhere', () => {
  test('T1: ends quietly when nobody reads it any more', async () => {
    const looks = [healthy, healthy, healthy, healthy];
    const { exitCode, stdout, stderr } = await watch([], looks, null, (pause, _, close) => {
      if (pause === 1) close();
    });
    expect([exitCode, stderr, stdout.match(/^Redis Cluster/gm)?.length]).toEqual([0, '', 2]);
  });

  test('each look is a block', async () => {
    const { exitCode, stdout } = await watch([], [healthy, broken], null);
    expect(exitCode).toBe(130);
    expect(stdout).not.toContain('\u001b');
    expect(stdout.match(/^2026-11-23T10:00:00.000Z\nRedis Cluster default\/redis: \w+$/gm)).toEqual([
      '2026-11-23T10:00:00.000Z\nRedis Cluster default/redis: healthy',
      '2026-11-23T10:00:00.000Z\nRedis Cluster default/redis: broken',
    ]);
  });

  test('as YAML, documents apart', async () => {
    const { stdout } = await watch(['-o', 'yaml'], [healthy, broken], null);
    expect(stdout.split('---\n').map((text) => text.split('\n')[1])).toEqual(['kind: Status', 'kind: Status']);
  });

  test('a look that fails is said on stderr, and it goes on', async () => {
    const fault = new AppError('cannot reach the API server', { code: 'server-unreachable' });
    const { stdout, stderr } = await watch([], [healthy, fault, broken], null);
    expect(stderr).toBe('error: cannot reach the API server\n');
    expect(stdout).toContain('redis: broken');
  });
});
