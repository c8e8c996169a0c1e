/** Applies the webhook's objects and waits until it answers; removes them, the configuration first. */
import type { Clock, KubeObject, KubePort } from '../../pkg/engine/ports.ts';
import { AppError } from '../../pkg/errors.ts';
import { isObject } from '../../pkg/pod/inject/pod-json.ts';
import type { Manifest } from '../../pkg/pod/manifest.ts';
import { MANAGED_BY, MANAGED_BY_LABEL } from '../../pkg/cluster/model/labels.ts';
import { WEBHOOK_NAME } from '../../webhook/settings.ts';

const POLL_MS = 500;

export interface InstallDeps {
  readonly kube: Pick<KubePort, 'apply' | 'get'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
  readonly timeoutMs: number;
}

/** Harmless when repeated. @throws AppError `timeout` with what is missing */
export async function install(manifests: readonly Manifest[], deps: InstallDeps): Promise<void> {
  for (const object of manifests) {
    await deps.kube.apply(object);
    deps.say(`${object.kind} ${object.metadata.name}`);
  }
  const until = deps.clock.now() + deps.timeoutMs;
  for (;;) {
    const missing = await whatIsMissing(deps.kube);
    if (missing === null) return;
    if (deps.clock.now() >= until) {
      throw new AppError(`the webhook does not answer yet: ${missing}`, {
        code: 'timeout',
        hint: 'kubectl redis webhook status says more; the same command goes on waiting',
      });
    }
    await deps.clock.sleep(POLL_MS, deps.signal);
  }
}

/** null when two replicas are ready and the API server knows their authority. */
async function whatIsMissing(kube: InstallDeps['kube']): Promise<string | null> {
  const deployment = await kube.get('apps/v1', 'Deployment', WEBHOOK_NAME);
  const ready = readyReplicas(deployment);
  if (ready < 2) return `${ready} of 2 pods are ready`;
  return bundlesOf(await configurationOf(kube)).every((bundle) => bundle !== '') ? null : 'no certificate is published';
}

export function readyReplicas(deployment: KubeObject | null): number {
  const status = deployment?.['status'];
  const ready = isObject(status) ? status['readyReplicas'] : 0;
  return typeof ready === 'number' ? ready : 0;
}

export function configurationOf(kube: Pick<KubePort, 'get'>): Promise<KubeObject | null> {
  return kube.get('admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration', WEBHOOK_NAME);
}

/** caBundle of each webhook, base64; '' where there is none. */
export function bundlesOf(configuration: KubeObject | null): string[] {
  const webhooks = (configuration?.['webhooks'] ?? []) as readonly {
    readonly clientConfig?: { readonly caBundle?: string };
  }[];
  return webhooks.map(({ clientConfig }) => clientConfig?.caBundle ?? '');
}

/**
 * Backwards, so that the configuration goes before what answers for it: pods would be refused in between. A namespace that
 * holds something else, or that somebody else made, stays.
 * @returns how many objects were there
 */
export async function uninstall(
  manifests: readonly Manifest[],
  kube: Pick<KubePort, 'get' | 'remove'>,
  dryRun: boolean,
  say: (line: string) => void,
): Promise<number> {
  let there = 0;
  for (const { apiVersion, kind, metadata } of [...manifests].reverse()) {
    const found = await kube.get(apiVersion, kind, metadata.name);
    if (found === null) continue;
    if (found.metadata.labels?.[MANAGED_BY_LABEL] !== MANAGED_BY) {
      say(`${kind} ${metadata.name} stays: somebody else made it`);
      continue;
    }
    if (kind === 'Namespace') {
      say(`Namespace ${metadata.name} stays, with its Secret: kubectl delete namespace ${metadata.name}`);
      continue;
    }
    there += 1;
    if (!dryRun) await kube.remove(apiVersion, kind, metadata.name);
    say(`${kind} ${metadata.name} ${dryRun ? 'would be deleted' : 'deleted'}`);
  }
  return there;
}
