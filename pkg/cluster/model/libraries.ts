/**
 * Libraries of functions, from FUNCTION LIST WITHCODE (https://redis.io/docs/latest/commands/function-list/, from 7.0 on). Every
 * primary must have all of them: FCALL goes to whoever owns its keys. Replicas get them from their primary.
 */

/** Library name -> its code, as FUNCTION LOAD takes it. Null when the server has no functions, or its user may not list them. */
export function parseLibraries(reply: unknown): ReadonlyMap<string, string> | null {
  if (!Array.isArray(reply)) return null;
  const libraries = new Map<string, string>();
  for (const item of reply as readonly unknown[]) {
    const [name, code] = [fieldOf(item, 'library_name'), fieldOf(item, 'library_code')];
    if (name !== null && code !== null) libraries.set(name, code);
  }
  return libraries;
}

/** A list of names and values in turn, as RESP2 has maps. */
function fieldOf(item: unknown, name: string): string | null {
  if (!Array.isArray(item)) return null;
  const at = item.indexOf(name);
  const value: unknown = at === -1 ? undefined : item[at + 1];
  return typeof value === 'string' ? value : null;
}
