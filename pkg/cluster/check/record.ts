/** The record of the cluster: that it is there, that it says what can be seen, and that no manifest can take it back. */
import { isIdleService } from '../interpret/injected.ts';
import { knowsOthers } from '../interpret/formed.ts';
import { claimsToName } from '../evidence/leftovers.ts';
import { phantomLines } from '../evidence/missing-pods.ts';
import { INJECTED_ANNOTATION, MANAGED_BY, MANAGED_BY_LABEL, SET_ASIDE_ANNOTATION } from '../model/labels.ts';
import { isUnread } from '../model/observation.ts';
import { recordOf } from '../model/record.ts';
import { SLOT_COUNT, countSlots } from '../model/slots.ts';
import type { ClusterState } from '../model/state.ts';
import type { Check, CheckContext } from './context.ts';
import { mayBeJoined } from '../evidence/unheard.ts';
import { isForming } from '../evidence/forming.ts';
import { count, listNames, makeProblem } from './wording.ts';

export const checkFormed: Check = (context) => {
  const { state, answered, missing } = context;
  const { name } = state.cluster;
  if (!isForming(state)) return hasRecord(context) && !state.formedMark ? [markMissing(context)] : [];
  if (mayBeJoined(state).length > 0 || (state.origin === 'foreign' && answered.length === 0)) return [];
  const total = state.nodes.filter((node) => node.pod !== null).length + missing.length;
  const sentence = `${name} was never joined to a cluster: ${answered.length} of ${count(total, 'node')} ${total === 1 ? 'answers' : 'answer'}, ${SLOT_COUNT - countSlots(state.uncovered)} of ${SLOT_COUNT} slots are assigned.`;
  const nodes = answered.map((one) => one.pod);
  if (state.origin === 'ours') return [makeProblem('not-formed', name, { sentence, nodes })];
  const first = nodes[0] ?? name;
  const repair = `Form it with redis-cli --cluster create and the addresses of the pods, for example from inside ${first}.`;
  return [makeProblem('not-formed', name, { sentence, nodes, repair })];
};

/** Objects of ours, or pods with our guard: an empty node asks the record before it starts. */
function hasRecord({ state, observation: { kube } }: CheckContext): boolean {
  if (isUnread(kube, 'configmaps')) return false;
  return state.origin === 'ours' || kube.pods.some((pod) => pod.annotations[INJECTED_ANNOTATION] !== undefined);
}

/** Not by any mark. */
export function isPlainlyThere(state: ClusterState): boolean {
  return state.nodes.some(
    ({ slots, reply }) => slots.length > 0 || (reply?.kind === 'answered' && knowsOthers(reply.answer)),
  );
}

function markMissing({ state, observation, kubectl }: CheckContext): ReturnType<typeof makeProblem> {
  const { name } = state.cluster;
  const { kube } = observation;
  const seen = isPlainlyThere(state);
  const held = kube.state == null ? `${name}-config` : `${name}-state`;
  const says =
    recordOf(kube, state.cluster).formed === false
      ? `ConfigMap ${held} says that ${name} was never formed`
      : `Nothing says that ${name} was formed: ConfigMap ${name}-state is missing or not whole`;
  const but = seen ? ', although it is' : '; no node that may know can be asked';
  const sentence = `${says}${but}: a node whose volume is lost would not wait for the others.`;
  if (!seen) return makeProblem('formed-mark-missing', name, { sentence, repair: 'Bring the nodes back: they know.' });
  const repair = kubectl(`patch configmap ${held} --type merge -p '{"data":{"formed":"true"}}'`);
  return makeProblem('formed-mark-missing', name, { sentence, repair });
}

/** A record of a cluster that an older version made. What a recording of one can't know is not judged. */
export const checkState: Check = (context) => {
  const { state, observation } = context;
  if (observation.kube.state !== null || !state.formedMark || !hasRecord(context)) return [];
  const { name } = state.cluster;
  const sentence = `What must be remembered of ${name} is in ConfigMap ${name}-config${state.origin === 'ours' ? ` and on Service ${name}` : ''}, where a manifest that is applied again overwrites it.`;
  return [makeProblem('state-missing', name, { sentence })];
};

/** Where nothing else speaks of it: slots that nobody owns, or a node that is known and not recorded, are a problem of their own. */
export const checkUnusedVolumes: Check = ({ state, answered, kubectl }, found) => {
  const claims = claimsToName(state);
  const told = state.uncovered.length > 0 || found.some(({ repair }) => repair.includes(claims[0] ?? ''));
  if (claims.length === 0 || answered.length === 0 || told) return [];
  const { name } = state.cluster;
  const one = claims.length === 1;
  const sentence = `${one ? 'Claim' : 'Claims'} ${listNames(claims)} of ${name} ${one ? 'is' : 'are'} there, no pod uses ${one ? 'it' : 'them'}, and no node that is recorded would.`;
  const [claim = ''] = claims;
  const subject = one ? { subject: `PersistentVolumeClaim/${claim}` } : {};
  const aside = kubectl(`annotate persistentvolumeclaim ${claims.join(' ')} ${SET_ASIDE_ANNOTATION}=true`);
  const repair = `Put back the record that names ${one ? 'its node' : 'their nodes'}, and kubectl redis create ${name}. If nobody wants what is there: ${aside}, and ${one ? 'it is' : 'they are'} not named any more.`;
  return [makeProblem('volume-unused', name, { sentence, repair, ...subject })];
};

/** Not missing: no pod has its number, and no node knows it. */
export const checkUnusedLines: Check = ({ state, observation, kubectl }) => {
  const { name } = state.cluster;
  return phantomLines(state, observation.kube).map(({ node }) => {
    const sentence = `ConfigMap ${name}-state has a line for ${node}, which never was a node of ${name}: its workload was scaled up and down again.`;
    const isMade = observation.kube.services.some(
      (one) => one.name === node && isIdleService(one, observation.kube, name),
    );
    const first = isMade ? `${kubectl(`delete service ${node}`)}; then ` : '';
    const repair = `${first}kubectl redis create ${name} writes the table without it.`;
    return makeProblem('line-unused', name, { subject: node, sentence, repair });
  });
};

export const checkObjectsThere: Check = (context) => {
  const { state, observation } = context;
  const { kube } = observation;
  const { name } = state.cluster;
  const isOurs = kube.statefulSets.some((set) => set.templateLabels[MANAGED_BY_LABEL] === MANAGED_BY);
  if (state.origin === 'foreign' && isOurs && !isUnread(kube, 'configmaps') && !isUnread(kube, 'services')) {
    const sentence = `Nothing records what ${name} was made with: neither ConfigMap ${name}-state nor Service ${name} nor a StatefulSet.`;
    return [makeProblem('record-lost', name, { sentence })];
  }
  if (kube.pods.length === 0 || !hasRecord(context)) return [];
  const problems = [];
  if (kube.config === null) {
    const sentence = `ConfigMap ${name}-config is missing: no pod of ${name} can start.`;
    problems.push(makeProblem('config-missing', name, { subject: `ConfigMap/${name}-config`, sentence }));
  }
  if (state.origin === 'ours' && kube.services.length > 0 && !kube.services.some((service) => service.name === name)) {
    const sentence = `Service ${name} is missing: clients that connect by its name reach nobody.`;
    problems.push(makeProblem('client-service-missing', name, { subject: `Service/${name}`, sentence }));
  }
  return problems;
};
