/**
 * Injection without a cluster: pods and pod templates in objects of any kind. Nothing is known but what the object says, so
 * two things are left to later: N of a StatefulSet's pods is the number in their names, and addresses are written into the
 * ConfigMap by `create`.
 *
 * | template                                             | answer                        |
 * |------------------------------------------------------|-------------------------------|
 * | was refused by examine.ts                            | refused                       |
 * | label `name: NAME-N`, and at most one pod            | injected as N                 |
 * | label `name: NAME-N`, and more than one pod          | refused `too-many-replicas`   |
 * | a StatefulSet's                                      | injected, N from the pod      |
 * | else                                                 | refused `needs-webhook`       |
 */
import { AppError, refusal } from '../../errors.ts';
import { examine, type Candidate, type Declined } from './examine.ts';
import { inject, type Injected } from './inject.ts';
import { isObject, type Json } from './pod-json.ts';

export interface OfflineResult {
  /** The object, with its templates completed. */
  readonly object: Json;
  readonly findings: readonly Finding[];
}

/** What became of one pod or template. */
export interface Finding {
  /** `StatefulSet/redis`. */
  readonly where: string;
  readonly outcome: Injected | Declined;
  /** NAME; null where it was not asked for. */
  readonly cluster: string | null;
  /** Of a StatefulSet whose pods are numbered by their names: which Ns they get. */
  readonly numbers?: Numbers;
}

export interface Numbers {
  readonly namespace: string;
  readonly first: number;
  readonly last: number;
}

/**
 * What each object alone does not show: pods of two StatefulSets that get the same numbers.
 * @returns the findings, those that overlap with an earlier one refused
 */
export function refuseOverlaps(findings: readonly Finding[]): Finding[] {
  return findings.map((finding, at) => {
    const { numbers, cluster } = finding;
    const other = findings
      .slice(0, at)
      .find(
        (one) =>
          numbers !== undefined &&
          one.numbers !== undefined &&
          one.cluster === cluster &&
          one.where !== finding.where &&
          one.numbers.namespace === numbers.namespace &&
          one.numbers.first <= numbers.last &&
          numbers.first <= one.numbers.last,
      );
    if (other?.numbers === undefined) return finding;
    const sentence = `its pods get the numbers of those of ${other.where} (from ${other.numbers.first} to ${other.numbers.last}), and two pods must never answer at one address; set spec.ordinals.start of one of them, for example to ${other.numbers.last + 1}`;
    return { where: finding.where, cluster, outcome: { kind: 'refused', code: 'numbers-overlap', sentence } };
  });
}

/** Where a kind keeps its pod template; most of them in the first. */
const TEMPLATES: readonly (readonly string[])[] = [
  ['spec', 'template'],
  ['spec', 'jobTemplate', 'spec', 'template'],
  ['template'],
];
const MAX_DEPTH = 5;

/** @param namespace of objects that do not say theirs */
export function injectObject(object: Json, namespace: string, depth = 0): OfflineResult {
  const items = object['items'];
  if (Array.isArray(items) && depth < MAX_DEPTH) {
    const results = items.map((item: unknown) =>
      isObject(item) ? injectObject(item, namespace, depth + 1) : { object: item, findings: [] },
    );
    const findings = results.flatMap((result) => result.findings);
    return { object: { ...object, items: results.map((result) => result.object) }, findings };
  }
  if (object['kind'] === 'Pod') return injectAt(object, [], namespace);
  const path = TEMPLATES.find((each) => isTemplate(valueAt(object, each)));
  return path === undefined ? { object, findings: [] } : injectAt(object, path, namespace);
}

function isTemplate(value: unknown): boolean {
  return isObject(value) && isObject(value['spec']) && Array.isArray(value['spec']['containers']);
}

