/** `ENOENT`, `ECONNREFUSED`, `CERT_HAS_EXPIRED` …: the code of an error of Node itself; '' when it has none. */
export function systemCode(error: unknown): string {
  // Not `instanceof Error`: errors of Node's core may belong to another realm than ours (test runners, vm contexts).
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}
