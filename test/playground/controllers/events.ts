/** Events: what happened to an object, in a sentence, for people and for `why is this pod not ready`. */
import { randomBytes } from 'node:crypto';
import { timestamp } from '../api/objects.ts';
import type { ApiObject } from '../api/objects.ts';
import type { Store } from '../api/store.ts';

interface EventObject extends ApiObject {
  readonly count: number;
}

export type RecordEvent = (about: ApiObject, type: 'Normal' | 'Warning', reason: string, message: string) => void;

/** The same thing again is counted, not written anew. */
export function createRecorder(store: Store): RecordEvent {
  const known = new Map<string, ApiObject>();
  return (about, type, reason, message) => {
    const { namespace, name, uid, resourceVersion } = about.metadata;
    if (namespace === undefined || store.get('namespaces', null, namespace) === null) return;
    const key = [uid, reason, message].join('\n');
    const seen = known.get(key);
    const now = timestamp();
    const again =
      seen === undefined
        ? null
        : store.update<EventObject>('events', seen, (event) => ({
            ...event,
            lastTimestamp: now,
            count: event.count + 1,
          }));
    if (again !== null) return;
    const involvedObject = { apiVersion: about.apiVersion, kind: about.kind, namespace, name, uid, resourceVersion };
    const source = { component: 'playground' };
    const times = { firstTimestamp: now, lastTimestamp: now, eventTime: null, count: 1 };
    const metadata = { name: `${name}.${randomBytes(8).toString('hex')}`, namespace };
    const event = { involvedObject, type, reason, message, source, ...times } as object;
    known.set(key, store.create('events', { apiVersion: 'v1', kind: 'Event', metadata, ...event }));
  };
}
