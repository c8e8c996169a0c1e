/** The first line of `status`: one word and one sentence. */
import type { Problem } from '../model/problem.ts';
import { SLOT_COUNT } from '../model/slots.ts';
import type { ClusterState } from '../model/state.ts';
import { isForming } from '../evidence/forming.ts';
import { mayBeJoined } from '../evidence/unheard.ts';
import { countsInWords } from './fold.ts';
import { count, listNames } from './wording.ts';

export interface Health {
  /** `unknown`: nobody could be asked. `forming`: pods that were not joined yet. `stopped`: nobody wants it to run. */
  readonly level: 'healthy' | 'degraded' | 'broken' | 'forming' | 'stopped' | 'unknown';
  readonly sentence: string;
}

/** Critical problems make it broken, warnings degraded; what is only worth knowing changes nothing. */
export function healthOf(state: ClusterState, problems: readonly Problem[]): Health {
  const pods = state.nodes.filter((node) => node.pod !== null);
  const heard = pods.filter((node) => node.reply?.kind === 'answered').length;
  const warnings = problems.filter((problem) => problem.severity === 'warning');
  const answering = `${heard} of ${count(pods.length, 'node')} answer`;
  const worst = problems.find((problem) => problem.severity === 'critical');
  if (worst !== undefined)
    return {
      level: 'broken',
      sentence: withRest(worst.sentence, countsInWords(problems.filter((one) => one !== worst))),
    };
  const stopped = problems.find((problem) => problem.code === 'stopped');
  if (stopped !== undefined) return { level: 'stopped', sentence: stopped.sentence };
  const unheard = mayBeJoined(state);
  if (heard > 0 && unheard.length > 0) {
    const who = listNames(unheard.map((node) => node.pod?.name ?? '?'));
    return { level: 'unknown', sentence: `Whether the nodes are joined is not known without ${who}; ${answering}.` };
  }
  if (isForming(state) && (state.origin === 'ours' || heard > 0))
    return { level: 'forming', sentence: `The nodes are not joined to a cluster yet; ${answering}.` };
  if (heard === 0) {
    const sentence = `No node could be asked${commonReason(state)}, so nothing is known; ${answering}.`;
    return { level: 'unknown', sentence };
  }
  const refusing = refusingOwners(state);
  if (refusing.length > 0) {
    const also = warnings.length === 0 ? '' : `; ${countsInWords(warnings)}`;
    const who = `${listNames(refusing)} ${refusing.length === 1 ? 'started a moment ago and serves' : 'started a moment ago and serve'} no slot yet (cluster_state:fail)`;
    return { level: 'degraded', sentence: `${who}; ${answering}${also}.` };
  }
  const served = `All ${SLOT_COUNT} slots are served by ${primariesOf(state)}; ${answering}`;
  if (warnings.length === 0) return { level: 'healthy', sentence: `${served}.` };
  return { level: 'degraded', sentence: `${served}; ${countsInWords(warnings)}.` };
}

/** What all have in common, such as a right that is missing: ` (no right to reach pods …)`; else empty. */
function commonReason(state: ClusterState): string {
  const reasons = new Set(state.nodes.flatMap(({ unreachable }) => (unreachable === null ? [] : [unreachable.detail])));
  const [reason] = reasons;
  return reasons.size === 1 && reason !== undefined && reason !== '' ? ` (${reason})` : '';
}

/** Owners of slots that say themselves that they do not serve. Where it is not their start that explains it, it is a critical problem. */
function refusingOwners(state: ClusterState): string[] {
  return state.nodes.flatMap(({ pod, slots, reply }) =>
    pod !== null && slots.length > 0 && reply?.kind === 'answered' && reply.answer.clusterInfo.state === 'fail'
      ? [pod.name]
      : [],
  );
}

function primariesOf(state: ClusterState): string {
  const owners = state.nodes.filter((node) => node.slots.length > 0);
  return `${owners.length} ${owners.length === 1 ? 'primary' : 'primaries'}`;
}

function withRest(sentence: string, rest: string): string {
  return rest === '' ? sentence : `${sentence} Besides: ${rest}.`;
}
