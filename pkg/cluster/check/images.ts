/**
 * Templates that name another image than the pods that run: a restart with another image that stopped in the middle, or a template that
 * somebody changed by hand. Whichever pod goes next, for whatever reason, comes back with that image.
 */
import { goesWithPod } from '../evidence/persistence.ts';
import { REVISION_LABEL, SPEC_HASH_ANNOTATION } from '../model/labels.ts';
import type { PodFacts, StatefulSetFacts } from '../model/observation.ts';
import { recordOf } from '../model/record.ts';
import type { ClusterState } from '../model/state.ts';
import { isDead } from '../plan/pod-life.ts';
import { restartCommand } from '../plan/restart-command.ts';
import { isAsBefore } from '../plan/restart-goal.ts';
import { whyOlderThan } from '../plan/server-version.ts';
import type { Check, CheckContext } from './context.ts';
import { isRunning } from './operation.ts';
import { count, listNames, makeProblem } from './wording.ts';

/** The image that most of the ready pods run; null when no pod is ready. */
export function runningImage({ observation }: Pick<CheckContext, 'observation'>): string | null {
  const images = observation.kube.pods.filter(({ ready }) => ready).map(({ container }) => container.image);
  const votes = (image: string): number => images.filter((one) => one === image).length;
  return [...new Set(images)].toSorted((a, b) => votes(b) - votes(a))[0] ?? null;
}

/** The command that makes all templates name the image again that the other pods run; null where a node that runs is newer: it is refused. */
export function goBackTo(image: string, { cluster, nodes }: ClusterState): string | null {
  return whyOlderThan(image, nodes) === null ? `kubectl redis restart ${cluster.name} --image ${image}` : null;
}

export const checkImages: Check = (context, found) => {
  const { state, observation } = context;
  // Templates of others roll by themselves, and admission may rewrite what they name.
  if (state.origin !== 'ours' || isRestarting(context)) return [];
  const recorded = recordedImage(context);
  // What a manifest has put back is told as that, image and all.
  const told = new Set(found.map(({ subject }) => subject));
  const sets = new Map(
    observation.kube.statefulSets
      .map((set): [string, StatefulSetFacts] => [`StatefulSet/${set.name}`, set])
      .filter(([subject]) => !told.has(subject)),
  );
  const groups = new Map<string, { readonly wanted: string; readonly runs: string; readonly pods: string[] }>();
  for (const pod of observation.kube.pods) {
    const set = sets.get(pod.owner ?? '');
    if (set === undefined || !isBehind(pod, set, recorded)) continue;
    const runs = pod.container.image;
    const group = groups.get(`${set.image} ${runs}`) ?? { wanted: set.image, runs, pods: [] };
    groups.set(`${set.image} ${runs}`, group);
    group.pods.push(pod.name);
  }
  return [...groups.values()].map(({ wanted, runs, pods }) => {
    const { name } = state.cluster;
    const sentence = `${count(pods.length, 'template')} ${pods.length === 1 ? 'names' : 'name'} the image ${wanted}, while ${listNames(pods)} ${pods.length === 1 ? 'runs' : 'run'} ${runs}: a pod that goes comes back with ${wanted}.`;
    const back = goBackTo(runs, state);
    const next = recorded ?? wanted;
    const isRefused = whyOlderThan(next, state.nodes) !== null;
    const one = `${restartCommand(name, next, state.nodes)} gives all nodes one image: ${next} can't take the place of a server that runs.`;
    const ways = [
      ...(back === null ? [] : [`${back} goes back to the image that runs`]),
      ...(isRefused ? [] : [`kubectl redis restart ${name} goes on with ${wanted}`]),
    ];
    const anew = `kubectl redis restart ${name}${pods.map((pod) => ` --pod ${pod}`).join('')} makes the ${pods.length === 1 ? 'template' : 'templates'} anew with the image that is recorded, ${next}.`;
    const repair = next !== wanted ? (isRefused ? one : anew) : ways.length === 0 ? one : `${ways.join('; ')}.`;
    return makeProblem('image-differs', name, { sentence, nodes: pods, repair });
  });
};

/** Whatever is mended in a template does not reach a pod that can't start: its StatefulSet waits for somebody to delete it. */
export const checkOutdatedPods: Check = (context) => {
  const {
    state,
    observation: { kube },
    kubectl,
  } = context;
  if (state.origin !== 'ours' || isRestarting(context)) return [];
  return state.nodes.flatMap(({ pod, unreachable }) => {
    if (pod === null) return [];
    const set = kube.statefulSets.find(({ name }) => pod.owner === `StatefulSet/${name}`);
    const made = pod.labels[REVISION_LABEL];
    if (set?.revision === undefined || made === undefined || made === set.revision) return [];
    const waits = unreachable?.why === 'guard-waiting';
    if (pod.terminating || (!isDead(pod) && !waits)) return [];
    const { image, reason } = pod.container;
    const other =
      image === set.image ? 'an older template' : `the image ${image}, while its template names ${set.image} by now`;
    const sentence = `${pod.name} does not run (${reason ?? (waits ? 'its guard waits' : pod.phase)}) and was made from ${other}.`;
    const repair = goesWithPod(pod)
      ? 'Its data goes with the pod: copy that first. A pod that is made anew comes with an empty volume.'
      : `${kubectl(`delete pod ${pod.name}`)} has it made anew, with its volume.`;
    return [makeProblem('pod-outdated', state.cluster.name, { sentence, nodes: [pod.name], repair })];
  });
};

function isRestarting({ state }: CheckContext): boolean {
  return state.operation?.verb === 'restart' && isRunning(state);
}

/** `scale` refuses while one is not finished, so it must be seen. Where a run still has the lease, or left it, that is told. */
export const checkUnfinishedRestart: Check = ({ state, observation: { kube } }, found) => {
  const { name } = state.cluster;
  const { spec } = recordOf(kube, state.cluster);
  const isTold = found.some(({ code }) => code === 'image-differs' || code === 'record-older');
  if (state.origin !== 'ours' || spec === null || spec.scaling !== null || state.operation !== null || isTold)
    return [];
  const old = kube.pods.filter((pod) => isAsBefore(pod, spec, kube)).map((pod) => pod.name);
  if (old.length === 0) return [];
  const sentence = `A restart of ${name} was begun and is not finished: ${listNames(old)} ${old.length === 1 ? 'is' : 'are'} as before.`;
  const repair = `${restartCommand(name, spec.image, state.nodes)} goes on with it.`;
  return [makeProblem('restart-unfinished', name, { sentence, nodes: old, repair })];
};

/** What `create` or `restart` recorded last; null where it can't be read. */
function recordedImage({ observation, state }: CheckContext): string | null {
  return recordOf(observation.kube, state.cluster).spec?.image ?? null;
}

/** A pod of this very template, as it was recorded, has whatever image admission made of it. */
function isBehind(pod: PodFacts, set: StatefulSetFacts, recorded: string | null): boolean {
  const hash = set.templateAnnotations[SPEC_HASH_ANNOTATION];
  if (pod.terminating || set.image === '' || set.image === pod.container.image) return false;
  const changedByHand = recorded !== null && set.image !== recorded;
  return changedByHand || hash === undefined || pod.annotations[SPEC_HASH_ANNOTATION] !== hash;
}
