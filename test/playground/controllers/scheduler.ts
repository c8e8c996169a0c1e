/**
 * Gives each pod a host: filters (ready, schedulable, requests, hard anti-affinity, hard spread), then scores (soft
 * anti-affinity, soft spread, fewest pods). One pod after the other, so that each sees the ones before it.
 */
import { cpuCores, memoryBytes } from '../../../pkg/pod/quantity.ts';
import type { AffinityTerm, Claim, Host, Pod } from '../api/objects.ts';
import { timestamp } from '../api/objects.ts';
import { selects, selectsAll } from '../api/selectors.ts';
import type { ControllerDeps } from './stateful-sets.ts';

interface Seen {
  readonly hosts: readonly Host[];
  /** Pods that have a host and are not over. */
  readonly placed: readonly Pod[];
}

export function schedule(deps: ControllerDeps): void {
  const { store, record } = deps;
  const waiting = store.list<Pod>('pods').filter(({ spec, metadata }) => {
    return spec.nodeName === undefined && metadata.deletionTimestamp === undefined;
  });
  for (const pod of waiting) {
    const hosts = store.list<Host>('nodes');
    const placed = store
      .list<Pod>('pods')
      .filter(
        ({ spec, status }) => spec.nodeName !== undefined && status.phase !== 'Failed' && status.phase !== 'Succeeded',
      );
    const why = claimTrouble(deps, pod) ?? place(deps, pod, { hosts, placed });
    if (why === null) continue;
    const message = `0/${hosts.length} nodes are available: ${why}. preemption: 0/${hosts.length} nodes are available: ${hosts.length} Preemption is not helpful for scheduling.`;
    const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message } as const;
    const known = pod.status.conditions?.find(({ type }) => type === 'PodScheduled');
    if (known?.message === message) continue;
    store.update<Pod>('pods', pod, (now) => ({
      ...now,
      status: { ...now.status, conditions: [{ ...condition, lastTransitionTime: timestamp() }] },
    }));
    record(pod, 'Warning', 'FailedScheduling', message);
  }
}

function claimTrouble({ store }: ControllerDeps, { spec, metadata }: Pod): string | null {
  for (const { persistentVolumeClaim: used } of spec.volumes ?? []) {
    if (used === undefined) continue;
    const claim = store.get<Claim>('persistentvolumeclaims', metadata.namespace ?? '', used.claimName);
    if (claim === null) return `persistentvolumeclaim "${used.claimName}" not found`;
    if (claim.metadata.deletionTimestamp !== undefined)
      return `persistentvolumeclaim "${used.claimName}" is being deleted`;
    if (claim.status.phase !== 'Bound') return 'pod has unbound immediate PersistentVolumeClaims';
  }
  return null;
}

/** null when it found a host; else why each host is out, counted. */
function place({ store, record }: ControllerDeps, pod: Pod, seen: Seen): string | null {
  const reasons = new Map<string, number>();
  const fits = seen.hosts.filter((host) => {
    const why = obstacle(pod, host, seen);
    if (why !== null) reasons.set(why, (reasons.get(why) ?? 0) + 1);
    return why === null;
  });
  const [best] = fits
    // Between equals it goes on from the last one, so that the first does not get most.
    .map((host) => ({ host, index: (seen.hosts.indexOf(host) + 2 * seen.placed.length) % seen.hosts.length }))
    .map((each) => ({ ...each, score: score(pod, each.host, seen) }))
    .sort((a, b) => b.score - a.score || a.index - b.index);
  if (best === undefined) return [...reasons].map(([why, count]) => `${count} ${why}`).join(', ');
  const nodeName = best.host.metadata.name;
  const condition = { type: 'PodScheduled', status: 'True', lastTransitionTime: timestamp() } as const;
  store.update<Pod>('pods', pod, (now) => ({
    ...now,
    spec: { ...now.spec, nodeName },
    status: { ...now.status, conditions: [condition] },
  }));
  const { namespace, name } = pod.metadata;
  record(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${name} to ${nodeName}`);
  return null;
}

function obstacle(pod: Pod, host: Host, seen: Seen): string | null {
  const { spec, status, metadata } = host;
  if (spec.unschedulable === true) return 'node(s) were unschedulable';
  const taint = (spec.taints ?? []).find(({ effect }) => effect !== 'PreferNoSchedule');
  if (taint !== undefined) return `node(s) had untolerated taint {${taint.key}: }`;
  if (!(status.conditions ?? []).some(({ type, status: is }) => type === 'Ready' && is === 'True'))
    return 'node(s) were not ready';
  if (!selectsAll(pod.spec.nodeSelector ?? {}, metadata.labels))
    return "node(s) didn't match Pod's node affinity/selector";
  const onHost = seen.placed.filter((each) => each.spec.nodeName === metadata.name);
  const lacking = lacks(pod, host, onHost);
  if (lacking !== null) return `Insufficient ${lacking}`;
  const hard = pod.spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  if (hard.some((term) => near(pod, host, term, seen) > 0)) return "node(s) didn't match pod anti-affinity rules";
  const spread = (pod.spec.topologySpreadConstraints ?? []).filter(
    (each) => each.whenUnsatisfiable === 'DoNotSchedule',
  );
  if (spread.some((term) => near(pod, host, term, seen) + 1 - least(pod, term, seen) > term.maxSkew)) {
    return "node(s) didn't match pod topology spread constraints";
  }
  return null;
}

function score(pod: Pod, host: Host, seen: Seen): number {
  const soft = pod.spec.affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const apart = soft.map(({ weight, podAffinityTerm }) => -weight * near(pod, host, podAffinityTerm, seen));
  const spread = (pod.spec.topologySpreadConstraints ?? []).map((term) => -100 * near(pod, host, term, seen));
  const load = seen.placed.filter(({ spec }) => spec.nodeName === host.metadata.name).length;
  return [...apart, ...spread].reduce((sum, each) => sum + each, 0) - load;
}

/** Pods of the namespace that a term selects, in the domain of a host. */
function near(pod: Pod, host: Host, { topologyKey, labelSelector }: AffinityTerm, { hosts, placed }: Seen): number {
  const domain = host.metadata.labels?.[topologyKey];
  const within = new Set(
    hosts.filter(({ metadata }) => metadata.labels?.[topologyKey] === domain).map(({ metadata }) => metadata.name),
  );
  return placed.filter(
    ({ metadata, spec }) =>
      metadata.namespace === pod.metadata.namespace &&
      within.has(spec.nodeName ?? '') &&
      selects(labelSelector, metadata.labels),
  ).length;
}

const least = (pod: Pod, term: AffinityTerm, seen: Seen): number =>
  Math.min(...seen.hosts.map((host) => near(pod, host, term, seen)));

function lacks(pod: Pod, host: Host, onHost: readonly Pod[]): 'cpu' | 'memory' | null {
  const asked = (pods: readonly Pod[], what: 'cpu' | 'memory'): number =>
    pods
      .flatMap(({ spec }) => spec.containers)
      .map(({ resources }) => resources?.requests?.[what])
      .filter((each) => each !== undefined)
      .reduce((sum, each) => sum + (what === 'cpu' ? cpuCores(each) : memoryBytes(each)), 0);
  const { cpu = '0', memory = '0' } = host.status.allocatable ?? {};
  if (asked([...onHost, pod], 'cpu') > cpuCores(cpu)) return 'cpu';
  return asked([...onHost, pod], 'memory') > memoryBytes(memory) ? 'memory' : null;
}
