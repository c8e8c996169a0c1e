/**
 * Pods as they change: a list, then a watch that goes on from it
 * (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes).
 */
import type { IncomingMessage } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { PodFacts } from '../cluster/model/observation.ts';
import { AppError } from '../errors.ts';
import type { RawPod } from './api-json.ts';
import type { RestClient } from './client.ts';
import { podFacts } from './facts.ts';
import { askedOf, listAll } from './objects.ts';
import { resourcePath } from './resources.ts';

export interface WatchTimes {
  /** The server ends each watch after this time; we go on with the next at once. */
  readonly serverSeconds: number;
  /** Nothing at all for this long, and the connection is taken for dead. */
  readonly idleMs: number;
  /** First and longest pause after a failure. */
  readonly retryMs: readonly [first: number, longest: number];
}

const USUAL_TIMES: WatchTimes = { serverSeconds: 30, idleMs: 40_000, retryMs: [200, 5_000] };

interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: RawPod & { readonly code?: number };
}

/** One subscription: what a dropped watch needs to go on. */
interface Subscription {
  readonly client: RestClient;
  readonly namespace: string;
  readonly selector: string;
  readonly onChange: (pods: readonly PodFacts[]) => void;
  readonly signal: AbortSignal;
  readonly times: WatchTimes;
  readonly pods: Map<string, PodFacts>;
  /** The version after which changes are missing; '' = a new list is needed. */
  resourceVersion: string;
}

/**
 * Calls `onChange` with all pods at once and after each change, until the signal aborts (it then resolves).
 * A failure before the first list throws; later ones are tried again, except when rights or credentials are lost.
 */
export async function watchPods(
  client: RestClient,
  namespace: string,
  selector: string,
  onChange: (pods: readonly PodFacts[]) => void,
  signal: AbortSignal,
  times: WatchTimes = USUAL_TIMES,
): Promise<void> {
  const pods = new Map<string, PodFacts>();
  const own: Subscription = { client, namespace, selector, onChange, signal, times, pods, resourceVersion: '' };
  const [firstPauseMs, longestPauseMs] = times.retryMs;
  let pauseMs = firstPauseMs;
  let listedOnce = false;
  while (!signal.aborted) {
    try {
      if (own.resourceVersion === '') await relist(own);
      listedOnce = true;
      await watchOnce(own);
      pauseMs = firstPauseMs;
    } catch (error) {
      if (signal.aborted) return;
      if (!listedOnce || !isPassing(error)) throw error;
      await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs);
    }
  }
}

class DroppedWatch extends Error {}

/** A lost connection or a server that is down; anything else (rights, a bug in `onChange`) must be seen. */
function isPassing(error: unknown): boolean {
  if (error instanceof DroppedWatch) return true;
  return error instanceof AppError && ['server-unreachable', 'server-busy', 'server-error'].includes(error.code);
}

async function relist(own: Subscription): Promise<void> {
  const { client, namespace, selector, signal } = own;
  const listed = await listAll<RawPod>(client, { apiVersion: 'v1', kind: 'Pod', namespace }, { selector, signal });
  own.pods.clear();
  for (const pod of listed.items) keep(own, pod);
  own.resourceVersion = listed.resourceVersion;
  own.onChange([...own.pods.values()]);
}

function keep(own: Subscription, pod: RawPod): void {
  const facts = podFacts(pod);
  own.pods.set(facts.name, facts);
}

/** One watch, to its end. Several changes that arrive together are one call. */
async function watchOnce(own: Subscription): Promise<void> {
  const startedAt = performance.now();
  const response = await openWatch(own);
  let heard = false;
  for await (const lines of lineGroups(response, own.times.idleMs)) {
    heard = true;
    const effects = lines.map((line) => take(own, JSON.parse(line) as WatchEvent));
    if (effects.includes('changed')) own.onChange([...own.pods.values()]);
    if (effects.includes('expired')) throw new DroppedWatch('version expired');
  }
  // Something between us and the server that ends every watch at once must not make us ask in a tight loop.
  if (!heard && performance.now() - startedAt < own.times.retryMs[0]) throw new DroppedWatch('watch ended at once');
}

async function openWatch(own: Subscription): Promise<IncomingMessage> {
  const path = resourcePath({ apiVersion: 'v1', kind: 'Pod', namespace: own.namespace });
  try {
    return await own.client.stream({
      method: 'GET',
      path: path.path,
      query: {
        watch: true,
        allowWatchBookmarks: true,
        labelSelector: own.selector,
        resourceVersion: own.resourceVersion,
        timeoutSeconds: own.times.serverSeconds,
      },
      asked: askedOf('watch', path),
      signal: own.signal,
      repeatable: true,
    });
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'expired') throw error;
    own.resourceVersion = '';
    throw new DroppedWatch('version expired', { cause: error });
  }
}

/** Books one event. An error is always the same: our version is older than the server's memory, so list anew. */
function take(own: Subscription, event: WatchEvent): 'changed' | 'nothing' | 'expired' {
  if (event.type === 'ERROR') {
    own.resourceVersion = '';
    return 'expired';
  }
  own.resourceVersion = event.object.metadata?.resourceVersion ?? own.resourceVersion;
  if (event.type === 'BOOKMARK') return 'nothing';
  if (event.type === 'DELETED') own.pods.delete(event.object.metadata?.name ?? '');
  else keep(own, event.object);
  return 'changed';
}

/** Whole lines, as many together as arrived together. @throws {DroppedWatch} when the connection breaks or falls silent. */
async function* lineGroups(response: IncomingMessage, idleMs: number): AsyncGenerator<readonly string[]> {
  const silence = setTimeout(() => response.destroy(new Error('no sign of life')), idleMs);
  response.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of response) {
      silence.refresh();
      const parts = (rest + String(chunk)).split('\n');
      rest = parts.pop() ?? '';
      const lines = parts.filter((line) => line !== '');
      if (lines.length > 0) yield lines;
    }
  } catch (error) {
    throw new DroppedWatch('watch dropped', { cause: error });
  } finally {
    clearTimeout(silence);
  }
}
