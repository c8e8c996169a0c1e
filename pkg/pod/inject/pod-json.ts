/** A pod as JSON that anybody may have sent: what we touch is checked once, here, and the rest is passed on unread. */

export type Json = Readonly<Record<string, unknown>>;
export type StringMap = Readonly<Record<string, string>>;

export interface VolumeMount extends Json {
  readonly name: string;
  readonly mountPath: string;
}

export interface Container extends Json {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: readonly (Json & { readonly name: string })[];
  readonly ports?: readonly (Json & { readonly name?: string; readonly containerPort: number })[];
  readonly volumeMounts?: readonly VolumeMount[];
  readonly resources?: Json;
  readonly securityContext?: Json;
  readonly lifecycle?: Json;
}

export interface Volume extends Json {
  readonly name: string;
}

export interface PodMeta extends Json {
  readonly name?: string;
  readonly generateName?: string;
  readonly labels?: StringMap;
  readonly annotations?: StringMap;
  readonly ownerReferences?: readonly Json[];
}

export interface PodSpec extends Json {
  readonly containers: readonly Container[];
  readonly initContainers?: readonly Json[];
  readonly volumes?: readonly Volume[];
  readonly securityContext?: Json;
  readonly affinity?: Json;
  readonly topologySpreadConstraints?: readonly unknown[];
}

/** A pod, or the template of one. */
export interface Pod extends Json {
  readonly metadata: PodMeta;
  readonly spec: PodSpec;
}

type Check = (value: unknown) => boolean;
type Shape = Readonly<Record<string, Check>>;

const isText: Check = (value) => typeof value === 'string';
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const mapOfText: Check = (value) => isObject(value) && Object.values(value).every(isText);

/** Fields of a shape that are there (null counts as left out, as in Kubernetes) are of their type; `name!` must be there. */
const shaped =
  (shape: Shape): Check =>
  (value) =>
    isObject(value) && firstWrong(value, shape) === null;

const CONTAINER: Shape = {
  'name!': isText,
  image: isText,
  command: listOf(isText),
  args: listOf(isText),
  env: listOf(shaped({ 'name!': isText })),
  ports: listOf(shaped({ 'containerPort!': Number.isInteger, name: isText })),
  volumeMounts: listOf(shaped({ 'name!': isText, 'mountPath!': isText, subPath: isText })),
  resources: shaped({ limits: isObject }),
  securityContext: shaped({ capabilities: isObject }),
  lifecycle: isObject,
};

const META: Shape = {
  name: isText,
  generateName: isText,
  labels: mapOfText,
  annotations: mapOfText,
  ownerReferences: listOf(isObject),
};

const SPEC: Shape = {
  'containers!': listOf(shaped(CONTAINER)),
  initContainers: listOf(isObject),
  volumes: listOf(shaped({ 'name!': isText })),
  securityContext: isObject,
  affinity: isObject,
  topologySpreadConstraints: Array.isArray,
};

export function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The first field that is of another type or missing; null when none is. */
function firstWrong(value: Json, shape: Shape): string | null {
  for (const [key, check] of Object.entries(shape)) {
    const name = key.replace('!', '');
    const field = Object.hasOwn(value, name) ? value[name] : undefined;
    if (field === undefined || field === null ? key.endsWith('!') : !check(field)) return name;
  }
  return null;
}

/** The pod, or the name of the field because of which it is none. Fields that are null are left out. */
export function readPod(value: unknown): Pod | string {
  if (!isObject(value)) return 'the pod itself';
  const { metadata = {}, spec } = value;
  if (!isObject(metadata)) return 'metadata';
  if (!isObject(spec)) return 'spec';
  const wrongMeta = firstWrong(metadata, META);
  if (wrongMeta !== null) return `metadata.${wrongMeta}`;
  const wrongSpec = firstWrong(spec, SPEC);
  if (wrongSpec !== null) return `spec.${wrongSpec}`;
  const containers = (spec['containers'] as Json[]).map(withoutNulls);
  return { ...value, metadata: withoutNulls(metadata), spec: { ...withoutNulls(spec), containers } } as unknown as Pod;
}

function withoutNulls(value: Json): Json {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== null));
}
