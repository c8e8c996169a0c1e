/** What the API server does to an object before it stores it: defaults, addresses, and rules that it must keep. */
import { isDeepStrictEqual } from 'node:util';
import { forbidden, invalid, notImplemented } from './failure.ts';
import type { ApiObject, Claim, Container, Pod, Service, StatefulSet } from './objects.ts';
import { violations } from './pod-security.ts';
import type { NewObject, Store } from './store.ts';

export interface AdmissionDeps {
  readonly store: Store;
  /** A ClusterIP that nobody has. */
  readonly newServiceIp: () => string;
}

const DNS_NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/;
const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class';

/** For a new object, and for what an old one is to become. @throws {ApiFailure} 403, 422, 501 */
export function admit(deps: AdmissionDeps, resource: string, object: NewObject, before: ApiObject | null): NewObject {
  const { name } = object.metadata;
  if (name.length > 253 || (resource !== 'roles' && !DNS_NAME.test(name) && !resource.includes('rbac'))) {
    throw invalid(object.kind, name, 'metadata.name', `Invalid value: "${name}": a lowercase RFC 1123 subdomain`);
  }
  switch (resource) {
    case 'services':
      return service(deps, object as unknown as Service, before as Service | null);
    case 'pods':
      return before === null ? pod(deps, object as unknown as Pod) : object;
    case 'statefulsets.apps':
      return statefulSet(object as unknown as StatefulSet, before as StatefulSet | null);
    case 'persistentvolumeclaims':
      return before === null ? claim(deps, object as unknown as Claim) : object;
    case 'secrets':
      return secret(object);
    case 'namespaces':
      return { ...object, spec: { finalizers: ['kubernetes'] }, status: object.status ?? { phase: 'Active' } };
    case 'networkpolicies.networking.k8s.io':
      return networkPolicy(object);
    case 'deployments.apps':
      throw notImplemented('Deployments');
    case 'replicasets.apps':
      throw notImplemented('ReplicaSets');
    default:
      return object;
  }
}

function service({ store, newServiceIp }: AdmissionDeps, object: Service, before: Service | null): NewObject {
  const { name } = object.metadata;
  const { spec } = object;
  const type = spec.type ?? 'ClusterIP';
  if (type !== 'ClusterIP') throw notImplemented(`Services of type ${type}`);
  const ports = (spec.ports ?? []).map((port, index) => {
    if (!(port.port >= 1 && port.port <= 65535)) {
      const why = `Invalid value: ${port.port}: must be between 1 and 65535, inclusive`;
      throw invalid('Service', name, `spec.ports[${index}].port`, why);
    }
    return { protocol: 'TCP', targetPort: port.port, ...port };
  });
  const was = before?.spec.clusterIP;
  const taken = new Set(store.list<Service>('services').map((other) => other.spec.clusterIP));
  const clusterIP = spec.clusterIP ?? was ?? freeAddress(newServiceIp, taken);
  if (was === undefined && clusterIP !== 'None' && taken.has(clusterIP)) {
    const why = `Invalid value: ["${clusterIP}"]: failed to allocate IP ${clusterIP}: provided IP is already allocated`;
    throw invalid('Service', name, 'spec.clusterIPs', why);
  }
  if (was !== undefined && was !== clusterIP) {
    const why = `Invalid value: "${clusterIP}": may not change once set`;
    throw invalid('Service', name, 'spec.clusterIPs[0]', why);
  }
  const defaults = { sessionAffinity: 'None', internalTrafficPolicy: 'Cluster', ipFamilyPolicy: 'SingleStack' };
  const family = { ipFamilies: ['IPv4'], clusterIP, clusterIPs: [clusterIP] };
  return { ...object, spec: { ...defaults, ...spec, type, ports, ...family }, status: { loadBalancer: {} } };
}

function freeAddress(next: () => string, taken: ReadonlySet<string | undefined>): string {
  for (;;) {
    const address = next();
    if (!taken.has(address)) return address;
  }
}

