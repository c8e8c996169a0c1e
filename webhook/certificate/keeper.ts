/**
 * Keeps three things in step: the Secret (the state that replicas share), `caBundle` of the webhook's configuration, and
 * the certificate that this replica shows. Published before it is shown, shown before the old one is withdrawn.
 */
import type { Clock, KubeObject, KubePort } from '../../pkg/engine/ports.ts';
import { untilWon } from '../../pkg/engine/races.ts';
import { AppError } from '../../pkg/errors.ts';
import type { Issued } from './authority.ts';
import { bundleOf, renew, type CertificateState, type RenewalPolicy } from './renewal.ts';

type Kube = Pick<KubePort, 'get' | 'create' | 'replace'>;

export interface KeeperDeps {
  /** Of the webhook's own namespace. */
  readonly kube: Kube;
  readonly clock: Pick<Clock, 'now'>;
  readonly policy: RenewalPolicy;
  readonly secretName: string;
  readonly configurationName: string;
  /** false = somebody else (cert-manager) makes the certificates and publishes them; they are only shown. */
  readonly own: boolean;
}

export interface Shown {
  readonly leaf: Issued;
  /** The authority that signed it or will sign the next, PEM; null when somebody else's is not known. */
  readonly bundle: string;
}

const CONFIGURATION = ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'] as const;
const STATE_KEY = 'state.json';
const MAX_TRIES = 10;

/**
 * One round; harmless when repeated, and when other replicas do the same.
 * @returns what is to be shown from now on
 * @throws AppError of the API server: what was shown before stays good for at least `overlapMs`
 */
export async function keepCertificates(deps: KeeperDeps): Promise<Shown> {
  return deps.own ? keepOwn(deps) : readForeign(deps);
}

async function keepOwn(deps: KeeperDeps): Promise<Shown> {
  let state = await advance(deps, (before) => renew(before, deps.clock.now(), deps.policy));
  await publish(deps, bundleOf(state));
  if (state.publishedAt === null) {
    const seen = bundleOf(state);
    const now = deps.clock.now();
    // Only if nobody has added another authority since.
    state = await advance(deps, async (before) =>
      before !== null && bundleOf(before) === seen && before.publishedAt === null
        ? { ...before, publishedAt: now }
        : (before ?? state),
    );
  }
  return { leaf: state.leaf, bundle: bundleOf(state) };
}

/** Changes the Secret by compare-and-swap; `change` is asked again when another replica was faster. */
async function advance(
  { kube, secretName }: KeeperDeps,
  change: (before: CertificateState | null) => Promise<CertificateState>,
): Promise<CertificateState> {
  return untilWon(MAX_TRIES, async () => {
    const secret = await kube.get('v1', 'Secret', secretName);
    const before = secret === null ? null : readState(secret);
    const after = await change(before);
    if (after === before) return after;
    await (secret === null
      ? kube.create(secretOf(secretName, after))
      : kube.replace({ ...secret, data: dataOf(after) }));
    return after;
  });
}

/** caBundle of every webhook in the configuration. What is right already is not written. */
async function publish({ kube, configurationName }: KeeperDeps, bundle: string): Promise<void> {
  const caBundle = toBase64(bundle);
  await untilWon(MAX_TRIES, async () => {
    const configuration = await kube.get(...CONFIGURATION, configurationName);
    if (configuration === null) {
      throw new AppError(`MutatingWebhookConfiguration ${configurationName} is not there`, {
        code: 'no-configuration',
        hint: 'kubectl redis webhook install',
      });
    }
    const webhooks = (configuration['webhooks'] ?? []) as readonly {
      readonly clientConfig?: { readonly caBundle?: string };
    }[];
    if (webhooks.every(({ clientConfig }) => clientConfig?.caBundle === caBundle)) return;
    const changed = webhooks.map((webhook) => ({ ...webhook, clientConfig: { ...webhook.clientConfig, caBundle } }));
    await kube.replace({ ...configuration, webhooks: changed });
  });
}

async function readForeign({ kube, secretName }: KeeperDeps): Promise<Shown> {
  const secret = await kube.get('v1', 'Secret', secretName);
  const data = (secret?.['data'] ?? {}) as Readonly<Record<string, string>>;
  const [cert, key] = [fromBase64(data['tls.crt']), fromBase64(data['tls.key'])];
  if (cert === '' || key === '') {
    throw new AppError(`Secret ${secretName} has no certificate yet`, {
      code: 'no-certificate',
      hint: 'See: kubectl get certificate -A',
    });
  }
  return { leaf: { cert, key }, bundle: fromBase64(data['ca.crt']) };
}

/** null when somebody has damaged it: then new ones are made. */
function readState(secret: KubeObject): CertificateState | null {
  const text = fromBase64(((secret['data'] ?? {}) as Readonly<Record<string, string>>)[STATE_KEY]);
  try {
    const state = JSON.parse(text) as CertificateState;
    return state.authorities.every(isIssued) && isIssued(state.leaf) ? state : null;
  } catch {
    return null;
  }
}

function isIssued(issued: Issued): boolean {
  return issued.cert.includes('BEGIN CERTIFICATE') && issued.key.includes('BEGIN PRIVATE KEY');
}

/** tls.crt and ca.crt are there for people and their tools; the state says all. */
function dataOf(state: CertificateState): Record<string, string> {
  return {
    [STATE_KEY]: toBase64(JSON.stringify(state)),
    'tls.crt': toBase64(state.leaf.cert),
    'tls.key': toBase64(state.leaf.key),
    'ca.crt': toBase64(bundleOf(state)),
  };
}

function secretOf(name: string, state: CertificateState): KubeObject {
  const labels = { 'app.kubernetes.io/name': 'kubectl-redis-webhook', 'app.kubernetes.io/managed-by': 'kubectl-redis' };
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, labels },
    type: 'kubernetes.io/tls',
    data: dataOf(state),
  };
}

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

function fromBase64(text: string | undefined): string {
  return Buffer.from(text ?? '', 'base64').toString('utf8');
}
