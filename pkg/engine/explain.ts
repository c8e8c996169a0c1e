/**
 * Why a few pods are not as they should be, for the views that say it (`check` and `status`): what events, statuses and the last log of
 * a container tell. Bounded in number and in time, and never an error: a view does without what it can't have.
 */
import type { KubeFacts, NodeReply, PodFacts } from '../cluster/model/observation.ts';
import type { StorageClassFacts, TroubleFacts } from '../cluster/model/reasons.ts';
import { volumeTrouble } from '../cluster/check/grow-volume.ts';
import { compareNatural } from '../cluster/natural-order.ts';
import type { KubePort } from './ports.ts';

export type Explainer = Pick<KubePort, 'whyNotReady' | 'logTail' | 'get'>;

/** Each of them takes up to six requests. */
const MOST_PODS = 5;
const DISK_LOG_LINES = 30;

/** @returns at most five, of pods that are not ready; those that do not run come first */
export async function explainPods(
  kube: Explainer,
  pods: readonly PodFacts[],
  deadlineMs: number,
): Promise<TroubleFacts[]> {
  const ill = pods
    .filter((pod) => !pod.ready && !pod.terminating)
    .toSorted((a, b) => Number(isRunning(a)) - Number(isRunning(b)) || compareNatural(a.name, b.name))
    .slice(0, MOST_PODS);
  const found = await Promise.all(ill.map((pod) => inTime(deadlineMs, kube.whyNotReady(pod))));
  return found.flatMap((trouble) => {
    if (trouble === null) return [];
    const { pod, code, sentence, evidence } = trouble;
    return [{ pod, code, sentence, evidence }];
  });
}

function isRunning(pod: PodFacts): boolean {
  return pod.container.state === 'running';
}

type Replies = readonly { readonly pod: string; readonly reply: NodeReply }[];

/** What is known of volumes that take no writes: what the server says, and whether their claims may grow. */
export async function explainDisks(
  kube: Explainer,
  { pods, claims }: Pick<KubeFacts, 'pods' | 'claims'>,
  replies: Replies,
  troubles: readonly TroubleFacts[],
  deadlineMs: number,
): Promise<Pick<KubeFacts, 'troubles' | 'storageClasses'>> {
  const failing = new Set(replies.flatMap(({ pod, reply }) => (diskFails(reply) ? [pod] : [])));
  const explained = new Set(troubles.filter(isDiskTrouble).map(({ pod }) => pod));
  const logged = pods.filter(({ name }) => failing.has(name) && !explained.has(name)).slice(0, MOST_PODS);
  const said = await Promise.all(logged.map((pod) => inTime(deadlineMs, diskTrouble(kube, pod))));
  const full = new Set([...failing, ...explained]);
  const mounted = new Set(pods.filter(({ name }) => full.has(name)).flatMap((pod) => pod.claims));
  const names = claims.flatMap((claim) =>
    mounted.has(claim.name) && claim.storageClass !== null ? [claim.storageClass] : [],
  );
  const classes = await Promise.all(
    [...new Set(names)].slice(0, MOST_PODS).map((name) => inTime(deadlineMs, storageClass(kube, name))),
  );
  return {
    troubles: [...troubles, ...said.filter((one) => one !== null)],
    storageClasses: classes.filter((one) => one !== null),
  };
}

function diskFails(reply: NodeReply): boolean {
  if (reply.kind !== 'answered') return false;
  const { writes } = reply.answer.info;
  return writes !== undefined && !(writes.aofWriteOk && writes.aofRewriteOk && writes.snapshotOk);
}

function isDiskTrouble({ sentence, evidence }: TroubleFacts): boolean {
  return volumeTrouble([sentence, ...evidence]) !== null;
}

async function diskTrouble(kube: Explainer, pod: PodFacts): Promise<TroubleFacts | null> {
  const lines = await kube.logTail(pod.name, pod.container.name, DISK_LOG_LINES);
  const last = lines.findLast((line) => volumeTrouble([line]) !== null);
  return last === undefined ? null : { pod: pod.name, code: 'disk', sentence: last, evidence: [last] };
}

async function storageClass(kube: Explainer, name: string): Promise<StorageClassFacts | null> {
  const found = await kube.get('storage.k8s.io/v1', 'StorageClass', name);
  return found === null ? null : { name, expands: found['allowVolumeExpansion'] === true };
}

/** null when it fails, or is not there in time. */
async function inTime<T>(deadlineMs: number, work: Promise<T>): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), deadlineMs)));
  try {
    return await Promise.race([work.catch(() => null), late]);
  } finally {
    clearTimeout(timer);
  }
}
