/** Pods that are missing, on their way out, or not ready although their node answers. */
import { isOfOthers, type MissingPod } from '../evidence/missing-pods.ts';
import { podsBeyond } from '../interpret/injected.ts';
import type { KubeFacts } from '../model/observation.ts';
import { isLeftToScale, scaleCommand, unfinishedShape } from '../model/scale-command.ts';
import type { ClusterState } from '../model/state.ts';
import type { Check, CheckContext } from './context.ts';
import { relabelledPods } from './services.ts';
import { count, listNames, makeProblem } from './wording.ts';

/** A primary without its pod is `primary-down`; the others are counted here together. */
export const checkMissingPods: Check = (context, found) => {
  const { state, missing } = context;
  // Whom its StatefulSet let go of for another label is there, and named for that.
  const relabelled = relabelledPods(found);
  const without = missing.filter(({ node, pod }) => (node === null || node.slots.length === 0) && !relabelled.has(pod));
  if (without.length === 0 || state.nodes.every((node) => node.pod === null)) return [];
  const names = without.map((one) => one.pod);
  const sentence = `${count(without.length, 'pod')} of ${state.cluster.name} ${without.length === 1 ? 'is' : 'are'} missing: ${listNames(names)}.`;
  const forGood = without.every(({ workload }) => workload) && scaleUp(without) !== null && state.origin === 'ours';
  const repair = `${bringsBackMissing(context, without)}.${lastWrites(without)}${forGood ? ` To take nodes away for good: kubectl redis scale ${state.cluster.name} with fewer --masters or --replicas.` : ''}`;
  return [makeProblem('pod-missing', state.cluster.name, { sentence, nodes: names, repair })];
};

/**
 * Of those that went as primaries, and that a person brings back: where the servers elected one that was behind, what it had not received is on
 * the volume of the old primary alone, until that copies it.
 */
function lastWrites(missing: readonly MissingPod[]): string {
  const led = missing.filter(({ node, scaledDown }) => scaledDown !== null && node?.gossip?.role === 'primary');
  if (led.length === 0) return '';
  const [went, its, volume, comes] =
    led.length === 1
      ? ['went as a primary', 'its', 'volume', 'it comes back as a replica']
      : ['went as primaries', 'their', 'volumes', 'they come back as replicas'];
  return ` ${listNames(led.map(({ pod }) => pod))} ${went}: what was written last may be on ${its} ${volume} alone, and goes when ${comes}; copy the ${volume} first if it matters.`;
}

/** How they come back, without a full stop. @param missing at least one */
export function bringsBackMissing(
  { state, observation, kubectl }: Pick<CheckContext, 'state' | 'observation' | 'kubectl'>,
  missing: readonly MissingPod[],
): string {
  const wake = scaleUp(missing);
  if (missing.some(({ workload }) => !workload))
    return isOfOthers(state, observation.kube)
      ? 'Bring back what made them: the record names these nodes'
      : makesMissing(state, observation.kube);
  if (wake !== null) return `${kubectl(wake.command)}: ${wake.why}`;
  const sets = [...new Set(missing.map(({ pod }) => pod.replace(/-\d+$/, '')))];
  return `${kubectl(`describe statefulset ${sets.join(' ')}`)} says why there is no pod`;
}

/** `create` leaves a change that was begun to `scale`, which makes its nodes, too. */
export function makesMissing(state: ClusterState, kube: KubeFacts): string {
  const begun = unfinishedShape(state, kube);
  const { name } = state.cluster;
  return begun !== null && isLeftToScale(state, begun)
    ? `A change was begun and is not finished: ${scaleCommand(name, begun)} makes what is missing, and goes on with it`
    : `kubectl redis create ${name} makes what is missing`;
}

/** What brings back pods whose StatefulSets somebody scaled down; those that need as many are told in one command. */
export function scaleUp(missing: readonly MissingPod[]): { readonly command: string; readonly why: string } | null {
  const down = missing.flatMap(({ scaledDown }) => scaledDown ?? []);
  const replicas = Math.max(0, ...down.map((one) => one.replicas));
  const last = down.filter((one) => one.replicas === replicas);
  const sets = [...new Set(last.map(({ set }) => set))];
  const [first] = last;
  if (first === undefined) return null;
  const was = sets.length === 1 ? 'it was' : 'they were';
  return {
    command: `scale statefulset ${sets.join(' ')} --replicas=${replicas}`,
    why: first.has === 0 ? `${was} scaled to 0` : `${was} scaled down to ${first.has}`,
  };
}

/** Of clusters that people made of their own pods: none of ours is made that the record does not name. */
export const checkPodsBeyond: Check = ({ state, observation }) =>
  podsBeyond(state, observation.kube).map(({ pod, takeAway }) => {
    const sentence = `${pod} is no node of ${state.cluster.name}, which was formed without it: nobody gives it an address, and it never starts.`;
    const repair = takeAway === null ? {} : { repair: `${takeAway} takes it away again.` };
    return makeProblem('pod-beyond', state.cluster.name, { sentence, nodes: [pod], ...repair });
  });

export const checkTerminatingPods: Check = ({ state, answered }) =>
  answered
    .filter(({ node }) => node.pod?.terminating === true)
    .map(({ pod, node }) => {
      const sentence = `${pod} on ${node.host ?? 'no host'} is being deleted and still answers.`;
      return makeProblem('pod-terminating', state.cluster.name, { sentence, nodes: [pod] });
    });

/** Problems because of which a pod is not ready: its probe fails while they last, or it goes. Others only happen beside it. */
const EXPLAINS: ReadonlySet<string> = new Set([
  'pod-terminating',
  'node-starting',
  'host-not-ready',
  'node-not-joined',
  'not-formed',
  'replica-orphaned',
  'replica-dials-stale-address',
  'replica-link-down',
  'replica-syncing',
  'writes-refused',
]);

/** Said of pods whose being not ready nothing else explains. */
export const checkReadiness: Check = ({ state, answered, kubectl, isFresh, troubleOf }, found) => {
  const explained = new Set(found.filter(({ code }) => EXPLAINS.has(code)).flatMap((problem) => problem.nodes));
  return (
    answered
      .filter(({ node, pod, nodeId }) => node.pod?.ready === false && !explained.has(pod) && !isFresh(nodeId))
      // (A replica whose primary is down has no problem of its own, and is not ready for lack of its link.)
      .filter(({ answer }) => answer.info.primaryLinkUp !== false)
      .map(({ pod }) => {
        const trouble = troubleOf(pod);
        const why = trouble?.code === 'starting' ? ` (it ${trouble.sentence})` : '';
        return makeProblem('pod-not-ready', state.cluster.name, {
          sentence: `${pod} answers but is not ready${why}: the client Service leaves it out.`,
          nodes: [pod],
          repair: `${kubectl(`describe pod ${pod}`)} shows the last message of its readiness probe.`,
        });
      })
  );
};
