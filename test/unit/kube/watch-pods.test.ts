import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { PodFacts } from '../../../pkg/cluster/model/observation.ts';
import { watchPods } from '../../../pkg/kube/watch-pods.ts';
import type { WatchTimes } from '../../../pkg/kube/watch-pods.ts';
import { sendJson, sendStatus, startHttpStub } from '../../support/http-stub.ts';
import type { Answer, HttpStub, SeenRequest } from '../../support/http-stub.ts';

let stub: HttpStub | null = null;
const control = { current: new AbortController() };
afterEach(async () => {
  control.current.abort();
  await stub?.close();
  stub = null;
});

const FAST: WatchTimes = { serverSeconds: 30, idleMs: 200, retryMs: [5, 10] };

function pod(name: string, version: string, phase = 'Running'): object {
  return { metadata: { name, resourceVersion: version }, status: { phase } };
}

function list(version: string, ...items: object[]): object {
  return { metadata: { resourceVersion: version }, items };
}

function event(type: string, object: object): string {
  return `${JSON.stringify({ type, object })}\n`;
}

/** Answers lists and watches one after the other; the last of each again and again. */
async function watchWith(
  lists: readonly object[],
  watches: readonly ((response: ServerResponse, request: SeenRequest) => void)[],
): Promise<{ changes: string[]; running: Promise<void>; stub: HttpStub }> {
  let listed = 0;
  let watched = 0;
  const answer: Answer = (request, response) => {
    if (request.query['watch'] === undefined) sendJson(response, 200, lists[Math.min(listed++, lists.length - 1)]);
    else watches[Math.min(watched++, watches.length - 1)]?.(response, request);
  };
  stub = await startHttpStub(answer);
  control.current = new AbortController();
  const changes: string[] = [];
  const onChange = (pods: readonly PodFacts[]): void => {
    changes.push(pods.map((each) => `${each.name}:${each.phase}`).join(' '));
  };
  const running = watchPods(stub.client(), 'db', 'app=redis', onChange, control.current.signal, FAST);
  return { changes, running, stub };
}

async function untilTrue(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 5_000; !condition();) {
    if (performance.now() > end) throw new Error('it did not happen');
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const stay = (response: ServerResponse): void => response.writeHead(200).flushHeaders();

describe('watchPods', () => {
  test('a list, then changes from there on; what arrives together is one call', async () => {
    const { changes, running, stub } = await watchWith(
      [list('7', pod('a', '5'), pod('b', '6', 'Pending'))],
      [
        (response) => {
          const text =
            event('MODIFIED', pod('b', '8')) +
            event('ADDED', pod('c', '9', 'Pending')) +
            event('DELETED', pod('a', '10'));
          response.write(text);
        },
      ],
    );
    await untilTrue(() => changes.length === 2);
    control.current.abort();
    await running;
    expect(changes).toEqual(['a:Running b:Pending', 'b:Running c:Pending']);
    expect(stub.seen[1]?.query).toEqual({
      watch: 'true',
      allowWatchBookmarks: 'true',
      labelSelector: 'app=redis',
      resourceVersion: '7',
      timeoutSeconds: '30',
    });
  });

  test('an event that arrives in pieces', async () => {
    const text = event('ADDED', pod('ä', '9'));
    const bytes = Buffer.from(text);
    const cut = bytes.indexOf(0xc3) + 1;
    const { changes } = await watchWith(
      [list('7')],
      [
        (response) => {
          response.write(bytes.subarray(0, cut));
          setImmediate(() => response.write(bytes.subarray(cut)));
        },
      ],
    );
    await untilTrue(() => changes.length === 2);
    expect(changes).toEqual(['', 'ä:Running']);
  });

  test('the server ends the watch: the next goes on from the last bookmark, without a list', async () => {
    const { changes, stub } = await watchWith(
      [list('7', pod('a', '5'))],
      [
        (response) => void response.end(event('BOOKMARK', { metadata: { resourceVersion: '42' } })),
        (response) => void response.write(event('DELETED', pod('a', '43'))),
      ],
    );
    await untilTrue(() => changes.length === 2);
    expect(changes).toEqual(['a:Running', '']);
    expect(stub.seen.map((each) => each.query['resourceVersion'])).toEqual([undefined, '7', '42']);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['an event', (response) => void response.write(event('ERROR', { code: 410, kind: 'Status' }))],
    ['its status', (response) => sendStatus(response, 410, 'Expired', 'too old resource version')],
  ])('the version is too old, as %s says: a new list', async (_, expired) => {
    const { changes, stub } = await watchWith([list('7', pod('a', '5')), list('90', pod('b', '80'))], [expired, stay]);
    await untilTrue(() => stub.seen.length === 4);
    expect(changes).toEqual(['a:Running', 'b:Running']);
    expect(stub.seen.map((each) => each.query['resourceVersion'])).toEqual([undefined, '7', undefined, '90']);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['breaks', (response) => response.write(event('ADDED', pod('x', '8')), () => response.destroy())],
    ['falls silent', (response) => void response.write(event('ADDED', pod('x', '8')))],
    ['is answered by a broken server', (response) => sendStatus(response, 500, 'InternalError', 'etcd')],
    ['is ended at once', (response) => void response.end()],
  ])('a connection that %s is made anew', async (_, trouble) => {
    const { changes, stub } = await watchWith(
      [list('7')],
      [trouble, (response) => void response.write(event('ADDED', pod('b', '9')))],
    );
    await untilTrue(() => (changes.at(-1) ?? '').endsWith('b:Running'));
    expect(stub.seen.filter((each) => each.query['watch'] === undefined)).toHaveLength(1);
  });

  test('no right to list: it throws', async () => {
    stub = await startHttpStub((_request, response) =>
      sendStatus(response, 403, 'Forbidden', 'User "eve" cannot list resource "pods"'),
    );
    const running = watchPods(stub.client(), 'db', 'a=b', () => undefined, new AbortController().signal, FAST);
    await expect(running).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('rights that are lost while it runs: it throws', async () => {
    const { running } = await watchWith(
      [list('7')],
      [(response) => sendStatus(response, 403, 'Forbidden', 'User "eve" cannot watch resource "pods"')],
    );
    await expect(running).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('an error of who listens is not swallowed', async () => {
    stub = await startHttpStub((_request, response) => sendJson(response, 200, list('7')));
    const onChange = (): void => {
      throw new Error('a bug');
    };
    await expect(watchPods(stub.client(), 'db', 'a=b', onChange, new AbortController().signal, FAST)).rejects.toThrow(
      'a bug',
    );
  });

  test('an end before it began', async () => {
    stub = await startHttpStub((_request, response) => sendJson(response, 200, list('7')));
    await watchPods(stub.client(), 'db', 'a=b', () => undefined, AbortSignal.abort(), FAST);
    expect(stub.seen).toEqual([]);
  });
});