function injectAt(object: Json, path: readonly string[], namespace: string): OfflineResult {
  const meta = isObject(object['metadata']) ? object['metadata'] : {};
  const where = `${textOf(object['kind']) ?? 'object'}/${textOf(meta['name']) ?? textOf(meta['generateName']) ?? ''}`;
  const own = meta['namespace'];
  const examined = examine(valueAt(object, path));
  if (examined.kind !== 'candidate') return { object, findings: [{ where, outcome: examined, cluster: null }] };
  const outcome = injectCandidate(examined, object, typeof own === 'string' ? own : namespace);
  const changed = outcome.kind === 'injected' ? withValueAt(object, path, outcome.pod) : object;
  const numbers = numbersOf(examined, object, typeof own === 'string' ? own : namespace);
  return { object: changed, findings: [{ where, outcome, cluster: examined.cluster, ...numbers }] };
}

function injectCandidate(candidate: Candidate, object: Json, namespace: string): Injected | Declined {
  let ordinal: number | null;
  try {
    ordinal = ordinalOf(candidate, object);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { kind: 'refused', code: error.code, sentence: `${error.message}; ${error.hint ?? ''}` };
  }
  const result = inject(candidate, {
    namespace,
    mode: 'offline',
    ordinal,
    announceIp: null,
    secondBus: false,
    shard: null,
    masters: null,
    nodes: 0,
    claim: null,
    claimTemplates: claimTemplates(object),
  });
  if (result.kind !== 'injected') return result;
  const waits = `the pods wait until Services and ConfigMap are there: kubectl redis create ${candidate.cluster} -n ${namespace}`;
  return { ...result, warnings: [...result.warnings, ...orderRemark(object), waits] };
}

function numbersOf({ number }: Candidate, object: Json, namespace: string): Pick<Finding, 'numbers'> {
  if (object['kind'] !== 'StatefulSet' || number.kind === 'name') return {};
  const start = valueAt(object, ['spec', 'ordinals', 'start']);
  const replicas = valueAt(object, ['spec', 'replicas']);
  const first = typeof start === 'number' ? start : 0;
  const last = first + (typeof replicas === 'number' ? replicas : 1) - 1;
  return last < first ? {} : { numbers: { namespace, first, last } };
}

/** A node that waits for the others would keep them from being made. */
function orderRemark(object: Json): string[] {
  if (object['kind'] !== 'StatefulSet' || valueAt(object, ['spec', 'podManagementPolicy']) === 'Parallel') return [];
  return [
    'its pods are made one after the other, and a node that waits for others would keep them from being made: set podManagementPolicy: Parallel',
  ];
}

function ordinalOf({ number, cluster }: Candidate, object: Json): number | null {
  const replicas = valueAt(object, ['spec', 'replicas']) ?? 1;
  const kind = textOf(object['kind']) ?? 'object';
  if (number.kind === 'name') {
    if (typeof replicas === 'number' && replicas <= 1 && kind !== 'DaemonSet') return number.ordinal;
    throw refusal(
      'too-many-replicas',
      `label name gives all pods of this ${kind} the name ${cluster}-${number.ordinal}, and two pods must never answer at one address`,
      'Set replicas: 1, or leave the label out',
    );
  }
  if (kind === 'StatefulSet') return null;
  if (number.kind === 'stateful-set') return number.ordinal;
  throw refusal(
    'needs-webhook',
    `pods of a ${kind} without label name: ${cluster}-N say nothing of who they are, and only the webhook can number them`,
    `Add the label, use a StatefulSet, or install the webhook: kubectl redis webhook install`,
  );
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function claimTemplates(object: Json): string[] {
  const templates = valueAt(object, ['spec', 'volumeClaimTemplates']);
  if (!Array.isArray(templates)) return [];
  return templates.flatMap((template: unknown) => {
    const name = valueAt(template, ['metadata', 'name']);
    return typeof name === 'string' ? [name] : [];
  });
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => (isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined), value);
}

function withValueAt(object: Json, [key, ...rest]: readonly string[], value: Json): Json {
  if (key === undefined) return value;
  const child = object[key];
  return { ...object, [key]: withValueAt(isObject(child) ? child : {}, rest, value) };
}
