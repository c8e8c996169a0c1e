/**
 * Argo CD leaves a claim alone as long as there is a StatefulSet that it was made for; after `delete`, which keeps claims, it would take those
 * whose label `app.kubernetes.io/instance` names its application for something that is not in Git any more, and remove them with all keys.
 * Labels of a claim template can't be changed on a StatefulSet that is there, so the claims themselves are marked.
 */
import pLimit from 'p-limit';
import { CLUSTER_LABEL, MANAGED_BY, MANAGED_BY_LABEL } from '../../cluster/model/labels.ts';
import type { ClusterRef } from '../../cluster/model/observation.ts';
import { AppError } from '../../errors.ts';
import { NOT_PRUNED } from '../../pod/labels.ts';
import type { KubeObject, KubePort } from '../ports.ts';

const AT_ONCE = 20;
/** Who may not mark claims can still run a cluster; one that is gone, or is another by now, needs no mark. */
const HARMLESS: ReadonlySet<string> = new Set(['forbidden', 'invalid', 'not-found', 'conflict']);

/** Marks claims that are not marked yet. @throws AppError of an API server that fails */
export async function protectClaims(kube: Pick<KubePort, 'list' | 'apply'>, { name }: ClusterRef): Promise<void> {
  const selector = `${CLUSTER_LABEL}=${name},${MANAGED_BY_LABEL}=${MANAGED_BY}`;
  const claims = await kube.list('v1', 'PersistentVolumeClaim', { selector }).catch(noneIfHarmless);
  const limit = pLimit(AT_ONCE);
  const unmarked = claims.filter(({ metadata }) => !isMarked(metadata.annotations ?? {}));
  await Promise.all(unmarked.map((claim) => limit(() => mark(kube, claim))));
}

function isMarked(annotations: Readonly<Record<string, string>>): boolean {
  return Object.entries(NOT_PRUNED).every(([key, value]) => annotations[key] === value);
}

async function mark(kube: Pick<KubePort, 'apply'>, { metadata: { name, uid } }: KubeObject): Promise<void> {
  // The server refuses when a claim of that name is another one.
  const metadata = { name, ...(uid === undefined ? {} : { uid }), annotations: NOT_PRUNED };
  await kube.apply({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata }).catch(noneIfHarmless);
}

function noneIfHarmless(error: unknown): readonly [] {
  if (error instanceof AppError && HARMLESS.has(error.code)) return [];
  throw error;
}
