/** Faults for a healthy Observation, as real servers and Kubernetes would show them. */
import type { GossipNode, OperationFacts, UnreachableReason } from '../../pkg/cluster/model/observation.ts';
import { rangesFromSlots, subtractRanges, unionRanges } from '../../pkg/cluster/model/slots.ts';
import type { SlotRanges } from '../../pkg/cluster/model/slots.ts';
import { changeAnswer, changeKube, changeLines, changePod, changeReply, changed, idOf } from './observation-changes.ts';
import type { Change } from './observation-changes.ts';

/** Asked and not heard. `gossip` is what the others think of it meanwhile: nothing yet, `fail?`, or `fail`. */
export function unreachable(
  pod: string,
  why: UnreachableReason = 'timeout',
  gossip: 'up' | 'fail?' | 'fail' = 'fail',
): Change {
  return (observation) => {
    const id = idOf(observation, pod);
    const down = (line: GossipNode): GossipNode => ({ ...line, flags: [...line.flags, gossip], linkUp: false });
    return changed(
      observation,
      changeReply(pod, () => ({ kind: 'unreachable', why, detail: detailOf(pod, why) })),
      changeLines((line) => (line.nodeId === id && gossip !== 'up' ? down(line) : line)),
    );
  };
}

/** A guard that waits says why, mostly that its volume is empty. */
function detailOf(pod: string, why: UnreachableReason): string {
  return why === 'guard-waiting'
    ? 'waiting for a node of the cluster to answer: this volume has no data'
    : `no answer from ${pod}`;
}

/** The replicas of a pod notice that it is gone. */
export function replicasLoseLink(pod: string, seconds = 30): Change {
  return (observation) => {
    const id = idOf(observation, pod);
    const orphans = observation.replies.filter(
      ({ reply }) =>
        reply.kind === 'answered' &&
        reply.answer.view.some((line) => line.flags.includes('myself') && line.primaryId === id),
    );
    return changed(observation, ...orphans.map((one) => replicaLinkDown(one.pod, seconds)));
  };
}

/** The others say when they last heard a pod, in milliseconds. */
export function heard(pod: string, milliseconds: number): Change {
  return (observation) => {
    const id = idOf(observation, pod);
    const others = observation.replies.filter((one) => one.pod !== pod && one.reply.kind === 'answered');
    return changed(
      observation,
      ...others.map((one) =>
        changeAnswer(one.pod, (answer) => ({
          ...answer,
          lastHeardMs: { ...answer.lastHeardMs, [id]: milliseconds },
        })),
      ),
    );
  };
}

/** The pod object is gone; everybody else still lists its node, failed. */
export function podGone(pod: string): Change {
  return (observation) => {
    const marked = unreachable(pod, 'no-pod')(observation);
    return {
      ...marked,
      kube: { ...marked.kube, pods: marked.kube.pods.filter((one) => one.name !== pod) },
      replies: marked.replies.filter((one) => one.pod !== pod),
    };
  };
}

/** An id without a pod in everybody's view (or only in those of `viewers`): failed, no slots, unless told otherwise. */
export function ghost(nodeId: string, change: Partial<GossipNode> = {}, viewers?: readonly string[]): Change {
  const line: GossipNode = {
    nodeId,
    ip: '10.9.9.9',
    port: 6379,
    busPort: 16379,
    hostname: null,
    shardId: null,
    flags: ['master', 'fail'],
    role: 'primary',
    primaryId: null,
    configEpoch: 0,
    linkUp: false,
    slots: [],
    migrating: [],
    importing: [],
    ...change,
  };
  return (observation) =>
    changed(
      observation,
      ...observation.replies
        .filter((one) => viewers?.includes(one.pod) ?? true)
        .map((one) => changeAnswer(one.pod, (answer) => ({ ...answer, view: [...answer.view, line] }))),
    );
}

