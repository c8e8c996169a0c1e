/** How JSON of the API is merged: which lists are sets of things with a key, and which values are replaced as a whole. Pure. */

export type Json = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isMapList(value: unknown): value is readonly Json[] {
  return Array.isArray(value) && value.every(isMap);
}

/** Maps that are one value: half a selector would select something else. */
const ATOMIC = new Set(['selector', 'labelSelector', 'nodeSelector', 'matchLabels']);

export function isMergedMap(field: string, value: unknown): value is Json {
  return isMap(value) && !ATOMIC.has(field);
}

const LIST_KEYS: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  imagePullSecrets: ['name'],
  volumeMounts: ['mountPath'],
  ownerReferences: ['uid'],
  conditions: ['type'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
};

/** What tells one item of a list from another, `{"name":"redis"}`; null where the list is replaced as a whole. */
export function itemKey(field: string, item: Json): string | null {
  const ports = 'containerPort' in item ? ['containerPort', 'protocol'] : ['port', 'protocol'];
  const keys = field === 'ports' ? ports : LIST_KEYS[field];
  if (keys === undefined) return null;
  return JSON.stringify(Object.fromEntries(keys.map((key) => [key, item[key] ?? (key === 'protocol' ? 'TCP' : '')])));
}

/** The items of a list by their keys; null where it is no such list. */
export function itemsByKey(field: string, value: unknown): ReadonlyMap<string, Json> | null {
  if (value === undefined) return new Map();
  if (!isMapList(value)) return null;
  const found = new Map<string, Json>();
  for (const item of value) {
    const key = itemKey(field, item);
    if (key === null) return null;
    found.set(key, item);
  }
  return found;
}
