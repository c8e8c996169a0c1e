/**
 * Server-side apply (https://kubernetes.io/docs/reference/using-api/server-side-apply/): what a manager no longer says and
 * nobody else says is taken away; what another manager set to something else is a conflict, or taken over by force. Pure.
 * Managers are known by what they applied; other writes are known by name and time, and own nothing.
 */
import { isDeepStrictEqual } from 'node:util';
import { ApiFailure } from './failure.ts';
import { isMergedMap, itemsByKey } from './json-shape.ts';
import type { Json } from './json-shape.ts';
import { timestamp } from './objects.ts';
import type { ApiObject, ManagedFields } from './objects.ts';

/** FieldsV1: `f:name` for a field, `k:{…}` for an item of a list; {} is a whole value. */
type Fields = Readonly<Record<string, unknown>>;

const NOTHING: Fields = {};

const within = (fields: Fields | undefined, key: string): Fields | undefined => fields?.[key] as Fields | undefined;

function fieldsOfValue(field: string, value: unknown): Fields {
  if (isMergedMap(field, value)) return fieldsOfMap(value);
  const items = Array.isArray(value) && value.length > 0 ? itemsByKey(field, value) : null;
  if (items === null) return NOTHING;
  return Object.fromEntries([...items].map(([key, item]) => [`k:${key}`, { '.': {}, ...fieldsOfMap(item) }]));
}

const fieldsOfMap = (map: Json): Fields =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [`f:${key}`, fieldsOfValue(key, value)]));

/** What an applied object says, without what names it. */
function fieldsOf(config: Json): Fields {
  const but = (map: Json, names: readonly string[]): Json =>
    Object.fromEntries(Object.entries(map).filter(([key]) => !names.includes(key)));
  const said = but(config['metadata'] as Json, ['name', 'namespace']);
  const rest = but(config, ['apiVersion', 'kind', 'metadata']);
  return fieldsOfMap(Object.keys(said).length === 0 ? rest : { metadata: said, ...rest });
}

interface Sides {
  /** What this manager said before. */
  readonly owned: Fields | undefined;
  readonly others: readonly Fields[];
}

const descend = ({ owned, others }: Sides, key: string): Sides => ({
  owned: within(owned, key),
  others: others.map((each) => within(each, key)).filter((each) => each !== undefined),
});

function mergeMap(live: Json, config: Json, sides: Sides): Json {
  const merged: Record<string, unknown> = { ...live };
  for (const [key, value] of Object.entries(config)) {
    merged[key] = mergeValue(key, live[key], value, descend(sides, `f:${key}`));
  }
  for (const owned of Object.keys(sides.owned ?? {})) {
    const key = owned.slice(2);
    if (!owned.startsWith('f:') || key in config || !(key in merged)) continue;
    const deeper = descend(sides, owned);
    const now = merged[key];
    if (deeper.others.length === 0) delete merged[key];
    else if (isMergedMap(key, now)) merged[key] = mergeMap(now, {}, deeper);
    else if (itemsByKey(key, now) !== null) merged[key] = mergeValue(key, now, [], deeper);
  }
  return merged;
}

function mergeValue(field: string, live: unknown, config: unknown, sides: Sides): unknown {
  if (isMergedMap(field, config)) return mergeMap(isMergedMap(field, live) ? live : {}, config, sides);
  const [was, said] = [itemsByKey(field, live), Array.isArray(config) ? itemsByKey(field, config) : null];
  if (was === null || said === null) return config;
  const mine = [...said].map(([key, item]) => mergeMap(was.get(key) ?? {}, item, descend(sides, `k:${key}`)));
  const theirs = [...was].filter(([key]) => {
    const { owned, others } = descend(sides, `k:${key}`);
    return !said.has(key) && (owned === undefined || others.length > 0);
  });
  return [...mine, ...theirs.map(([, item]) => item)];
}

