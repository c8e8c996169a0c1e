/** A record that is older than the cluster: it does not name nodes that run. */
import { unlistedNodes, unrecordedNodes } from '../evidence/older-record.ts';
import { countSlots, unionRanges, type SlotRanges } from '../model/slots.ts';
import type { Check } from './context.ts';
import { nameOfNode } from '../model/list-names.ts';
import { listNames, makeProblem } from './wording.ts';

/** Whatever the record says, they are of the cluster: no other check calls them strangers. */
export const checkOlderRecord: Check = ({ state, observation: { kube } }) => {
  const nodes = [
    ...unrecordedNodes(state, kube),
    ...unlistedNodes(state, kube).map((node) => ({ pod: nameOfNode(node), node })),
  ];
  if (nodes.length === 0) return [];
  const { name } = state.cluster;
  const pods = nodes.map(({ pod }) => pod);
  const slots = nodes.reduce<SlotRanges>((sum, { node }) => unionRanges(sum, node.slots), []);
  const [they, are] = nodes.length === 1 ? ['it', 'is a node'] : ['they', 'are nodes'];
  const owns =
    countSlots(slots) === 0 ? '' : `, and ${they} own${nodes.length === 1 ? 's' : ''} ${countSlots(slots)} slots`;
  const sentence = `${listNames(pods)} ${are} of ${name}, the other nodes know ${nodes.length === 1 ? 'it' : 'them'}${owns}; ConfigMap ${name}-state does not name ${nodes.length === 1 ? 'it' : 'them'}: an older one was put back.`;
  return [makeProblem('record-older', name, { sentence, nodes: pods })];
};
