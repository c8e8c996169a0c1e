/**
 * Why a pod is not ready: a decision over what Kubernetes says of it. Pure; fetch-trouble.ts does the asking.
 *
 * The order of the questions is the order in which a pod comes up, so that the first answer is the one to act on:
 * 1. is it there and not on its way out, 2. was it refused by its host, 3. are its volumes bound, 4. has it a host,
 * 5. its images, 6. its configuration, 7. did it crash, 8. does the guard wait, 9. what does the kubelet say. Volumes come
 * before the host because the scheduler's own sentence about an unbound claim does not say what is wrong with the claim.
 */
import type { PodFacts } from '../cluster/model/observation.ts';
import type { PodTrouble } from '../engine/ports.ts';
import type { RawEvent } from './api-json.ts';
import { condition, EVIDENCE_LINES, eventsOf, finding, joined, newest, saidAt } from './evidence.ts';
import type { Evidence, Finding } from './evidence.ts';
import { claimTrouble } from './why-claim.ts';
import { containerTrouble } from './why-container.ts';

/** null when nothing is wrong with it. */
export function decideTrouble(facts: PodFacts, evidence: Evidence): PodTrouble | null {
  const found =
    presence(facts, evidence) ??
    (facts.ready
      ? null
      : (hostRefusal(evidence) ??
        claimTrouble(facts, evidence) ??
        schedulingTrouble(evidence) ??
        containerTrouble(facts, evidence) ??
        guardTrouble(evidence) ??
        kubeletTrouble(evidence) ??
        starting(facts, evidence)));
  return found === null ? null : { pod: facts.name, ...found };
}

function presence(facts: PodFacts, { pod }: Evidence): Finding | null {
  if (pod === null) return finding('gone', 'does not exist any more', [], false);
  // The API stamps the end of the grace period, not its beginning.
  const until = pod.metadata?.deletionTimestamp;
  if (until === undefined) return null;
  const host = facts.host === null ? '' : ` on host ${facts.host}`;
  return finding('terminating', `is being deleted${host}, with grace until ${until}`, [], false);
}

/** The kubelet did not admit it, or put it out: the pod is over, its StatefulSet makes a new one. */
function hostRefusal({ pod }: Evidence): Finding | null {
  if (pod?.status?.phase !== 'Failed') return null;
  const { reason = 'failed', message = '' } = pod.status;
  return finding('failed', joined(`failed on host ${pod.spec?.nodeName ?? '?'}: ${reason}`, message), [], false);
}

// ---------------------------------------------------------------------------------------------------------- scheduling

function schedulingTrouble({ pod, events }: Evidence): Finding | null {
  const scheduled = condition(pod, 'PodScheduled');
  if (scheduled?.status !== 'False') return null;
  const message = scheduled.message ?? '';
  // What follows `preemption:` says the same again.
  const constraint = message.replace(/\s*preemption:.*$/s, '').replace(/\.$/, '');
  const autoscaler = events
    .filter((event) => (event.reason ?? '').endsWith('ScaleUp'))
    .map((event) => event.message ?? '');
  const last = newest(events.filter((event) => (event.reason ?? '').endsWith('ScaleUp')));
  const hopeless = last?.reason === 'NotTriggerScaleUp';
  const mark = hopeless ? saidAt(last) : undefined;
  return finding('unschedulable', joined('no host takes it', constraint), [message, ...autoscaler], hopeless, mark);
}

// ------------------------------------------------------------------------------------------------- runs, but not ready

/** What the start script of our pods writes: `guard: waiting for …` every few seconds while it waits, else without `waiting`. */
const GUARD = /^guard: /;
const GUARD_WAITS = /^guard: waiting\s*/;
/** `123:M 01 Jan …`: a line that the server writes, so that the guard before it is done. */
const SERVER_LINE = /^\d+:[A-Z] /;

function guardTrouble({ log }: Evidence): Finding | null {
  const last = log.findLast((line) => GUARD.test(line) || SERVER_LINE.test(line));
  if (last === undefined || !GUARD_WAITS.test(last)) return null;
  const sentence = `the start guard is waiting ${last.replace(GUARD_WAITS, '')}`;
  return finding('guard-waiting', sentence, log.slice(-EVIDENCE_LINES), false);
}

const KUBELET_REASONS: Readonly<Record<string, string>> = {
  FailedMount: "a volume can't be mounted",
  FailedAttachVolume: "a volume can't be attached to its host",
  FailedMapVolume: "a volume can't be mapped",
  FailedCreatePodSandBox: "its host can't set up the pod",
};

/** Only while nothing has started: old warnings stay for an hour after they were overcome. */
function kubeletTrouble({ pod, events }: Evidence): Finding | null {
  if ((pod?.status?.containerStatuses ?? []).some((each) => each.state?.running !== undefined)) return null;
  const event = newest(events.filter((each) => KUBELET_REASONS[each.reason ?? ''] !== undefined));
  if (event === null) return null;
  const what = KUBELET_REASONS[event.reason ?? ''] ?? '';
  const code = event.reason === 'FailedCreatePodSandBox' ? 'starting' : 'volume';
  return finding(code, joined(what, event.message), [event.message ?? ''], false);
}

function starting(facts: PodFacts, { pod, events, log }: Evidence): Finding {
  if (facts.container.state === 'running') {
    const probe = newest(events.filter((event) => event.reason === 'Unhealthy'));
    return finding('starting', joined('runs but is not ready', probe?.message), log.slice(-EVIDENCE_LINES), false);
  }
  const doing = (pod?.status?.containerStatuses ?? [])
    .map((each) => each.state?.waiting?.reason)
    .find((each) => each !== undefined);
  const host = facts.host === null ? 'waits for a host' : `starts on host ${facts.host}`;
  return finding('starting', doing === undefined ? host : `${host} (${doing})`, [], false);
}

// ------------------------------------------------------------------------------------------------------- no pod at all

/** Why the controller of a StatefulSet could not make its pod; null when its events say nothing of it. */
export function decideNoPod(statefulSet: string, events: readonly RawEvent[]): PodTrouble | null {
  const own = eventsOf(events, 'StatefulSet', statefulSet);
  const [latest] = own.filter((event) => event.reason === 'FailedCreate' || event.reason === 'SuccessfulCreate');
  if (latest === undefined || latest.reason !== 'FailedCreate') return null;
  const message = latest.message ?? '';
  // `create Pod x-0 in StatefulSet x failed error: pods "x-0" is forbidden: …`
  const why = message.replace(/^.*?failed error: /s, '').replace(/^(pods|Pod) "[^"]*" is (forbidden|invalid): /, '');
  // A webhook may change its mind (ours does, once a pod of the same name is gone); a rule of the namespace does not.
  const fatal = !/admission webhook|failed calling webhook|timeout|try again/i.test(why);
  const pod = /Pod (\S+) in StatefulSet/.exec(message)?.[1] ?? `${statefulSet}-0`;
  return { pod, ...finding('rejected', `the API server refuses the pod: ${why}`, [message], fatal, saidAt(latest)) };
}
