/** Data outlives the pod (I15). */
import { goesWithPod, readsLog } from '../evidence/persistence.ts';
import { failoverCommand } from '../model/failover-command.ts';
import { recordOf } from '../model/record.ts';
import type { Problem } from '../model/problem.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import type { Check, CheckContext } from './context.ts';
import { count, listNames, makeProblem } from './wording.ts';

export const checkVolumes: Check = ({ state }) => {
  const names = state.nodes.flatMap((node) => (node.pod?.ephemeralData === true ? [node.pod.name] : []));
  if (names.length === 0) return [];
  const sentence = `${count(names.length, 'pod')} ${names.length === 1 ? 'keeps its' : 'keep their'} data on a volume that vanishes with the pod: ${listNames(names)}.`;
  return [makeProblem('ephemeral-data', state.cluster.name, { sentence, nodes: names })];
};

/** Somebody has deleted them, and they stay only for as long as their pods. */
export const checkGoingClaims: Check = (context) =>
  context.state.nodes.flatMap((node) => {
    const { pod } = node;
    if (pod?.goingClaim === undefined) return [];
    const { name } = context.state.cluster;
    const sentence = `Claim ${pod.goingClaim} of ${pod.name} is being deleted: when the pod stops, for whatever reason, its data is gone.`;
    const repair = wayToNewVolume(context, node);
    return [
      makeProblem('claim-terminating', name, {
        subject: `PersistentVolumeClaim/${pod.goingClaim}`,
        sentence,
        nodes: [pod.name],
        repair,
      }),
    ];
  });

/** No deletion can be called back: the node gets a new volume when another one has all of its data. */
function wayToNewVolume({ evidence, byId, kubectl, state }: CheckContext, node: ClusterNode): string {
  const pod = node.pod?.name ?? '';
  const anew = `${kubectl(`delete pod ${pod}`)} then gives it a new volume, and it copies its primary`;
  const stays = (one: ClusterNode | undefined): boolean =>
    one?.reply?.kind === 'answered' && one.pod !== null && !goesWithPod(one.pod);
  const primary = node.role === 'primary' ? node : byId.get(node.primaryId ?? '');
  const candidates = primary === undefined ? [] : evidence.successionOf(primary).candidates;
  const heir = candidates.find((one) => one.node !== node && one.standing === 'in-step' && stays(one.node));
  if (node.role === 'replica' && (stays(primary) || heir !== undefined)) return `Nothing is lost by it: ${anew}.`;
  if (node.role === 'primary' && heir !== undefined)
    return `${failoverCommand(state.cluster, heir.node)} hands its role over; ${anew}.`;
  return `First a copy that stays: ${oneMore(state)}; no pod of its shard may stop before.`;
}

function oneMore({ cluster: { name }, desired }: ClusterState): string {
  return desired === null
    ? `one replica more for each primary of ${name}`
    : `kubectl redis scale ${name} --replicas ${desired.replicas + 1}`;
}

/**
 * A server writes one kind of file, and its next start is configured to read the other; or it keeps no append-only file at all. Some on and
 * some off is `config-differs`, where we may read the configuration; here it is what can be lost.
 */
export const checkAppendOnly: Check = ({ state, answered, observation }) => {
  const { name } = state.cluster;
  const { spec } = recordOf(observation.kube, state.cluster);
  const log = readsLog({ config: spec?.config ?? null });
  const namesWith = (enabled: boolean): string[] =>
    answered.filter(({ answer }) => answer.info.aofEnabled === enabled).map(({ pod }) => pod);
  const problems: Problem[] = [];
  const others = log === null ? [] : namesWith(!log);
  if (others.length > 0) {
    const [runs, recorded] = log === true ? ['no', 'yes'] : ['yes', 'no'];
    const verb = others.length === 1 ? 'runs' : 'run';
    const sentence = `${listNames(others)} ${verb} with appendonly ${runs}, and appendonly ${recorded} is recorded for the next start.`;
    problems.push(makeProblem('persistence-differs', name, { sentence, nodes: others }));
  }
  // (Where it is to be on, that is said already.)
  const off = log === true ? [] : namesWith(false);
  if (off.length > 0) {
    const sentence = `The append-only file is off on ${listNames(off)}.`;
    problems.push(makeProblem('append-only-off', name, { sentence, nodes: off }));
  }
  return problems;
};
