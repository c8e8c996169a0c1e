/** Applies the webhook's objects and waits until it answers. */
import type { Clock, KubeObject, KubePort, PodTrouble } from '../../pkg/engine/ports.ts';
import { AppError, reasonOf, refusal } from '../../pkg/errors.ts';
import { isObject } from '../../pkg/pod/inject/pod-json.ts';
import type { Manifest } from '../../pkg/pod/manifest.ts';
import { MANAGED_BY, MANAGED_BY_LABEL } from '../../pkg/cluster/model/labels.ts';
import { webhookManifests, type InstallOptions } from '../../webhook/manifests.ts';
import { WEBHOOK_NAME } from '../../webhook/settings.ts';
import { podTrouble, tryOut, whyNotRolledOut, withTrouble } from './rollout.ts';

const POLL_MS = 500;
/** Waits between two looks at why a pod is not ready, and how often it must be beyond help to end the wait. */
const TROUBLE_EVERY = 4;
const FATAL_LOOKS = 3;

export interface InstallDeps {
  readonly kube: Pick<KubePort, 'apply' | 'get' | 'list' | 'whyNotReady'>;
  /** Of another namespace, in which a pod is tried out. */
  readonly elsewhere: Pick<KubePort, 'apply'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly timeoutMs: number;
}

/**
 * Harmless when repeated. A namespace that is there already stays as it is: it may hold what PodSecurity `restricted` would refuse.
 * @throws AppError `installed-elsewhere`; `no-cert-manager`; `timeout`, or the code of a pod's trouble, with what is missing
 */
export async function install(options: Omit<InstallOptions, 'matchConditions'>, deps: InstallDeps): Promise<void> {
  const { kube, say } = deps;
  await refuseOtherNamespace(kube, options.namespace);
  const namespace = await kube.get('v1', 'Namespace', options.namespace);
  const matchConditions = await knowsConditions(kube, options);
  if (!matchConditions) {
    say('note: this Kubernetes is older than 1.28: pods can ask by the label only, not by the annotation');
  }
  for (const object of webhookManifests({ ...options, matchConditions })) {
    if (object.kind === 'Namespace' && namespace !== null && !isOurs(namespace)) continue;
    await applyOne(kube, object);
    say(`${object.kind} ${object.metadata.name}`);
  }
  await untilItAnswers(deps);
}

async function applyOne(kube: InstallDeps['kube'], object: Manifest): Promise<void> {
  try {
    await kube.apply(object);
  } catch (error) {
    if (!object.apiVersion.startsWith('cert-manager.io/')) throw error;
    if (!(error instanceof AppError) || error.code !== 'not-found') throw error;
    throw new AppError('cert-manager is not installed: there is no kind cert-manager.io/v1', {
      code: 'no-cert-manager',
      cause: error.cause,
      hint: 'Install it (https://cert-manager.io), or leave out --cert-manager: the webhook then makes its certificates itself',
    });
  }
}

/**
 * Asked of the server itself, in a dry run, rather than of its version: an API server that leaves the conditions out without a
 * word would ask the webhook about every pod there is.
 */
async function knowsConditions(
  kube: InstallDeps['kube'],
  options: Omit<InstallOptions, 'matchConditions'>,
): Promise<boolean> {
  const wanted = webhookManifests({ ...options, matchConditions: true }).find(({ kind }) => kind === CONFIGURATION[1]);
  if (wanted === undefined) throw new Error('there is no configuration among the manifests');
  try {
    const seen = (await kube.apply(wanted, { dryRun: true }))['webhooks'];
    return Array.isArray(seen) && seen.every((each) => isObject(each) && Array.isArray(each['matchConditions']));
  } catch (error) {
    if (error instanceof AppError && reasonOf(error.cause).includes('matchConditions')) return false;
    throw error;
  }
}

/** One cluster has one webhook: two configurations would call two servers about each pod. */
async function refuseOtherNamespace(kube: Pick<KubePort, 'get'>, namespace: string): Promise<void> {
  const there = namespaceOfWebhook(await configurationOf(kube));
  if (there === null || there === namespace) return;
  throw refusal(
    'installed-elsewhere',
    `the webhook is installed in namespace ${there} already`,
    `-n ${there} changes that one; kubectl redis webhook uninstall -n ${there} removes it`,
  );
}

async function untilItAnswers({ kube, elsewhere, clock, signal, timeoutMs }: InstallDeps): Promise<void> {
  const until = clock.monotonic() + timeoutMs;
  let looks = 0;
  for (let waits = 1; ; waits++) {
    const missing = (await whatIsMissing(kube)) ?? (await whyNotReached(elsewhere));
    if (missing === null) return;
    const late = clock.monotonic() >= until;
    const trouble = late || waits % TROUBLE_EVERY === 0 ? await podTrouble(kube) : null;
    // The first failed pull or crash may be a hiccup.
    if (trouble?.fatal === true) looks += 1;
    if (late || looks === FATAL_LOOKS) throw notAnswering(missing, trouble);
    await clock.sleep(POLL_MS, signal);
  }
}

function notAnswering(missing: string, trouble: PodTrouble | null): AppError {
  return new AppError(`the webhook does not answer yet: ${withTrouble(missing, trouble)}`, {
    code: trouble?.code ?? 'timeout',
    hint: 'kubectl redis webhook status says more; the same command goes on waiting',
  });
}

/** null when all pods are ready and the API server knows their authority. */
async function whatIsMissing(kube: InstallDeps['kube']): Promise<string | null> {
  const missing = whyNotRolledOut(await kube.get('apps/v1', 'Deployment', WEBHOOK_NAME));
  if (missing !== null) return missing;
  return bundlesOf(await configurationOf(kube)).every((bundle) => bundle !== '') ? null : 'no certificate is published';
}

/** Its pods are ready before every proxy has heard of them. What else the try-out meets, a right or a policy, is no matter of time. */
async function whyNotReached(elsewhere: InstallDeps['elsewhere']): Promise<string | null> {
  const met = await tryOut(elsewhere);
  return met !== null && /failed (calling|to call) webhook/.test(met)
    ? `the API server does not reach it: ${met}`
    : null;
}

const CONFIGURATION = ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'] as const;

export function configurationOf(kube: Pick<KubePort, 'get'>): Promise<KubeObject | null> {
  return kube.get(...CONFIGURATION, WEBHOOK_NAME);
}

interface WebhookEntry {
  readonly clientConfig?: { readonly caBundle?: string; readonly service?: { readonly namespace?: string } };
}

function entriesOf(configuration: KubeObject | null): readonly WebhookEntry[] {
  return (configuration?.['webhooks'] ?? []) as readonly WebhookEntry[];
}

/** caBundle of each webhook, base64; '' where there is none. */
export function bundlesOf(configuration: KubeObject | null): string[] {
  return entriesOf(configuration).map(({ clientConfig }) => clientConfig?.caBundle ?? '');
}

/** Where the server is that the API server asks; null where it asks none. */
export function namespaceOfWebhook(configuration: KubeObject | null): string | null {
  return entriesOf(configuration)[0]?.clientConfig?.service?.namespace ?? null;
}

/** Whether it is the webhook's, made by `install` or by its server. Clusters of `create` have only the second label. */
export function isOurs({ metadata: { labels = {} } }: KubeObject): boolean {
  return labels['app.kubernetes.io/name'] === WEBHOOK_NAME && labels[MANAGED_BY_LABEL] === MANAGED_BY;
}
