/** Watches: what changed since a version, as lines of JSON (https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes). */
import type { ServerResponse } from 'node:http';
import { ApiFailure } from './failure.ts';
import type { ApiObject } from './objects.ts';
import type { Matcher } from './selectors.ts';
import type { Change, Store } from './store.ts';

export interface WatchRequest {
  readonly resource: string;
  readonly namespace: string | null;
  readonly matches: Matcher;
  /** '' and '0': first what there is. */
  readonly since: string;
  readonly timeoutMs: number;
  /** How an object is written: as it is, or as a row of a table. */
  readonly render: (object: ApiObject) => unknown;
}

/** An object that a change puts in or out of the selection has come or gone, for who watches it. */
function seenAs(change: Change, { resource, namespace, matches }: WatchRequest): Change['type'] | null {
  if (change.resource !== resource) return null;
  const { object, before, type } = change;
  if (namespace !== null && object.metadata.namespace !== namespace) return null;
  if (type !== 'MODIFIED') return matches(object) ? type : null;
  const [was, is] = [before !== null && matches(before), matches(object)];
  if (is) return was ? 'MODIFIED' : 'ADDED';
  return was ? 'DELETED' : null;
}

/** Answers, until the client goes or the time is over. */
export function serveWatch(store: Store, request: WatchRequest, response: ServerResponse): void {
  const missed = request.since === '' || request.since === '0' ? [] : store.changesSince(Number(request.since));
  response.writeHead(200, { 'content-type': 'application/json' });
  const send = (type: string, object: unknown): void => void response.write(`${JSON.stringify({ type, object })}\n`);
  if (missed === null) {
    const expired = new ApiFailure(410, 'Expired', `too old resource version: ${request.since} (${store.version()})`);
    send('ERROR', expired.status);
    response.end();
    return;
  }
  const tell = (change: Change): void => {
    const type = seenAs(change, request);
    if (type !== null) send(type, request.render(change.object));
  };
  if (request.since === '' || request.since === '0') {
    const there = store.list(request.resource, request.namespace).filter(request.matches);
    for (const object of there) send('ADDED', request.render(object));
  }
  missed.forEach(tell);
  const stop = store.onChange(tell);
  const timer = setTimeout(() => response.end(), request.timeoutMs);
  response.flushHeaders();
  response.once('close', () => {
    clearTimeout(timer);
    stop();
  });
}
