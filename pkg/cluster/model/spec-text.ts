/** A ClusterSpec as the text in which objects keep it, and back. */
import type { ClusterSpec } from './spec.ts';

/** The spec that a text is. null when somebody has damaged it. */
export function parseSpec(text: string | undefined): ClusterSpec | null {
  if (text === undefined) return null;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const spec: unknown = isRecord(value) ? { ...ADDED_LATER, ...value } : value;
  return isSpec(spec) ? spec : null;
}

/** What a record says without saying it: fields that older versions did not know. */
const ADDED_LATER: Partial<ClusterSpec> = { networkPolicy: false, nodes: null, scaling: null, restarted: null };

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0;
const isText = (value: unknown): boolean => typeof value === 'string';
const isTextOrNull = (value: unknown): boolean => value === null || isText(value);
const oneOf =
  (...allowed: readonly unknown[]) =>
  (value: unknown): boolean =>
    allowed.includes(value);

const SPEC_FIELDS: { readonly [Key in keyof ClusterSpec]: (value: unknown) => boolean } = {
  cluster: (value) => isRecord(value) && isText(value['namespace']) && isText(value['name']),
  masters: isCount,
  replicas: isCount,
  image: isText,
  imagePullPolicy: oneOf('Always', 'IfNotPresent', 'Never', null),
  storage: isText,
  storageClass: isTextOrNull,
  memory: isTextOrNull,
  cpu: isTextOrNull,
  config: (value) => isRecord(value) && Object.values(value).every(isText),
  auth: (value) => typeof value === 'boolean',
  antiAffinity: oneOf('hard', 'soft', 'off'),
  networkPolicy: (value) => typeof value === 'boolean',
  nodes: (value) => value === null || (isRecord(value) && Object.entries(value).every(isTableLine)),
  scaling: (value) => value === null || isScaling(value),
  restarted: (value) => value === null || (isRecord(value) && Object.entries(value).every(isTableLine)),
};

function isTableLine([ordinal, shard]: [string, unknown]): boolean {
  return /^[1-9]\d{0,5}$/.test(ordinal) && isText(shard);
}

function isScaling(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { leaving, spread } = value;
  return Array.isArray(leaving) && leaving.every(isCount) && typeof spread === 'boolean';
}

function isSpec(value: unknown): value is ClusterSpec {
  return isRecord(value) && Object.entries(SPEC_FIELDS).every(([field, check]) => check(value[field]));
}
