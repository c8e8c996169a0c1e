/** Whether a JSON value has the shape of an Observation, all the way down: whatever reads it later may rely on its types. */
import { UNREACHABLE_REASONS } from '../model/observation.ts';

/** What is wrong with a value at a path; none = nothing. */
type Shape = (value: unknown, path: string) => string[];

/** In words, with their paths; at most a few. */
export function faultsOf(value: unknown): string[] {
  return OBSERVATION(value, '').slice(0, 5);
}

const is =
  (what: string, test: (value: unknown) => boolean): Shape =>
  (value, path) =>
    test(value) ? [] : [`${path.slice(1) || 'it'} is not ${what}`];

const text = is('text', (value) => typeof value === 'string');
const count = is('a number', (value) => typeof value === 'number' && Number.isFinite(value));
const yesOrNo = is('true or false', (value) => typeof value === 'boolean');
const slot = is('a slot', (value) => Number.isInteger(value) && Number(value) >= 0 && Number(value) < 16384);
const oneOf = (...words: readonly string[]): Shape =>
  is(`one of ${words.join(', ')}`, (value) => words.includes(String(value)));
const orNull =
  (shape: Shape): Shape =>
  (value, path) =>
    value === null ? [] : shape(value, path);

const optional =
  (shape: Shape): Shape =>
  (value, path) =>
    value === undefined ? [] : shape(value, path);

const listOf =
  (shape: Shape): Shape =>
  (value, path) =>
    Array.isArray(value)
      ? value.flatMap((item, at) => shape(item, `${path}[${at}]`))
      : [`${path.slice(1)} is not a list`];

const object =
  (fields: Readonly<Record<string, Shape>>): Shape =>
  (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return [`${path.slice(1) || 'it'} is not an object`];
    const given = value as Readonly<Record<string, unknown>>;
    return Object.entries(fields).flatMap(([name, shape]) => shape(given[name], `${path}.${name}`));
  };

const mapOf =
  (shape: Shape): Shape =>
  (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return [`${path.slice(1)} is not an object`];
    return Object.entries(value).flatMap(([name, one]) => shape(one, `${path}.${name}`));
  };

const map = mapOf(text);

const range = object({ start: slot, end: slot });

const GOSSIP_NODE = object({
  nodeId: text,
  ip: text,
  port: count,
  busPort: count,
  hostname: orNull(text),
  shardId: orNull(text),
  flags: listOf(text),
  role: oneOf('primary', 'replica', 'unknown'),
  primaryId: orNull(text),
  configEpoch: count,
  linkUp: yesOrNo,
  slots: listOf(range),
  migrating: listOf(object({ slot, toNodeId: text })),
  importing: listOf(object({ slot, fromNodeId: text })),
});

const CLUSTER_INFO = object({
  state: oneOf('ok', 'fail'),
  slotsAssigned: count,
  slotsOk: count,
  slotsPfail: count,
  slotsFail: count,
  knownNodes: count,
  size: count,
  currentEpoch: count,
  myEpoch: count,
});

const SERVER_INFO = object({
  product: oneOf('redis', 'valkey'),
  version: text,
  uptimeSeconds: count,
  role: oneOf('primary', 'replica'),
  primaryHost: orNull(text),
  primaryPort: orNull(count),
  primaryLinkUp: orNull(yesOrNo),
  primaryLinkDownSeconds: orNull(count),
  syncInProgress: yesOrNo,
  replicationOffset: count,
  replicationId: optional(text),
  keysAtOffset: optional(count),
  formerReplicationId: optional(text),
  copied: optional(count),
  connectedReplicas: count,
  usedMemoryBytes: count,
  maxMemoryBytes: count,
  maxMemoryPolicy: orNull(text),
  loading: yesOrNo,
  aofEnabled: yesOrNo,
  firstLogPending: optional(yesOrNo),
  keys: count,
  writes: optional(
    object({
      aofWriteOk: yesOrNo,
      aofRewriteOk: yesOrNo,
      snapshotOk: yesOrNo,
      goodReplicas: orNull(count),
      expiringKeys: count,
      uncountedMemoryBytes: count,
    }),
  ),
});

