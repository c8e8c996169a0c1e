/** What libraries of functions are compared by: their code may be long, and may be nobody's business. */
import { createHash } from 'node:crypto';

/** Library name -> SHA-1 of its code in hex, in the order of names. */
export function digestsOf(libraries: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const digests = [...libraries].map(([name, code]) => [name, createHash('sha1').update(code).digest('hex')] as const);
  return Object.fromEntries(digests.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
