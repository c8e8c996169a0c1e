/** What the webhook is and what is wrong with it, as lines. */
import { X509Certificate } from 'node:crypto';
import type { KubeObject, KubePort } from '../../pkg/engine/ports.ts';
import { AppError } from '../../pkg/errors.ts';
import { isObject } from '../../pkg/pod/inject/pod-json.ts';
import { SECRET_NAME, WEBHOOK_NAME } from '../../webhook/settings.ts';
import { bundlesOf, configurationOf } from './install.ts';
import { podCounts, podTrouble, PODS, tryOut, whyNotRolledOut, withTrouble } from './rollout.ts';

export interface WebhookStatus {
  readonly namespace: string;
  readonly image: string;
  readonly ready: number;
  readonly replicas: number;
  /** What is missing until all pods are ready; null = nothing. */
  readonly missing: string | null;
  /** null = could not be read. */
  readonly certificateDaysLeft: number | null;
  readonly bundleMatches: boolean | null;
  /** What a dry-run pod met; null = it was completed. */
  readonly unreachable: string | null;
  /** Last admissions, newest last. */
  readonly admissions: readonly string[];
  readonly problems: readonly string[];
}

const DAY_MS = 24 * 60 * 60_000;
const LOG_LINES = 200;
const MAX_ADMISSIONS = 5;
const FEW_DAYS = 14;

/** null when nothing of it is there. */
export async function readStatus(
  kube: KubePort,
  elsewhere: Pick<KubePort, 'apply'>,
  namespace: string,
  now: number,
): Promise<WebhookStatus | null> {
  const [deployment, configuration] = await Promise.all([
    kube.get('apps/v1', 'Deployment', WEBHOOK_NAME),
    configurationOrHidden(kube),
  ]);
  if (deployment === null && (configuration === null || configuration === HIDDEN)) return null;
  const [secret, admissions, missing, unreachable] = await Promise.all([
    readSecret(kube),
    lastAdmissions(kube),
    missingOf(kube, deployment),
    configuration === null ? 'there is no MutatingWebhookConfiguration' : tryOut(elsewhere),
  ]);
  const bundles = configuration === HIDDEN ? null : bundlesOf(configuration);
  const seen = {
    namespace,
    ...deploymentOf(deployment),
    missing,
    certificateDaysLeft: secret === null ? null : (secret.until - now) / DAY_MS,
    bundleMatches:
      secret === null || bundles === null
        ? null
        : bundles.length > 0 && bundles.every((bundle) => bundle === secret.bundle),
    unreachable,
    admissions,
  };
  return { ...seen, problems: problemsOf(seen) };
}

const HIDDEN = 'hidden';

/** It is for the whole cluster, so that who may read one namespace may not read it. */
async function configurationOrHidden(kube: KubePort): Promise<KubeObject | null | typeof HIDDEN> {
  try {
    return await configurationOf(kube);
  } catch (error) {
    if (error instanceof AppError && error.code === 'forbidden') return HIDDEN;
    throw error;
  }
}

async function missingOf(kube: KubePort, deployment: KubeObject | null): Promise<string | null> {
  const missing = whyNotRolledOut(deployment);
  return missing === null ? null : withTrouble(missing, await podTrouble(kube));
}

function deploymentOf(deployment: KubeObject | null): Pick<WebhookStatus, 'image' | 'ready' | 'replicas'> {
  const spec = (deployment?.['spec'] ?? {}) as {
    readonly template?: { readonly spec?: { readonly containers?: readonly { readonly image?: string }[] } };
  };
  const image = spec.template?.spec?.containers?.[0]?.image ?? '(none)';
  const { wanted, ready } = podCounts(deployment);
  return { image, ready, replicas: wanted };
}

/** null where people may not read it, or it is not there yet. */
async function readSecret(kube: KubePort): Promise<{ readonly until: number; readonly bundle: string } | null> {
  try {
    const secret = await kube.get('v1', 'Secret', SECRET_NAME);
    const data = (secret?.['data'] ?? {}) as Readonly<Record<string, string>>;
    const leaf = new X509Certificate(Buffer.from(data['tls.crt'] ?? '', 'base64'));
    return { until: Date.parse(leaf.validTo), bundle: data['ca.crt'] ?? '' };
  } catch {
    return null;
  }
}

async function lastAdmissions(kube: KubePort): Promise<string[]> {
  const pods = await kube.list('v1', 'Pod', { selector: PODS });
  const logs = await Promise.all(pods.map(({ metadata }) => kube.logTail(metadata.name, 'webhook', LOG_LINES)));
  return logs
    .flat()
    .flatMap(admissionOf)
    .sort((a, b) => a.time - b.time)
    .slice(-MAX_ADMISSIONS)
    .map(({ text }) => text);
}

function admissionOf(line: string): { time: number; text: string }[] {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return [];
  }
  if (!isObject(entry) || entry['msg'] !== 'admission' || typeof entry['time'] !== 'number') return [];
  const { time, namespace, node, cluster, result, code, sentence, dryRun } = entry;
  if (dryRun === true) return [];
  const who = [node, cluster, 'a pod'].find((each) => typeof each === 'string');
  const why = typeof sentence === 'string' ? `: ${sentence}` : '';
  const text = `${new Date(time).toISOString()}  ${String(namespace)}/${String(who)}  ${String(result)}${result === code ? '' : ` (${String(code)})`}${why}`;
  return [{ time, text }];
}

function problemsOf(status: Omit<WebhookStatus, 'problems'>): string[] {
  const { missing, certificateDaysLeft, bundleMatches, unreachable, namespace } = status;
  const problems: string[] = [];
  if (missing !== null) problems.push(`${missing}; see kubectl describe deploy,pods -n ${namespace}`);
  if (certificateDaysLeft !== null && certificateDaysLeft < FEW_DAYS) {
    problems.push(
      `the certificate ends in ${certificateDaysLeft.toFixed(1)} days and was not renewed: kubectl logs -n ${namespace} deploy/${WEBHOOK_NAME}`,
    );
  }
  if (bundleMatches === false) {
    problems.push(
      'the API server does not trust the certificate: caBundle is not that of the Secret; the server puts it back within a minute',
    );
  }
  if (unreachable !== null) problems.push(`a pod that asks would not be completed: ${unreachable}`);
  return problems;
}

export function statusLines(status: WebhookStatus): string[] {
  const { namespace, image, ready, replicas, certificateDaysLeft, bundleMatches, unreachable, admissions, problems } =
    status;
  const yes = (value: boolean | null): string => (value === null ? 'could not be read' : value ? 'yes' : 'no');
  const days = certificateDaysLeft === null ? 'could not be read' : `${Math.floor(certificateDaysLeft)} days left`;
  return [
    `Webhook:        ${problems.length === 0 ? 'healthy' : 'not healthy'}`,
    `Namespace:      ${namespace}`,
    `Image:          ${image}`,
    `Pods:           ${ready} of ${replicas} ready`,
    `Certificate:    ${days}`,
    `CA published:   ${yes(bundleMatches)}`,
    `Answers:        ${unreachable === null ? 'yes' : 'no'}`,
    ...(admissions.length === 0 ? [] : ['', 'Last admissions', ...admissions.map((line) => `  ${line}`)]),
    ...(problems.length === 0 ? [] : ['', 'Problems', ...problems.map((line) => `  ${line}`)]),
  ];
}
