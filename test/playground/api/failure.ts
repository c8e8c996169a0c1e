/** What the API says when it does not do what it was asked: metav1.Status, as an exception. */

export interface Details {
  readonly name?: string;
  readonly kind?: string;
  readonly causes?: readonly { readonly field: string; readonly message: string }[];
}

export class ApiFailure extends Error {
  readonly code: number;
  readonly reason: string;
  readonly details: Details | undefined;

  constructor(code: number, reason: string, message: string, details?: Details) {
    super(message);
    this.code = code;
    this.reason = reason;
    this.details = details;
  }

  get status(): object {
    const { code, reason, message, details } = this;
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, details, code };
  }
}

export const notFound = (resource: string, name: string): ApiFailure =>
  new ApiFailure(404, 'NotFound', `${resource} "${name}" not found`, { name, kind: resource });

export const alreadyExists = (resource: string, name: string): ApiFailure =>
  new ApiFailure(409, 'AlreadyExists', `${resource} "${name}" already exists`, { name, kind: resource });

export const conflict = (resource: string, name: string, why: string): ApiFailure =>
  new ApiFailure(409, 'Conflict', `Operation cannot be fulfilled on ${resource} "${name}": ${why}`, {
    name,
    kind: resource,
  });

export const badRequest = (why: string): ApiFailure => new ApiFailure(400, 'BadRequest', why);

export const forbidden = (resource: string, name: string, why: string): ApiFailure =>
  new ApiFailure(403, 'Forbidden', `${resource} "${name}" is forbidden: ${why}`, { name, kind: resource });

/** One field that can't be as it is. */
export const invalid = (kind: string, name: string, field: string, message: string): ApiFailure =>
  new ApiFailure(422, 'Invalid', `${kind} "${name}" is invalid: ${field}: ${message}`, {
    name,
    kind,
    causes: [{ field, message }],
  });

/** Never a wrong success: what the playground has not is refused with a sentence. */
export const notImplemented = (what: string): ApiFailure =>
  new ApiFailure(501, 'NotImplemented', `the playground has no ${what}: try it on a real Kubernetes`);
