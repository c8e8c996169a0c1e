/**
 * What the facts would be after a batch, if all went well: for tests (every prefix of a plan, planned again, must reach the
 * same end) and for showing a whole plan before its first step. A model of Redis' and Kubernetes' rules, not of their timing:
 * gossip is over at once.
 */
import { FORMED_KEY } from '../model/labels.ts';
import type { GossipNode, NodeAnswer, Observation } from '../model/observation.ts';
import type { Batch, Step } from '../model/plan.ts';
import { addKeys, changeSelf, point, selfOf, setConfig, type Answers } from './simulate-answers.ts';
import { applyRepair } from './simulate-repairs.ts';
import { linksOf, reach } from './simulate-links.ts';
import {
  countSlots,
  intersectRanges,
  normalizeRanges,
  subtractRanges,
  unionRanges,
  type SlotRange,
} from '../model/slots.ts';

/** Steps on Redis nodes only; steps on Kubernetes objects leave the facts as they are. */
export function simulate(observation: Observation, batch: Batch): Observation {
  const answers: Answers = new Map();
  for (const { pod, reply } of observation.replies) if (reply.kind === 'answered') answers.set(pod, reply.answer);
  let { config, state = null } = observation.kube;
  for (const step of batch.steps) {
    if (step.kind === 'meet') for (const { pod } of [step.node, step.other]) tellAddress(answers, observation, pod);
    if (step.kind === 'mark-formed') state = { ...state, [FORMED_KEY]: 'true' };
    else if (step.kind === 'clear-formed') {
      state = { ...state, [FORMED_KEY]: 'false' };
      if (config?.[FORMED_KEY] !== undefined) config = { ...config, [FORMED_KEY]: 'false' };
    } else applyStep(answers, step);
  }
  gossip(answers);
  return {
    ...observation,
    kube: { ...observation.kube, config, state },
    replies: observation.replies.map(({ pod, reply }) => {
      const answer = answers.get(pod);
      return { pod, reply: reply.kind === 'answered' && answer !== undefined ? { ...reply, answer } : reply };
    }),
  };
}

function applyStep(answers: Answers, step: Step): void {
  switch (step.kind) {
    case 'add-slots':
      return changeSelf(answers, step.node.pod, (self) => ({
        ...self,
        slots: normalizeRanges([...self.slots, ...step.ranges]),
      }));
    case 'set-config-epoch':
      return changeSelf(answers, step.node.pod, (self) => ({ ...self, configEpoch: step.epoch }));
    case 'replicate':
      changeSelf(answers, step.node.pod, (self) => ({
        ...self,
        role: 'replica',
        primaryId: step.primary.nodeId,
        flags: ['myself', 'slave'],
      }));
      return point(answers, step.node.pod);
    case 'meet':
      return meet(answers, step.node.pod, step.other.pod);
    case 'set-node-timeout':
      return setConfig(answers, step.node.pod, 'cluster-node-timeout', String(step.milliseconds));
    case 'move-slots':
      return moveSlots(answers, step);
    case 'failover':
      return failover(answers, step);
    case 'take-over':
      return takeOver(answers, step);
    case 'forget':
      return forget(answers, step);
    case 'set-slot-owner':
    case 'close-slots':
    case 'cover-slots':
    case 'yield-slots':
    case 'bump-epoch':
    case 'set-config':
    case 'load-functions':
    case 'settle-strays':
      return applyRepair(answers, step);
    case 'apply-services':
    case 'apply-config':
    case 'apply-budgets':
    case 'apply-workloads':
    case 'replace-pod':
    case 'wait-pods':
    case 'mark-formed':
    case 'await-convergence':
    case 'remove-object':
    case 'wait-gone':
    case 'record-spec':
    case 'await-empty':
    case 'restart-pod':
    case 'clear-formed':
    case 'reset-node':
    case 'mark-pods':
      return undefined;
    default:
      return step satisfies never;
  }
}

type Of<K extends Step['kind']> = Extract<Step, { kind: K }>;

/** Half of the keys of a shard are in half of its slots. */
function moveSlots(answers: Answers, { source, target, ranges }: Of<'move-slots'>): void {
  const from = answers.get(source.pod);
  if (from === undefined) return;
  const own = selfOf(from)[0]?.slots ?? [];
  const moved = intersectRanges(own, ranges);
  const share = own.length === 0 ? 0 : countSlots(moved) / countSlots(own);
  const keys = Math.round(from.info.keys * share);
  const epoch = 1 + Math.max(0, ...[...answers.values()].flatMap(({ view }) => view.map((line) => line.configEpoch)));
  const closed = { migrating: [], importing: [] };
  changeSelf(answers, source.pod, (self) => ({ ...self, ...closed, slots: subtractRanges(self.slots, moved) }));
  changeSelf(answers, target.pod, (self) => ({
    ...self,
    ...closed,
    slots: unionRanges(self.slots, moved),
    configEpoch: epoch,
  }));
  addKeys(answers, source.pod, -keys);
  addKeys(answers, target.pod, keys);
}

