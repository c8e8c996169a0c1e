/**
 * Each node whose pod runs our scripts announces the address that its template, or the table of nodes, says and that a Service of its own
 * has (ADR 1). One that announces another, or nothing, is found by the others at an address that goes with its pod.
 */
import { addressesOfPod } from '../interpret/identity.ts';
import { nodeServiceOf } from '../interpret/services.ts';
import { ANNOUNCE_ANNOTATION, NODES_KEY } from '../model/labels.ts';
import { parseNodeTable } from '../model/node-table.ts';
import type { PodFacts } from '../model/observation.ts';
import type { ClusterNode } from '../model/state.ts';
import type { Check, CheckContext } from './context.ts';
import { hasScripts } from './scripted.ts';
import { makeProblem } from './wording.ts';

const ANNOUNCED = 'cluster-announce-ip';
const ADDRESS_CODES: ReadonlySet<string> = new Set(['pod-label-changed', 'address-mismatch', 'address-unknown']);

/**
 * The address that a node must announce; null where nobody says so, or where it is none of a Service that leads to its pod alone: it is
 * told to nobody then.
 */
export function ownAddress({ state, observation }: CheckContext, node: ClusterNode): string | null {
  const { pod } = node;
  const { kube } = observation;
  if (pod === null || !hasScripts(state, node)) return null;
  if (state.origin === 'ours') {
    const ip = nodeServiceOf(pod, kube)?.clusterIP ?? '';
    return ip === '' || ip === 'None' ? null : ip;
  }
  const stated = new Set([pod.annotations[ANNOUNCE_ANNOTATION], ...tableAddresses(pod, kube.config, kube.services)]);
  return addressesOfPod(pod, kube).find((ip) => ip !== pod.ip && stated.has(ip)) ?? null;
}

/** What the table says of the Services that are called as its lines. */
function tableAddresses(
  pod: PodFacts,
  config: Readonly<Record<string, string>> | null,
  services: CheckContext['observation']['kube']['services'],
): string[] {
  const lines = parseNodeTable(config?.[NODES_KEY] ?? '');
  return lines.flatMap(({ node, address }) =>
    address !== null && services.some(({ name, clusterIP }) => name === node && clusterIP === address) ? [address] : [],
  );
}

/** What it announces by its own word, where that is another address than its own; null = its own, or nobody knows. */
function foreignWord(
  context: CheckContext,
  node: ClusterNode,
): { readonly value: string; readonly expected: string } | null {
  const { reply } = node;
  const expected = reply?.kind === 'answered' ? ownAddress(context, node) : null;
  if (reply?.kind !== 'answered' || expected === null) return null;
  const value = reply.answer.config?.[ANNOUNCED];
  return value === undefined || value === expected ? null : { value, expected };
}

export function announcesAnother(context: CheckContext, node: ClusterNode): boolean {
  return foreignWord(context, node) !== null;
}

export const checkAnnounced: Check = (context, found) => {
  const { name } = context.state.cluster;
  const told = new Set(found.filter(({ code }) => ADDRESS_CODES.has(code)).flatMap(({ nodes }) => nodes));
  return context.answered.flatMap(({ node, pod }) => {
    const word = foreignWord(context, node);
    if (told.has(pod) || word === null) return [];
    const { value, expected } = word;
    const sentence = `${pod} announces ${value === '' ? 'no address of its own, and so the one of its pod' : value} instead of ${expected}, the address of its Service.`;
    const repair = context.redisCli(pod, `CONFIG SET ${ANNOUNCED} ${expected}`);
    return [makeProblem('announce-lost', name, { sentence, nodes: [pod], repair })];
  });
};
