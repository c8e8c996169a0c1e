/** What the steps of a repair do to the answers of the nodes, if all goes well. */
import type { GossipNode } from '../model/observation.ts';
import type { Step } from '../model/plan.ts';
import { containsSlot, subtractRanges, unionRanges, type SlotRanges } from '../model/slots.ts';
import { changeSelf, setConfig, type Answers } from './simulate-answers.ts';

type Of<K extends Step['kind']> = Extract<Step, { kind: K }>;

export type RepairStep = Of<
  | 'set-slot-owner'
  | 'close-slots'
  | 'cover-slots'
  | 'yield-slots'
  | 'bump-epoch'
  | 'set-config'
  | 'load-functions'
  | 'settle-strays'
>;

export function applyRepair(answers: Answers, step: RepairStep): void {
  switch (step.kind) {
    case 'set-slot-owner':
      return step.node.nodeId === step.owner.nodeId
        ? own(answers, step.node.pod, step.ranges)
        : learnOwner(answers, step);
    case 'cover-slots':
      return own(answers, step.node.pod, step.ranges);
    case 'close-slots':
      return changeSelf(answers, step.node.pod, (self) => withoutMarks(self, step.ranges));
    case 'yield-slots':
      changeSelf(answers, step.node.pod, (self) => ({ ...self, slots: subtractRanges(self.slots, step.ranges) }));
      return own(answers, step.owner.pod, step.ranges);
    case 'bump-epoch':
      return own(answers, step.node.pod, []);
    case 'set-config':
      return setDirectives(answers, step);
    case 'load-functions':
      return loadFunctions(answers, step);
    case 'settle-strays':
      return settle(answers, step);
    default:
      return step satisfies never;
  }
}

function nextEpoch(answers: Answers): number {
  return 1 + Math.max(0, ...[...answers.values()].flatMap(({ view }) => view.map((line) => line.configEpoch)));
}

function setDirectives(answers: Answers, { node, directives }: Of<'set-config'>): void {
  for (const [name, value] of Object.entries(directives)) {
    setConfig(answers, node.pod, name, value);
    if (name === 'cluster-announce-ip') changeSelf(answers, node.pod, (self) => ({ ...self, ip: value }));
  }
}

function loadFunctions(answers: Answers, { node, source, libraries }: Of<'load-functions'>): void {
  const [to, from] = [answers.get(node.pod), answers.get(source.pod)];
  if (to === undefined || from === undefined) return;
  const loaded = Object.entries(from.libraries ?? {}).filter(([name]) => libraries.includes(name));
  answers.set(node.pod, { ...to, libraries: { ...Object.fromEntries(loaded), ...to.libraries } });
}

function own(answers: Answers, pod: string, ranges: SlotRanges): void {
  const configEpoch = nextEpoch(answers);
  changeSelf(answers, pod, (self) => ({
    ...withoutMarks(self, ranges),
    slots: unionRanges(self.slots, ranges),
    configEpoch,
  }));
  for (const [other, answer] of answers) {
    const view = answer.view.map((line) =>
      line.nodeId === answers.get(pod)?.myId || line.nodeId === answer.myId
        ? line
        : { ...line, slots: subtractRanges(line.slots, ranges) },
    );
    answers.set(other, { ...answer, view });
  }
}

function learnOwner(answers: Answers, { node, owner, ranges }: Of<'set-slot-owner'>): void {
  const answer = answers.get(node.pod);
  if (answer === undefined) return;
  const view = answer.view.map((line) =>
    line.nodeId === owner.nodeId
      ? { ...line, slots: unionRanges(line.slots, ranges) }
      : { ...line, slots: subtractRanges(line.slots, ranges) },
  );
  answers.set(node.pod, { ...answer, view });
}

function withoutMarks(line: GossipNode, ranges: SlotRanges): GossipNode {
  const stays = ({ slot }: { readonly slot: number }): boolean => !containsSlot(ranges, slot);
  return { ...line, migrating: line.migrating.filter(stays), importing: line.importing.filter(stays) };
}

/** Whose keys they are is not in the answers: they leave the holder. */
function settle(answers: Answers, { holder, slots, ownerGives }: Of<'settle-strays'>): void {
  const answer = answers.get(holder.pod);
  if (answer === undefined) return;
  const info = { ...answer.info, keys: answer.keysInOwnSlots ?? answer.info.keys };
  answers.set(holder.pod, { ...answer, info });
  if (slots === null) return;
  const closing = ownerGives === true ? [...answers.keys()] : [holder.pod];
  for (const pod of closing) changeSelf(answers, pod, (self) => withoutMarks(self, slots));
}
