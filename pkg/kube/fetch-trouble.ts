/** Collects the evidence for why-not-ready.ts: as few requests as the pod's state needs, all side by side. */
import type { PodFacts } from '../cluster/model/observation.ts';
import type { PodTrouble } from '../engine/ports.ts';
import { AppError } from '../errors.ts';
import type { RawClaim, RawEvent, RawPod, RawStorageClass } from './api-json.ts';
import type { RestClient } from './client.ts';
import { podFacts } from './facts.ts';
import { getOne, listAll } from './objects.ts';
import { resourcePath } from './resources.ts';
import { decideNoPod, decideTrouble } from './why-not-ready.ts';

const LOG_LINES = 20;
const LOG_BYTES = 64 * 1024;

/** @throws {AppError} when the pod itself can't be read; events, claims and logs that may not be read are left out. */
export async function whyNotReady(client: RestClient, namespace: string, known: PodFacts): Promise<PodTrouble | null> {
  const pod = await getOne<RawPod>(client, { apiVersion: 'v1', kind: 'Pod', namespace, name: known.name });
  const nothing = { events: [], claims: [], storageClasses: null, log: [], previousLog: [] };
  if (pod === null) return decideTrouble(known, { ...nothing, pod });
  const facts = podFacts(pod);
  if (facts.ready && !facts.terminating) return null;
  const crashed = facts.container.restarts > 0 || facts.container.state === 'terminated';
  const logged = facts.container.state === 'running' || crashed;
  const ask = (previous: boolean): Promise<readonly string[]> =>
    logTail(client, namespace, { pod: facts.name, container: facts.container.name, lines: LOG_LINES, previous });
  const [events, claims, storageClasses, log, previousLog] = await Promise.all([
    podEvents(client, namespace, facts),
    facts.host === null ? readClaims(client, namespace, facts.claims) : [],
    facts.host === null && facts.claims.length > 0 ? readStorageClasses(client) : null,
    logged ? ask(false) : [],
    crashed ? ask(true) : [],
  ]);
  return decideTrouble(facts, { pod, events, claims, storageClasses, log, previousLog });
}

/** @throws {AppError} when events may not be listed */
export async function whyNoPod(client: RestClient, namespace: string, statefulSet: string): Promise<PodTrouble | null> {
  const fields = `involvedObject.kind=StatefulSet,involvedObject.name=${statefulSet}`;
  const listed = await listAll<RawEvent>(client, { apiVersion: 'v1', kind: 'Event', namespace }, { fields });
  return decideNoPod(statefulSet, listed.items);
}

export interface LogRequest {
  readonly pod: string;
  readonly container: string;
  readonly lines: number;
  readonly previous: boolean;
}

/** Last lines, oldest first, without the empty one at the end. Never throws: no log is no lines. */
export async function logTail(client: RestClient, namespace: string, wanted: LogRequest): Promise<readonly string[]> {
  const path = resourcePath({ apiVersion: 'v1', kind: 'Pod', namespace, name: wanted.pod });
  try {
    const text = await client.text({
      method: 'GET',
      path: `${path.path}/log`,
      query: {
        container: wanted.container,
        tailLines: wanted.lines,
        limitBytes: LOG_BYTES,
        ...(wanted.previous ? { previous: true } : {}),
      },
      asked: { verb: 'get', resource: 'pods/log', namespace, name: wanted.pod },
      repeatable: true,
    });
    return text.split('\n').filter((line, index, all) => line !== '' || index < all.length - 1);
  } catch {
    return [];
  }
}

async function podEvents(client: RestClient, namespace: string, pod: PodFacts): Promise<readonly RawEvent[]> {
  const of = (fields: string): Promise<readonly RawEvent[]> =>
    listAll<RawEvent>(client, { apiVersion: 'v1', kind: 'Event', namespace }, { fields }).then(
      (listed) => listed.items,
      noneIfForbidden,
    );
  const claims = pod.host === null ? pod.claims : [];
  const lists = await Promise.all([
    of(`involvedObject.uid=${pod.uid}`),
    ...claims.map((claim) => of(`involvedObject.kind=PersistentVolumeClaim,involvedObject.name=${claim}`)),
  ]);
  return lists.flat();
}

async function readClaims(
  client: RestClient,
  namespace: string,
  names: readonly string[],
): Promise<readonly RawClaim[]> {
  const found = await Promise.all(
    names.map((name) =>
      getOne<RawClaim>(client, { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name }).catch(
        (error: unknown) => {
          noneIfForbidden(error);
          return null;
        },
      ),
    ),
  );
  return found.filter((claim) => claim !== null);
}

async function readStorageClasses(client: RestClient): Promise<readonly RawStorageClass[] | null> {
  try {
    const address = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', namespace: null };
    return (await listAll<RawStorageClass>(client, address)).items;
  } catch (error) {
    noneIfForbidden(error);
    return null;
  }
}

function noneIfForbidden(error: unknown): readonly [] {
  if (error instanceof AppError && error.code === 'forbidden') return [];
  throw error;
}
