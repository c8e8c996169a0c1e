/** Rows for `kubectl get`, which asks the server how to show things (meta.k8s.io/v1 Table). Pure but for the age. */
import type { IncomingMessage } from 'node:http';
import type { ApiObject, Claim, Pod, Service, StatefulSet } from './objects.ts';
import type { Resource } from './resources.ts';

export function wantsTable({ headers }: IncomingMessage): boolean {
  return /as=Table/.test(headers.accept ?? '');
}

type Cells = (object: ApiObject) => readonly [column: string, cell: unknown][];

const CELLS: Readonly<Record<string, Cells>> = {
  pods: (object) => {
    const { status, spec, metadata } = object as Pod;
    const containers = status.containerStatuses ?? [];
    const waiting = containers.map(({ state }) => state.waiting?.reason ?? state.terminated?.reason).find(Boolean);
    const shown = metadata.deletionTimestamp === undefined ? (waiting ?? status.phase) : 'Terminating';
    return [
      ['Ready', `${containers.filter(({ ready }) => ready).length}/${spec.containers.length}`],
      ['Status', shown],
      ['Restarts', containers.reduce((sum, { restartCount }) => sum + restartCount, 0)],
      ['Age', ageOf(object)],
      ['IP', status.podIP ?? '<none>'],
      ['Node', spec.nodeName ?? '<none>'],
    ];
  },
  services: (object) => {
    const { spec } = object as Service;
    const ports = (spec.ports ?? []).map(({ port, protocol }) => `${port}/${protocol}`).join(',');
    return [
      ['Type', spec.type],
      ['Cluster-IP', spec.clusterIP],
      ['Port(s)', ports],
      ['Age', ageOf(object)],
    ];
  },
  'statefulsets.apps': (object) => {
    const ready = (object.status as { readonly readyReplicas?: number } | undefined)?.readyReplicas ?? 0;
    return [
      ['Ready', `${ready}/${(object as StatefulSet).spec.replicas ?? 1}`],
      ['Age', ageOf(object)],
    ];
  },
  persistentvolumeclaims: (object) => {
    const { status, spec } = object as Claim;
    return [
      ['Status', status.phase],
      ['Volume', spec.volumeName ?? ''],
      ['Capacity', status.capacity?.['storage'] ?? ''],
      ['StorageClass', spec.storageClassName ?? ''],
      ['Age', ageOf(object)],
    ];
  },
  events: (object) => {
    const event = object as ApiObject & Record<'type' | 'reason' | 'message', string>;
    const about = (object as unknown as { involvedObject: { kind: string; name: string } }).involvedObject;
    return [
      ['Type', event.type],
      ['Reason', event.reason],
      ['Object', `${about.kind.toLowerCase()}/${about.name}`],
      ['Message', event.message],
    ];
  },
};

/** Columns that only `-o wide` shows. */
const WIDE = new Set(['IP', 'Node']);

export function renderTable(resource: Resource, objects: readonly ApiObject[], resourceVersion: string): object {
  const cellsOf: Cells = CELLS[resource.key] ?? ((object) => [['Age', ageOf(object)]]);
  const rows = objects.map((object) => [['Name', object.metadata.name] as const, ...cellsOf(object)]);
  const columns = rows[0]?.map(([column]) => column) ?? ['Name'];
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata: { resourceVersion },
    columnDefinitions: columns.map((name) => ({
      name,
      type: 'string',
      format: name === 'Name' ? 'name' : '',
      description: '',
      priority: WIDE.has(name) ? 1 : 0,
    })),
    rows: rows.map((cells, index) => ({
      cells: cells.map(([, cell]) => cell),
      object: { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: objects[index]?.metadata },
    })),
  };
}

function ageOf({ metadata }: ApiObject): string {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(metadata.creationTimestamp)) / 1000));
  if (seconds < 120) return `${seconds}s`;
  return seconds < 7200 ? `${Math.floor(seconds / 60)}m` : `${Math.floor(seconds / 3600)}h`;
}
