/** Turns what the API server, or the way to it, answers into errors for people. Pure. */
import { AppError, reasonOf } from '../errors.ts';
import { systemCode } from './system-code.ts';

/** What was asked, for the sentence. */
export interface Asked {
  /** As RBAC says it: get, list, watch, create, patch, update, delete. */
  readonly verb: string;
  /** `pods`, `statefulsets.apps`, `pods/log`. */
  readonly resource: string;
  readonly namespace: string | null;
  readonly name: string | null;
}

export interface ServerName {
  readonly server: string;
  readonly context: string;
  /** Impersonated user; null when it is the context's own. */
  readonly as: string | null;
}

/** metav1.Status (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/), what we read of it. */
interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly causes?: readonly { readonly field?: string; readonly message?: string }[];
  };
}

/** The error for an HTTP answer that is not a success. `body` is the answer's text, mostly a Status as JSON. */
export function errorOfAnswer(httpStatus: number, body: string, asked: Asked, server: ServerName): AppError {
  const status = parseStatus(body);
  const why = status.message ?? (body.trim().slice(0, 300) || `HTTP ${httpStatus}`);
  const what = `${asked.verb} ${describe(asked)}`;
  switch (httpStatus) {
    case 401:
      return new AppError(`${server.server} does not accept the credentials of context ${server.context}`, {
        code: 'unauthorized',
        cause: why,
        hint: `Log in again, then try: kubectl --context ${server.context} auth whoami`,
      });
    case 403:
      return forbidden(why, asked, server);
    case 404:
      return notFound(why, status, asked);
    case 409:
      return status.reason === 'AlreadyExists'
        ? new AppError(`${describe(asked)} exists already`, { code: 'already-exists', cause: why })
        : new AppError(`${describe(asked)} was changed by somebody else meanwhile`, {
            code: 'conflict',
            cause: why,
            hint: 'Run the command again.',
          });
    case 410:
      return new AppError(`cannot ${what} from there on`, { code: 'expired', cause: why });
    case 422:
      return new AppError(`the server refuses to ${what}`, { code: 'invalid', cause: fieldsOf(status) ?? why });
    case 429:
    case 503:
    case 504:
      return new AppError(`the API server of context ${server.context} is too busy to ${what}`, {
        code: 'server-busy',
        cause: why,
        hint: 'Try again in a moment.',
      });
    default:
      return new AppError(`cannot ${what} (HTTP ${httpStatus})`, { code: 'server-error', cause: why });
  }
}

/** The error for an API server that could not be reached at all. */
export function errorOfTransport(error: unknown, server: ServerName): AppError {
  const code = systemCode(error);
  return new AppError(`cannot reach the Kubernetes API server ${server.server} (context ${server.context})`, {
    code: 'server-unreachable',
    cause: explainCode(code) ?? reasonOf(error),
    hint: CERTIFICATE_CODES.test(code)
      ? 'Check certificate-authority in the kubeconfig, or get a fresh kubeconfig from your provider.'
      : 'Check that the cluster runs, that this is the context you want (kubectl config current-context), VPN and proxy.',
  });
}

/** The error for an answer that did not come in time. */
export function errorOfTimeout(asked: Asked, server: ServerName, milliseconds: number): AppError {
  return new AppError(`cannot reach the Kubernetes API server ${server.server} (context ${server.context})`, {
    code: 'server-unreachable',
    cause: `no answer to ${asked.verb} ${describe(asked)} within ${milliseconds / 1000} s`,
    hint: 'Check that the cluster runs and that this is the context you want; --request-timeout allows for more time.',
  });
}

const CERTIFICATE_CODES = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ERR_TLS|ERR_OSSL/;

function explainCode(code: string): string | null {
  switch (code) {
    case 'ECONNREFUSED':
      return 'connection refused: nothing listens there';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'its host name cannot be resolved';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'there is no network route to it';
    case 'ETIMEDOUT':
      return 'it does not answer';
    default:
      return null;
  }
}

/** `pods redis-1-0 in namespace default`. */
function describe(asked: Asked): string {
  const name = asked.name === null ? '' : ` ${asked.name}`;
  return `${asked.resource}${name}${asked.namespace === null ? '' : ` in namespace ${asked.namespace}`}`;
}

const RBAC = /cannot (\w+) resource "([^"]+)" in API group "([^"]*)"(?: in the namespace "([^"]+)")?/;

/** 403 is either a missing right (RBAC names it) or an admission rule (quota, PodSecurity, a webhook). */
function forbidden(why: string, asked: Asked, server: ServerName): AppError {
  const match = RBAC.exec(why);
  if (match === null && !/ cannot /.test(why)) {
    return new AppError(`the server refuses to ${asked.verb} ${describe(asked)}`, { code: 'forbidden', cause: why });
  }
  const [, verb = asked.verb, plural, group = ''] = match ?? [];
  const resource = plural === undefined ? asked.resource : joinGroup(plural, group);
  const namespace = match === null ? asked.namespace : (match[4] ?? null);
  const scope = namespace === null ? '--all-namespaces' : `-n ${namespace}`;
  const as = server.as === null ? '' : ` --as ${server.as}`;
  return new AppError(
    `no right to ${verb} ${resource} ${namespace === null ? 'at cluster scope' : `in namespace ${namespace}`}`,
    {
      code: 'forbidden',
      cause: why,
      hint: `Ask the cluster's administrator for it; to test: kubectl auth can-i ${verb} ${resource} ${scope}${as}`,
    },
  );
}

/** `statefulsets` + `apps` -> `statefulsets.apps`; a subresource goes behind: `pods/portforward`. */
function joinGroup(plural: string, group: string): string {
  const [resource = plural, subresource] = plural.split('/');
  const full = group === '' ? resource : `${resource}.${group}`;
  return subresource === undefined ? full : `${full}/${subresource}`;
}

function notFound(why: string, status: Status, asked: Asked): AppError {
  if (status.details?.kind === 'namespaces' && asked.namespace !== null) {
    return new AppError(`namespace ${asked.namespace} does not exist`, {
      code: 'namespace-not-found',
      cause: why,
      hint: `Choose another with -n, or make it: kubectl create namespace ${asked.namespace}`,
    });
  }
  return new AppError(`there is no ${describe(asked)}`, { code: 'not-found', cause: why });
}

function fieldsOf(status: Status): string | null {
  const causes = (status.details?.causes ?? []).map((cause) =>
    cause.field === undefined ? (cause.message ?? '') : `${cause.field}: ${cause.message ?? ''}`,
  );
  return causes.length === 0 ? null : causes.join('; ');
}

function parseStatus(body: string): Status {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    return {};
  }
}