/** `slot` is on its way from one pod to another; `sides` says who still has the mark. */
export function openSlot(
  slot: number,
  from: string,
  to: string,
  sides: 'both' | 'migrating' | 'importing' = 'both',
): Change {
  return (observation) => {
    const [fromNodeId, toNodeId] = [idOf(observation, from), idOf(observation, to)];
    return changeLines((line, viewer) => {
      if (line.nodeId === fromNodeId && viewer === from && sides !== 'importing')
        return { ...line, migrating: [...line.migrating, { slot, toNodeId }] };
      if (line.nodeId === toNodeId && viewer === to && sides !== 'migrating')
        return { ...line, importing: [...line.importing, { slot, fromNodeId }] };
      return line;
    })(observation);
  };
}

/** `viewer` believes that `slots` belong to `owner`, everybody else what they believed before. */
export function staleView(viewer: string, slots: SlotRanges, owner: string): Change {
  return (observation) => {
    const ownerId = idOf(observation, owner);
    return changeLines((line, who) => {
      if (who !== viewer) return line;
      const kept = line.nodeId === ownerId ? unionRanges(line.slots, slots) : subtractRanges(line.slots, slots);
      return { ...line, slots: kept };
    })(observation);
  };
}

/** `pod` says of itself that it owns `slots` too; nobody else agrees. */
export function duplicatedOwner(pod: string, slots: SlotRanges): Change {
  return changeLines((line, viewer) =>
    viewer === pod && line.flags.includes('myself') ? { ...line, slots: unionRanges(line.slots, slots) } : line,
  );
}

/** Nobody owns `slots`, in any view. */
export function unowned(slots: SlotRanges): Change {
  return changeLines((line) => ({ ...line, slots: subtractRanges(line.slots, slots) }));
}

/** Everybody else dials another address for a pod. */
export function addressMismatch(pod: string, ip: string): Change {
  return (observation) => {
    const id = idOf(observation, pod);
    return changeLines((line, viewer) => (line.nodeId === id && viewer !== pod ? { ...line, ip } : line))(observation);
  };
}

/** Keys in slots that the node does not own (law L5): DBSIZE is larger than the sum over its slots. */
export function strayKeys(pod: string, count: number): Change {
  return changeAnswer(pod, (answer) => ({ ...answer, info: { ...answer.info, keys: answer.info.keys + count } }));
}

/** `viewer` has no bus link to `target`, which is fine otherwise. */
export function linkDown(viewer: string, target: string): Change {
  return (observation) => {
    const id = idOf(observation, target);
    return changeLines((line, who) => (who === viewer && line.nodeId === id ? { ...line, linkUp: false } : line))(
      observation,
    );
  };
}

export function replicaLinkDown(pod: string, seconds = 30): Change {
  return changeAnswer(pod, (answer) => ({
    ...answer,
    info: { ...answer.info, primaryLinkUp: false, primaryLinkDownSeconds: seconds },
  }));
}

/** The replica is `bytes` behind its primary. */
export function lag(pod: string, bytes: number): Change {
  return changeAnswer(pod, (answer) => ({
    ...answer,
    info: { ...answer.info, replicationOffset: answer.info.replicationOffset - bytes },
  }));
}

/** A replica that has heard all that its primary said, and has fewer keys. */
export function lacksKeys(pod: string, primary: string, lacks: number): Change {
  return (observation) => {
    const reply = observation.replies.find((one) => one.pod === primary)?.reply;
    const told = reply?.kind === 'answered' ? reply.answer.info : null;
    if (told === null) throw new Error(`${primary} does not answer`);
    // Shards have histories of their own.
    const history = { replicationId: 'a'.repeat(40), replicationOffset: told.replicationOffset };
    const has = (keys: number): Change =>
      changeAnswer(pod, (answer) => ({ ...answer, info: { ...answer.info, ...history, keys, keysAtOffset: keys } }));
    const holds = changeAnswer(primary, (answer) => ({
      ...answer,
      info: { ...answer.info, ...history, keysAtOffset: answer.info.keys },
    }));
    return changed(observation, holds, has(told.keys - lacks));
  };
}

