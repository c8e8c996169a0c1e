/** FNV-1a of a text, 32 bits, as eight hex digits: tells texts apart that were not made to deceive. Says nothing about security. */
export function fnv1a(text: string): string {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}
