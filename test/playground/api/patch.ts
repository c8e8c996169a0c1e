/** Merge patches (RFC 7386) and strategic ones, in which lists with keys are merged item by item. Pure. */
import { isMap, itemKey, itemsByKey } from './json-shape.ts';
import type { Json } from './json-shape.ts';

export function mergePatch(live: unknown, patch: Json): Json {
  return patchMap(live, patch, (_, now, value) => (isMap(value) ? mergePatch(now, value) : value));
}

function patchMap(live: unknown, patch: Json, merge: (field: string, now: unknown, value: unknown) => unknown): Json {
  const merged: Record<string, unknown> = isMap(live) ? { ...live } : {};
  for (const [field, value] of Object.entries(patch)) {
    // `$setElementOrder/…`, `$retainKeys`: how things are laid out, not what they are.
    if (field.startsWith('$')) continue;
    if (value === null) delete merged[field];
    else merged[field] = merge(field, merged[field], value);
  }
  return merged;
}

export function strategicPatch(live: unknown, patch: Json): Json {
  return patchMap(live, patch, (field, now, value) => {
    if (isMap(value)) return value['$patch'] === 'replace' ? strategicPatch({}, value) : strategicPatch(now, value);
    const [was, said] = [itemsByKey(field, now), itemsByKey(field, value)];
    if (was === null || said === null || !Array.isArray(value)) return value;
    const items = new Map(was);
    for (const item of said.values()) {
      const key = itemKey(field, item) ?? '';
      if (item['$patch'] === 'delete') items.delete(key);
      else items.set(key, strategicPatch(items.get(key), item));
    }
    return [...items.values()];
  });
}