/** A replica follows another primary, in all views and by its own word. */
export function follows(pod: string, primary: string): Change {
  return (observation) => {
    const [id, primaryId] = [idOf(observation, pod), idOf(observation, primary)];
    const target = observation.replies.find((one) => one.pod === primary)?.reply;
    const line = target?.kind === 'answered' ? target.answer.view.find((one) => one.nodeId === primaryId) : undefined;
    const offset = target?.kind === 'answered' ? target.answer.info.replicationOffset : 0;
    return changed(
      observation,
      changeLines((one) => (one.nodeId === id ? { ...one, primaryId, configEpoch: line?.configEpoch ?? 0 } : one)),
      changeAnswer(pod, (answer) => ({
        ...answer,
        info: { ...answer.info, primaryHost: line?.ip ?? null, replicationOffset: offset },
      })),
    );
  };
}

/** One configuration value of one node. */
export function config(pod: string, name: string, value: string): Change {
  return changeAnswer(pod, (answer) => ({ ...answer, config: { ...answer.config, [name]: value } }));
}

/** What a node says of its functions: name -> digest of the code. */
export function libraries(pod: string, those: Readonly<Record<string, string>>): Change {
  return changeAnswer(pod, (answer) => ({ ...answer, libraries: those }));
}

export function version(pod: string, product: 'redis' | 'valkey', text: string): Change {
  return changeAnswer(pod, (answer) => ({ ...answer, info: { ...answer.info, product, version: text } }));
}

/** The config epoch of a primary, in all views. */
export function configEpoch(pod: string, epoch: number): Change {
  return (observation) => {
    const id = idOf(observation, pod);
    return changeLines((line) =>
      line.nodeId === id || line.primaryId === id ? { ...line, configEpoch: epoch } : line,
    )(observation);
  };
}

export function onHost(pod: string, host: string): Change {
  return changePod(pod, (facts) => ({ ...facts, host }));
}

export function operation(change: Partial<OperationFacts> = {}): Change {
  const running: OperationFacts = {
    holder: 'ann@laptop',
    verb: 'create',
    acquiredAt: '2026-11-23T09:59:00.000Z',
    renewedAt: '2026-11-23T09:59:58.000Z',
    durationSeconds: 15,
    progress: null,
    ...change,
  };
  return changeKube((kube) => ({ ...kube, operation: running }));
}

/** What a person lists as slots: 7, 8, 9. */
export function slots(...list: readonly number[]): SlotRanges {
  return rangesFromSlots(list);
}

/** One change for each pod. */
export function every(change: (pod: string) => Change): Change {
  return (observation) => changed(observation, ...observation.kube.pods.map((pod) => change(pod.name)));
}

export function crashing(pod: string): Change {
  return changePod(pod, (facts) => ({
    ...facts,
    ready: false,
    container: { ...facts.container, state: 'waiting', reason: 'CrashLoopBackOff', restarts: 7 },
  }));
}

export function hostDown(host: string): Change {
  return changeKube((kube) => ({
    ...kube,
    hosts: kube.hosts.map((one) => (one.name === host ? { ...one, ready: false, schedulable: false } : one)),
  }));
}

export function uptime(pod: string, seconds: number): Change {
  return changeAnswer(pod, (answer) => ({ ...answer, info: { ...answer.info, uptimeSeconds: seconds } }));
}

/** Two pods have each other's label `name`: the Service of the one leads to the other, and their StatefulSets let go of them. */
export function swappedLabels(one: string, other: string): readonly Change[] {
  const give = (node: string, label: string): Change =>
    changePod(`${node}-0`, (pod) => ({ ...pod, owner: null, labels: { ...pod.labels, name: label } }));
  return [give(one, other), give(other, one)];
}