/** Paths of `theirs` that `ours` sets to another value than the live one. */
function conflicts(ours: Fields, theirs: Fields, live: unknown, config: unknown, path: string): string[] {
  const shared = Object.keys(ours).filter((key) => key !== '.' && key in theirs);
  // One of them says the whole value; or, at the root, nothing.
  const whole = [ours, theirs].some((fields) => Object.keys(fields).every((key) => key === '.'));
  if (whole) return path === '' || isDeepStrictEqual(live, config) ? [] : [path];
  return shared.flatMap((key) => {
    const name = key.slice(2);
    const pick = (value: unknown): unknown =>
      key.startsWith('f:') ? (value as Json | undefined)?.[name] : itemsByKey(lastField(path), value)?.get(name);
    const [deeperOurs, deeperTheirs] = [within(ours, key) ?? NOTHING, within(theirs, key) ?? NOTHING];
    const deeper = key.startsWith('f:') ? `${path}.${name}` : `${path}[${name}]`;
    return conflicts(deeperOurs, deeperTheirs, pick(live), pick(config), deeper);
  });
}

const lastField = (path: string): string => /\.([^.[]+)$/.exec(path)?.[1] ?? '';

/** `fields` without those at which `ours` has a whole value of its own. */
function without(fields: Fields, ours: Fields): Fields {
  const left = Object.entries(fields).flatMap(([key, value]) => {
    const said = within(ours, key);
    if (said === undefined || key === '.') return [[key, value] as const];
    const deeper = without(value as Fields, said);
    return Object.keys(deeper).some((each) => each !== '.') ? [[key, deeper] as const] : [];
  });
  return Object.fromEntries(left);
}

export interface Applied {
  readonly manager: string;
  readonly force: boolean;
}

/** The object after `config` was applied to `live` (null: there is none yet). @throws {ApiFailure} 409 */
export function applied(live: ApiObject | null, config: ApiObject, { manager, force }: Applied): ApiObject {
  const sets = live?.metadata.managedFields ?? [];
  const isOwn = (set: ManagedFields): boolean => set.manager === manager && set.operation === 'Apply';
  const others = sets.filter((set) => !isOwn(set));
  const said = config as unknown as Json;
  const ours = fieldsOf(said);
  const contested = others.flatMap((set) => {
    const paths = conflicts(ours, set.fieldsV1, live, said, '');
    return paths.map((path) => `conflict with "${set.manager}": ${path}`);
  });
  if (contested.length > 0 && !force) {
    const why = `Apply failed with ${contested.length} conflict${contested.length === 1 ? '' : 's'}: `;
    throw new ApiFailure(409, 'Conflict', why + contested.join(', '));
  }
  const sides = {
    owned: sets.find(isOwn)?.fieldsV1,
    others: others.map((set) => set.fieldsV1),
  };
  const merged = mergeMap((live ?? {}) as unknown as Json, said, sides) as unknown as ApiObject;
  const own = { manager, operation: 'Apply', apiVersion: config.apiVersion, fieldsType: 'FieldsV1' } as const;
  const kept =
    contested.length === 0 ? others : others.map((set) => ({ ...set, fieldsV1: without(set.fieldsV1, ours) }));
  const before = sets.find(isOwn);
  const time = isDeepStrictEqual(before?.fieldsV1, ours) ? (before?.time ?? timestamp()) : timestamp();
  const managedFields: ManagedFields[] = [...kept, { ...own, time, fieldsV1: ours }];
  return { ...merged, metadata: { ...merged.metadata, managedFields } };
}

/** What is known of a write that is no apply: who, and when. */
export function written(before: ApiObject, after: ApiObject, manager: string): ApiObject {
  const { managedFields: _, ...metadata } = after.metadata;
  const same = isDeepStrictEqual(
    { ...before, metadata: { ...before.metadata, managedFields: [] } },
    { ...after, metadata: { ...metadata, managedFields: [] } },
  );
  if (same) return before;
  const sets = before.metadata.managedFields ?? [];
  const others = sets.filter((set) => set.manager !== manager || set.operation === 'Apply');
  const own = { manager, operation: 'Update', apiVersion: after.apiVersion, fieldsType: 'FieldsV1' } as const;
  return {
    ...after,
    metadata: { ...metadata, managedFields: [...others, { ...own, time: timestamp(), fieldsV1: {} }] },
  };
}