const ANSWER = object({
  myId: text,
  view: listOf(GOSSIP_NODE),
  clusterInfo: CLUSTER_INFO,
  info: SERVER_INFO,
  config: orNull(map),
  keysInOwnSlots: orNull(count),
  notCounted: optional(text),
  open: optional(yesOrNo),
  lastHeardMs: optional(mapOf(count)),
  libraries: optional(map),
});

const REASON = oneOf(...UNREACHABLE_REASONS);

const LOGIN = object({ user: text, secret: orNull(text), denied: listOf(text) });

const REPLY: Shape = (value, path) => {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined;
  const fields =
    kind === 'answered' ? { answer: ANSWER, elapsedMs: count } : { why: REASON, detail: text, login: optional(LOGIN) };
  return object({ kind: oneOf('answered', 'unreachable'), ...fields })(value, path);
};

const WRITER = optional(orNull(object({ manager: text, at: text })));

const POD = object({
  name: text,
  uid: text,
  ip: text,
  host: orNull(text),
  phase: oneOf('Pending', 'Running', 'Succeeded', 'Failed', 'Unknown'),
  ready: yesOrNo,
  terminating: yesOrNo,
  container: object({
    name: text,
    image: text,
    state: oneOf('waiting', 'running', 'terminated', 'unknown'),
    reason: orNull(text),
    restarts: count,
    memoryLimitBytes: optional(count),
  }),
  port: count,
  labels: map,
  annotations: map,
  claims: listOf(text),
  ephemeralData: yesOrNo,
  goingClaim: optional(text),
  createdAt: text,
  owner: orNull(text),
  readsState: optional(yesOrNo),
});

const SERVICE = object({
  name: text,
  uid: optional(text),
  clusterIP: text,
  selector: map,
  labels: map,
  annotations: map,
  ports: listOf(object({ name: text, port: count })),
  publishNotReadyAddresses: yesOrNo,
  writer: WRITER,
});

const STATEFUL_SET = object({
  name: text,
  uid: optional(text),
  replicas: count,
  firstOrdinal: optional(count),
  labels: map,
  annotations: map,
  templateLabels: map,
  templateAnnotations: map,
  image: text,
  deletesClaims: optional(yesOrNo),
  revision: optional(text),
  readsState: optional(yesOrNo),
  writer: WRITER,
});

const OPERATION = object({
  holder: text,
  verb: text,
  acquiredAt: text,
  renewedAt: text,
  durationSeconds: count,
  progress: orNull(text),
});

const KUBE = object({
  pods: listOf(POD),
  services: listOf(SERVICE),
  statefulSets: listOf(STATEFUL_SET),
  hosts: listOf(object({ name: text, zone: orNull(text), ready: yesOrNo, schedulable: yesOrNo })),
  claims: listOf(
    object({
      name: text,
      phase: text,
      storageClass: orNull(text),
      size: optional(text),
      createdAt: optional(text),
      setAside: optional(yesOrNo),
    }),
  ),
  config: orNull(map),
  configFacts: optional(orNull(object({ digest: text, writer: WRITER }))),
  state: optional(orNull(map)),
  operation: orNull(OPERATION),
  gaps: listOf(object({ what: text, why: text })),
  troubles: optional(listOf(object({ pod: text, code: text, sentence: text, evidence: listOf(text) }))),
  storageClasses: optional(listOf(object({ name: text, expands: yesOrNo }))),
});

const OBSERVATION = object({
  schema: is('1', (value) => value === 1),
  cluster: object({ namespace: text, name: text }),
  observedAt: is('a time', (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value))),
  kube: KUBE,
  replies: listOf(object({ pod: text, reply: REPLY })),
});
