/** What every stage of `scale` looks at: the nodes that stay, by shard, and who leads each shard. */
import type { KubeFacts } from '../model/observation.ts';
import type { Step, StepNode } from '../model/plan.ts';
import { nodeName, ordinalsOf, podName, shardOf, shardsOf, type ClusterSpec } from '../model/spec.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import type { OwnedObject } from './delete.ts';
import { evidenceOf, type Evidence } from '../evidence/evidence.ts';
import { memberOf, type Member } from '../evidence/members.ts';
import { choosePrimaries } from './placement.ts';
import { withoutLeaving } from './scale-layout.ts';

export interface ScaleSeen {
  readonly state: ClusterState;
  readonly kube: KubeFacts;
  /** Objects of the cluster that `create` and `scale` made. */
  readonly owned: readonly OwnedObject[];
}

export interface ScaleShard {
  readonly name: string;
  /** Nodes that stay and answer. */
  readonly members: readonly Member[];
  /** Who has its slots, or shall have them; null while none of its nodes is there. May be one that goes. */
  readonly head: Member | null;
  /** Who leads it in the end: `head`, unless that goes. */
  readonly heir: Member | null;
}

export interface ScaleContext extends ScaleSeen {
  readonly spec: ClusterSpec;
  /** The spec without the nodes that go. */
  readonly target: ClusterSpec;
  /** All that answer. */
  readonly members: readonly Member[];
  readonly evidence: Evidence;
  readonly shards: readonly ScaleShard[];
  readonly leaving: readonly LeavingNode[];
}

export interface LeavingNode {
  readonly ordinal: number;
  readonly name: string;
  readonly pod: string;
  /** Address of its Service, by which gossip still knows it; '' when there is none. */
  readonly address: string;
  /** null when nothing of it is left in the cluster. */
  readonly node: ClusterNode | null;
}

export function scaleContext(seen: ScaleSeen, spec: ClusterSpec): ScaleContext {
  const target = withoutLeaving(spec);
  const members = seen.state.nodes.flatMap(memberOf);
  const evidence = evidenceOf(seen.state, seen.kube);
  return {
    ...seen,
    spec,
    target,
    members,
    evidence,
    shards: layShards(members, spec, target, evidence),
    leaving: (spec.scaling?.leaving ?? []).map((ordinal) => leavingNode(seen, spec, ordinal)),
  };
}

function leavingNode({ state, kube }: ScaleSeen, spec: ClusterSpec, ordinal: number): LeavingNode {
  const name = nodeName(spec.cluster.name, ordinal);
  const pod = podName(spec.cluster.name, ordinal);
  const address = kube.services.find((service) => service.name === name)?.clusterIP ?? '';
  const byPod = state.nodes.find((node) => node.pod?.name === pod);
  const byAddress = state.nodes.find((node) => node.pod === null && address !== '' && node.gossip?.ip === address);
  return { ordinal, name, pod, address, node: byPod ?? byAddress ?? null };
}

function layShards(
  members: readonly Member[],
  spec: ClusterSpec,
  target: ClusterSpec,
  evidence: Evidence,
): ScaleShard[] {
  const byPod = new Map(members.map((member) => [member.step.pod, member]));
  const of = (one: ClusterSpec, shard: string): Member[] =>
    ordinalsOf(one)
      .filter((ordinal) => shardOf(one, ordinal) === shard)
      .flatMap((ordinal) => byPod.get(podName(spec.cluster.name, ordinal)) ?? []);
  const shards = shardsOf(target).map((name) => {
    const all = of(spec, name);
    const staying = of(target, name);
    return { name, all, staying, head: ownerOf(all) };
  });
  const chosen = choosePrimaries(
    shards.map(({ name, staying, head }) => ({
      shard: name,
      members: ableToLead(staying).map((member) => member.place),
      fixed: (head ?? followedOf(staying))?.step.pod ?? null,
    })),
  );
  return shards.map(({ name, staying, head }): ScaleShard => {
    const leader = head ?? byPod.get(chosen.get(name) ?? '') ?? null;
    const heir = leader !== null && !staying.includes(leader) ? heirOf(leader, staying, evidence) : leader;
    return { name, members: staying, head: leader, heir };
  });
}

/** With two owners in a shard the one that has more; the other one's slots go to it. */
function ownerOf(members: readonly Member[]): Member | null {
  const count = ({ node }: Member): number => node.slots.reduce((sum, { start, end }) => sum + end - start + 1, 0);
  const owners = members.filter(({ node }) => node.role === 'primary' && node.slots.length > 0);
  return owners.toSorted((a, b) => count(b) - count(a))[0] ?? null;
}

/** Slots can't be given to who follows another. */
function ableToLead(members: readonly Member[]): readonly Member[] {
  const primaries = members.filter(({ node }) => node.role === 'primary');
  return primaries.length > 0 ? primaries : members;
}

function followedOf(members: readonly Member[]): Member | null {
  return members.find(({ step }) => members.some((other) => other.node.primaryId === step.nodeId)) ?? null;
}

/** Of those who stay, who would lose least of what the leader has. */
function heirOf(leader: Member, staying: readonly Member[], evidence: Evidence): Member | null {
  const heirs = evidence
    .successionOf(leader.node)
    .candidates.flatMap(({ node }) => staying.find((member) => member.node === node) ?? []);
  return heirs[0] ?? staying[0] ?? null;
}

export function ownedOf(context: ScaleContext, kind: string, name: string): OwnedObject | null {
  return context.owned.find((object) => object.kind === kind && object.name === name) ?? null;
}

export function removal({ apiVersion, kind, name, uid }: OwnedObject, reason: string): Step {
  return { kind: 'remove-object', object: { apiVersion, kind, name, uid }, reason };
}

export function stepNode(node: ClusterNode): StepNode {
  return { nodeId: node.nodeId ?? '', pod: node.pod?.name ?? '' };
}