/** The roles change places; everybody who followed the old primary follows the new one. */
function failover(answers: Answers, { node, primary }: Of<'failover'>): void {
  const old = answers.get(primary.pod);
  if (old === undefined) return;
  const [before] = selfOf(old);
  // Keys of replicas are not followed through moves: who takes over has what the old primary had.
  addKeys(answers, node.pod, old.info.keys - (answers.get(node.pod)?.info.keys ?? 0));
  for (const [pod, answer] of answers)
    if (selfOf(answer)[0]?.primaryId === primary.nodeId)
      changeSelf(answers, pod, (self) => ({ ...self, primaryId: node.nodeId }));
  changeSelf(answers, node.pod, (self) => ({
    ...self,
    role: 'primary',
    primaryId: null,
    flags: ['myself', 'master'],
    slots: before?.slots ?? [],
    configEpoch: (before?.configEpoch ?? 0) + 1,
  }));
  changeSelf(answers, primary.pod, (self) => ({
    ...self,
    role: 'replica',
    primaryId: node.nodeId,
    flags: ['myself', 'slave'],
    slots: [],
  }));
  for (const [pod, answer] of answers) if (selfOf(answer)[0]?.primaryId === node.nodeId) point(answers, pod);
}

/** As a failover; an old primary that does not answer stays as it was, and others still know what it had. */
function takeOver(answers: Answers, { node, how }: Of<'take-over'>): void {
  const taker = answers.get(node.pod);
  const primaryId = taker === undefined ? undefined : selfOf(taker)[0]?.primaryId;
  if (taker === undefined || primaryId == null) return;
  const [old] = [...answers].find(([, answer]) => answer.myId === primaryId) ?? [];
  const reason = `${how} by ${node.pod}`;
  if (old !== undefined)
    return failover(answers, { kind: 'failover', node, primary: { nodeId: primaryId, pod: old }, reason });
  const slots = taker.view.find((line) => line.nodeId === primaryId)?.slots ?? [];
  const configEpoch = 1 + Math.max(0, ...taker.view.map((line) => line.configEpoch));
  const lead = { role: 'primary', primaryId: null, flags: ['myself', 'master'], slots, configEpoch } as const;
  changeSelf(answers, node.pod, (self) => ({ ...self, ...lead }));
  for (const [pod, answer] of answers) {
    if (selfOf(answer)[0]?.primaryId === primaryId) {
      changeSelf(answers, pod, (self) => ({ ...self, primaryId: node.nodeId }));
      point(answers, pod);
    }
    const emptied = answers.get(pod) ?? answer;
    const view = emptied.view.map((line) => (line.nodeId === primaryId ? { ...line, slots: [] } : line));
    answers.set(pod, { ...emptied, view });
  }
}

function forget(answers: Answers, { victim, nodes }: Of<'forget'>): void {
  for (const { pod } of nodes) {
    const answer = answers.get(pod);
    if (answer === undefined) continue;
    answers.set(pod, { ...answer, view: answer.view.filter((line) => line.nodeId !== victim.nodeId) });
  }
}

/** A node that announces nothing learns its own address from the first who meets it. */
function tellAddress(answers: Answers, { kube }: Observation, pod: string): void {
  const ip = kube.pods.find((one) => one.name === pod)?.ip ?? '';
  changeSelf(answers, pod, (self) => (self.ip === '' ? { ...self, ip } : self));
}

function meet(answers: Answers, pod: string, other: string): void {
  const a = answers.get(pod);
  const b = answers.get(other);
  if (a === undefined || b === undefined) return;
  answers.set(pod, learn(a, selfOf(b)));
  answers.set(other, learn(b, selfOf(a)));
  for (const [one, theOther] of [
    [pod, b],
    [other, a],
  ] as const)
    if (selfOf(answers.get(one) ?? a)[0]?.primaryId === theOther.myId) point(answers, one);
}

function learn(answer: NodeAnswer, others: readonly GossipNode[]): NodeAnswer {
  const known = new Map(answer.view.map((node) => [node.nodeId, node]));
  for (const other of others) {
    if (other.nodeId === answer.myId) continue;
    known.set(other.nodeId, {
      ...other,
      flags: other.flags.filter((flag) => flag !== 'myself'),
      linkUp: true,
      migrating: [],
      importing: [],
    });
  }
  return { ...answer, view: [...known.values()] };
}

/** Whoever is connected by any chain of acquaintances learns of each other, and of each other's own words. */
function gossip(answers: Answers): void {
  const byId = new Map([...answers.values()].map((answer) => [answer.myId, answer]));
  const links = linksOf(byId);
  for (const [pod, answer] of answers) {
    const reached = reach(answer.myId, links);
    const others = [...reached].flatMap((id) => selfOf(byId.get(id) ?? answer));
    const view = learn(answer, others).view;
    const slots: SlotRange[] = normalizeRanges(view.flatMap((node) => node.slots));
    const assigned = slots.reduce((sum, range) => sum + range.end - range.start + 1, 0);
    const self = view.find((node) => node.nodeId === answer.myId);
    const replica = self?.role === 'replica';
    answers.set(pod, {
      ...answer,
      view,
      clusterInfo: {
        ...answer.clusterInfo,
        state: assigned > 0 ? 'ok' : 'fail',
        slotsAssigned: assigned,
        slotsOk: assigned,
        knownNodes: view.length,
        myEpoch: self?.configEpoch ?? 0,
      },
      info: {
        ...answer.info,
        role: replica ? 'replica' : 'primary',
        primaryLinkUp: replica ? follows(answer, byId) : null,
      },
    });
  }
}

/** Whether its replication goes to where its primary is. */
function follows(answer: NodeAnswer, byId: ReadonlyMap<string, NodeAnswer>): boolean {
  const primary = byId.get(selfOf(answer)[0]?.primaryId ?? '');
  return primary !== undefined && answer.info.primaryHost === (selfOf(primary)[0]?.ip ?? '');
}
