/** `name:value` lines, as INFO and CLUSTER INFO print them, with CR LF between. */

/**
 * The value of one field, or null when there is none. Searches the text instead of building a table: an INFO has 200
 * fields of which we need 20.
 */
export function fieldOf(text: string, name: string): string | null {
  const start = text.startsWith(`${name}:`) ? 0 : text.indexOf(`\n${name}:`) + 1;
  if (start === 0 && !text.startsWith(`${name}:`)) return null;
  const valueStart = start + name.length + 1;
  let end = text.indexOf('\n', valueStart);
  if (end === -1) end = text.length;
  if (text.charCodeAt(end - 1) === 13) end--;
  return text.slice(valueStart, end);
}

/** The same as a number; null when there is none or it is not a number. */
export function numberOf(text: string, name: string): number | null {
  const value = fieldOf(text, name);
  if (value === null || value.trim() === '') return null;
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
