/**
 * AdmissionReview (https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/) as data: what is
 * asked, and how the answer is said. Nothing here knows HTTP or Kubernetes.
 */
import { isObject, type Json } from '../pkg/pod/inject/pod-json.ts';
import type { PatchOperation } from '../pkg/pod/inject/json-patch.ts';

const VERSION = 'admission.k8s.io/v1';
const MAX_UID = 253;
/** The API server cuts a warning at 256 bytes, and drops what is over 4096 in all. */
const MAX_WARNING = 250;
const MAX_WARNINGS = 12;

export interface ReviewRequest {
  readonly uid: string;
  readonly namespace: string;
  /** A new pod, and nothing else of it. */
  readonly isNewPod: boolean;
  readonly dryRun: boolean;
  /** Name of the object where it has one already. */
  readonly name: string | null;
  readonly object: unknown;
}

export type Verdict =
  | { readonly kind: 'unchanged'; readonly code: string }
  | { readonly kind: 'injected'; readonly patch: readonly PatchOperation[]; readonly warnings: readonly string[] }
  | { readonly kind: 'denied'; readonly code: string; readonly sentence: string; readonly status: number };

/** The request, or a sentence that says why there is none. */
export function readReview(body: unknown): ReviewRequest | string {
  if (!isObject(body) || body['kind'] !== 'AdmissionReview') return 'the body is no AdmissionReview';
  if (body['apiVersion'] !== VERSION) return `only ${VERSION} is understood: set admissionReviewVersions: [v1]`;
  const { request } = body;
  if (!isObject(request)) return 'the review has no request';
  const { uid, namespace = '', operation, kind, subResource = '', dryRun = false, name } = request;
  if (typeof uid !== 'string' || uid === '' || uid.length > MAX_UID) return 'the request has no uid';
  if (typeof namespace !== 'string' || typeof dryRun !== 'boolean') return 'the request has fields of other types';
  const isPod = isObject(kind) && kind['group'] === '' && kind['version'] === 'v1' && kind['kind'] === 'Pod';
  return {
    uid,
    namespace,
    isNewPod: isPod && operation === 'CREATE' && subResource === '',
    dryRun,
    name: typeof name === 'string' && name !== '' ? name : null,
    object: request['object'],
  };
}

/** The AdmissionReview that answers. */
export function answerReview(uid: string, verdict: Verdict): Json {
  return { apiVersion: VERSION, kind: 'AdmissionReview', response: { uid, ...responseOf(verdict) } };
}

function responseOf(verdict: Verdict): Json {
  switch (verdict.kind) {
    case 'unchanged':
      return { allowed: true };
    case 'injected': {
      const patch = Buffer.from(JSON.stringify(verdict.patch), 'utf8').toString('base64');
      const warnings = verdict.warnings.slice(0, MAX_WARNINGS).map((text) => printable(text, MAX_WARNING));
      return { allowed: true, patchType: 'JSONPatch', patch, ...(warnings.length === 0 ? {} : { warnings }) };
    }
    case 'denied': {
      const message = printable(`${verdict.sentence} (${verdict.code})`, 1000);
      return { allowed: false, status: { code: verdict.status, reason: 'Forbidden', message } };
    }
    default:
      return verdict satisfies never;
  }
}

function printable(text: string, max: number): string {
  const line = text.replaceAll(/\p{Cc}+/gu, ' ');
  return line.length <= max ? line : `${line.slice(0, max - 1)}…`;
}
