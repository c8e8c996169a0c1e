/**
 * The plan of `delete`: from whatever is left of a cluster to what `create` can resume from, or to nothing at all.
 *
 * 0. What is refused is refused before anything goes: nodes that people brought, and keys that no volume keeps.
 * 1. Replicas stop first, and only when they are gone do the primaries: nobody can fail over, so every primary keeps its role
 *    and its volume the last word. Where no node says its role, all stop at once.
 * 2. What guards pods (budgets, the NetworkPolicy) goes when there are none left.
 * 3. With `purge`: the claims, then what names the cluster; what is recorded of it last but one, and last Service NAME, by which it is found.
 *
 * A pure function of what is there, so a kill between any two steps leaves nothing that the next run does not see.
 */
import { compareNatural } from '../natural-order.ts';
import type { Loss } from '../model/loss.ts';
import type { ClusterRef } from '../model/observation.ts';
import type { Batch, ObjectRef, Plan, Step } from '../model/plan.ts';
import type { SlotRanges } from '../model/slots.ts';
import { refuseDelete, type OtherWorkload } from './delete-refuse.ts';

/** An object that `create` made for this cluster. */
export interface OwnedObject extends ObjectRef {
  /** Its deletion has begun. */
  readonly terminating: boolean;
  /** `StatefulSet redis-1`: what takes it along when it goes; left out: nothing. */
  readonly goesWith?: string;
}

export interface DeleteInput {
  readonly cluster: ClusterRef;
  /** Everything with our labels; the Lease is left to whoever holds it. */
  readonly owned: readonly OwnedObject[];
  /** By pod, in its own words. Pods that did not answer are not among them. */
  readonly roles: ReadonlyMap<string, 'primary' | 'replica'>;
  /** Also the claims, and everything by which the cluster could be resumed. */
  readonly purge: boolean;
  readonly others: readonly OtherWorkload[];
  /** The refusal where a node holds keys of slots that it does not own: its next start may delete them. */
  readonly strays: Plan | null;
  /** Keys that are on no volume. */
  readonly loss: Loss | null;
  readonly agreedLoss: SlotRanges;
}

/** What `delete` keeps and `create` resumes from, in the order in which `purge` removes it: the claims before their names. */
const KEPT_KINDS = ['PersistentVolumeClaim', 'Secret', 'ConfigMap', 'Service'] as const;
const GUARD_KINDS = ['PodDisruptionBudget', 'NetworkPolicy'] as const;

/** @returns nothing when all that is to go has gone */
export function planDelete(input: DeleteInput): Plan {
  const refused = refuseDelete(input);
  if (refused !== null) return refused;
  const owned = input.owned.toSorted((a, b) => compareNatural(a.name, b.name));
  const batches = [
    ...stopBatches({ ...input, owned }),
    ...removeBatch('remove what guarded the pods', ofKinds(owned, GUARD_KINDS), 'it guards pods, and there are none'),
    ...(input.purge ? purgeBatches(input.cluster, owned) : []),
  ];
  return batches.length === 0 ? { kind: 'nothing', remarks: [] } : { kind: 'batches', batches, remarks: [] };
}

/** What stays for `create` to resume from. */
export function keptObjects(owned: readonly OwnedObject[], purge: boolean): OwnedObject[] {
  return purge ? [] : ofKinds(owned, KEPT_KINDS).filter((object) => !object.terminating);
}

function stopBatches({ owned, roles }: DeleteInput): Batch[] {
  const sets = ofKinds(owned, ['StatefulSet']);
  const pods = ofKinds(owned, ['Pod']);
  const setNames = new Set(sets.map((set) => set.name));
  const left = pods.filter((pod) => !setNames.has(setOf(pod)));
  const podsOf = (some: readonly OwnedObject[]): OwnedObject[] => {
    const names = new Set(some.map((set) => set.name));
    return pods.filter((pod) => names.has(setOf(pod)));
  };
  const allAre = (role: 'primary' | 'replica', some: readonly OwnedObject[]): boolean =>
    some.length > 0 && some.every((pod) => roles.get(pod.name) === role);
  const followers = sets.filter((set) => allAre('replica', podsOf([set])));
  const others = sets.filter((set) => !followers.includes(set));
  const title = allAre('primary', podsOf(others)) ? 'stop the primaries' : 'stop the nodes';
  return [
    ...waitBatch('wait until pods have stopped', left, removals(left, 'its StatefulSet is gone')),
    ...stage('stop the replicas', followers, podsOf(followers), 'replicas first, so that nobody fails over'),
    ...stage(title, others, podsOf(others), 'its volume stays'),
  ];
}

/** Kubernetes deletes the pods of a StatefulSet that is gone: each has its own time to stop. */
function stage(title: string, sets: readonly OwnedObject[], pods: readonly OwnedObject[], reason: string): Batch[] {
  return [
    ...removeBatch(title, sets, reason),
    ...waitBatch(`wait until ${pods.length === 1 ? 'it has' : 'they have'} stopped`, pods, []),
  ];
}

function purgeBatches(cluster: ClusterRef, owned: readonly OwnedObject[]): Batch[] {
  const claims = ofKinds(owned, ['PersistentVolumeClaim']);
  const names = ofKinds(owned, ['Secret', 'ConfigMap', 'Service']);
  const record = names.filter((object) => object.kind === 'ConfigMap' && object.name === `${cluster.name}-state`);
  const entry = names.filter((object) => object.kind === 'Service' && object.name === cluster.name);
  const others = names.filter((object) => !record.includes(object) && !entry.includes(object));
  return [
    ...waitBatch('remove the volumes', claims, removals(claims, 'its keys are lost for ever')),
    ...removeBatch('remove addresses and configuration', others, 'nothing is left to resume'),
    ...removeBatch('remove the record', record, 'nothing is left that it would be of'),
    ...removeBatch('remove the entry', entry, 'the cluster is found by it, so it goes last'),
  ];
}

function ofKinds(owned: readonly OwnedObject[], kinds: readonly string[]): OwnedObject[] {
  return kinds.flatMap((kind) => owned.filter((object) => object.kind === kind));
}

/** `redis-3` of pod `redis-3-0`. */
function setOf(pod: OwnedObject): string {
  return pod.name.replace(/-\d+$/, '');
}

function removeBatch(title: string, objects: readonly OwnedObject[], reason: string): Batch[] {
  const steps = removals(objects, reason);
  return steps.length === 0 ? [] : [{ title, steps }];
}

function removals(objects: readonly OwnedObject[], reason: string): Step[] {
  return objects
    .filter((object) => !object.terminating)
    .map((object) => ({ kind: 'remove-object', object: refOf(object), reason }));
}

function waitBatch(title: string, objects: readonly OwnedObject[], before: readonly Step[]): Batch[] {
  if (objects.length === 0) return [];
  const reason = `${objects.length} to go`;
  return [{ title, steps: [...before, { kind: 'wait-gone', objects: objects.map(refOf), reason }] }];
}

function refOf({ apiVersion, kind, name, uid }: OwnedObject): ObjectRef {
  return { apiVersion, kind, name, uid };
}