/** Defaults that readers of a pod count on. */
function pod({ store }: AdmissionDeps, object: Pod): NewObject {
  const { name, namespace } = object.metadata;
  const level = store.get('namespaces', null, namespace ?? '')?.metadata.labels?.['pod-security.kubernetes.io/enforce'];
  if (level === 'baseline') throw notImplemented('PodSecurity level baseline');
  const wrong = level === 'restricted' ? violations(object.spec) : [];
  if (wrong.length > 0) {
    throw forbidden('pods', name, `violates PodSecurity "restricted:latest": ${wrong.join(', ')}`);
  }
  const { spec } = object;
  if ((spec.initContainers ?? []).length > 0) throw notImplemented('init containers');
  if (
    spec.containers.some((each) => each.lifecycle?.preStop !== undefined && each.lifecycle.preStop.exec === undefined)
  )
    throw notImplemented('hooks but exec');
  if (spec.affinity?.nodeAffinity !== undefined || spec.affinity?.podAffinity !== undefined) {
    throw notImplemented('affinity but podAntiAffinity');
  }
  const defaults = { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, schedulerName: 'default-scheduler' };
  const containers = spec.containers.map((each) => ({ imagePullPolicy: 'IfNotPresent', ...each }));
  containers.forEach(refuseProbes);
  return {
    ...object,
    spec: { ...defaults, serviceAccountName: 'default', ...spec, containers },
    status: { phase: 'Pending' },
  };
}

function refuseProbes({ startupProbe, readinessProbe, livenessProbe }: Container): void {
  const probes = [startupProbe, readinessProbe, livenessProbe].filter((probe) => probe !== undefined);
  if (probes.some((probe) => probe.exec === undefined && probe.tcpSocket === undefined)) {
    throw notImplemented('probes but exec and tcpSocket');
  }
}

function statefulSet(object: StatefulSet, before: StatefulSet | null): NewObject {
  const { spec } = object;
  const defaults = { replicas: 1, podManagementPolicy: 'OrderedReady', updateStrategy: { type: 'RollingUpdate' } };
  const complete: StatefulSet['spec'] = { ...defaults, ...spec };
  for (const field of ['selector', 'serviceName', 'podManagementPolicy', 'volumeClaimTemplates'] as const) {
    if (before === null || isDeepStrictEqual(before.spec[field], complete[field])) continue;
    const why = 'Forbidden: updates to statefulset spec for fields other than replicas and template are forbidden';
    throw invalid('StatefulSet', object.metadata.name, 'spec', why);
  }
  return { ...object, spec: complete };
}

function claim({ store }: AdmissionDeps, object: Claim): NewObject {
  const byDefault = store
    .list('storageclasses.storage.k8s.io')
    .find(({ metadata }) => metadata.annotations?.[DEFAULT_CLASS] === 'true');
  const storageClassName = object.spec.storageClassName ?? byDefault?.metadata.name;
  const finalizers = ['kubernetes.io/pvc-protection'];
  return {
    ...object,
    metadata: { ...object.metadata, finalizers },
    spec: { ...object.spec, ...(storageClassName === undefined ? {} : { storageClassName }), volumeMode: 'Filesystem' },
    status: { phase: 'Pending' },
  };
}

/** `stringData` is a way to write `data`. */
function secret(object: NewObject): NewObject {
  const { stringData, ...rest } = object as NewObject &
    Record<'stringData' | 'data', Record<string, string> | undefined>;
  const written = Object.entries(stringData ?? {}).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return { type: 'Opaque', ...rest, data: { ...rest.data, ...Object.fromEntries(written) } } as unknown as NewObject;
}

function networkPolicy(object: NewObject): NewObject {
  const spec = object.spec as { readonly policyTypes?: readonly string[] };
  return { ...object, spec: { policyTypes: ['Ingress'], ...spec } };
}
