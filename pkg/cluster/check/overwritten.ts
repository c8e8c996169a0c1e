/**
 * Objects that a manifest took back: what they say is held against the record, and named with who applied it. Critical is what would harm the
 * pod that starts next; where NAME-state is not there yet, `state-missing` says why nothing can be told.
 */
import {
  ANNOUNCE_ANNOTATION,
  CONFIG_DIGEST_KEY,
  FORMED_KEY,
  MANAGED_BY,
  MANAGED_BY_LABEL,
  NODES_KEY,
  SPEC_ANNOTATION,
} from '../model/labels.ts';
import { unrecordedNodes } from '../evidence/older-record.ts';
import { parseNodeTable } from '../model/node-table.ts';
import { isUnread, type KubeFacts, type StatefulSetFacts, type Writer } from '../model/observation.ts';
import type { Problem } from '../model/problem.ts';
import { recordOf, type ClusterRecord } from '../model/record.ts';
import { nodeName, ordinalOfNode, ordinalsOf, podName, specHash, type ClusterSpec } from '../model/spec.ts';
import { parseSpec } from '../model/spec-text.ts';
import { whyOlderThan } from '../plan/server-version.ts';
import type { Check, CheckContext } from './context.ts';
import { listNames, makeProblem } from './wording.ts';

/** What is wrong with one object. */
interface Finding {
  /** `StatefulSet/redis-1`. */
  readonly subject: string;
  readonly nodes?: readonly string[];
  readonly writer: Writer | null | undefined;
  /** As what follows its name. */
  readonly faults: readonly Fault[];
  /** Left out: where it comes from, and how to look at it. */
  readonly repair?: string;
}

interface Fault {
  readonly unsafe: boolean;
  readonly text: string;
}

const unsafe = (text: string): Fault => ({ unsafe: true, text });
const differs = (text: string): Fault => ({ unsafe: false, text });

export const checkOverwritten: Check = (context) => {
  const { kube } = context.observation;
  if (kube.state == null) return [];
  const record = recordOf(kube, context.state.cluster);
  const { spec } = record;
  const findings = [
    configFinding(context, record),
    ...(spec === null
      ? []
      : [serviceFinding(kube, spec), ...setFindings(context, record, spec), ...beyond(context, spec)]),
  ];
  return findings.filter(({ faults }) => faults.length > 0).map((finding) => problemOf(context, finding));
};

function problemOf({ state, kubectl }: CheckContext, finding: Finding): Problem {
  const { subject, nodes = [], writer, faults } = finding;
  const { name } = state.cluster;
  const code = faults.some((fault) => fault.unsafe) ? 'objects-unsafe' : 'objects-differ';
  const [kind = '', object = ''] = subject.split('/');
  const who = writer == null ? '' : `; ${writer.manager} wrote it last${writer.at === '' ? '' : `, at ${writer.at}`}`;
  const sentence = `${kind} ${object} ${faults.map(({ text }) => text).join('; it ')}${who}.`;
  const inGit = `change it where it comes from, as kubectl redis create ${name} --dry-run prints it`;
  const source = `${writer == null ? inGit.replace('change', 'Change') : `${writer.manager} may put it back: ${inGit}`}; then ${kubectl(`get ${kind.toLowerCase()} ${object} -o yaml`)} shows what is there.`;
  return makeProblem(code, name, { subject, sentence, nodes, repair: finding.repair ?? source });
}

// ------------------------------------------------------------------------------------------------------ StatefulSets

function setFindings(context: CheckContext, record: ClusterRecord, spec: ClusterSpec): Finding[] {
  const { kube } = context.observation;
  const sets = new Map(kube.statefulSets.map((set) => [set.name, set]));
  return ordinalsOf(spec).flatMap((ordinal) => {
    const set = sets.get(nodeName(spec.cluster.name, ordinal));
    if (set === undefined) return missingSet(context, spec, ordinal);
    const faults = [...recordFaults(context, record, set), ...imageFaults(context, spec, set, ordinal)];
    return [
      { subject: `StatefulSet/${set.name}`, nodes: [podName(spec.cluster.name, ordinal)], writer: set.writer, faults },
    ];
  });
}

/** Deleted without its pod (--cascade=orphan). One without a pod is told as that. */
function missingSet({ observation: { kube } }: CheckContext, spec: ClusterSpec, ordinal: number): Finding[] {
  const name = podName(spec.cluster.name, ordinal);
  const pod = kube.pods.find((one) => one.name === name);
  if (pod === undefined || pod.terminating || isUnread(kube, 'statefulsets')) return [];
  if (spec.scaling?.leaving.includes(ordinal) === true) return [];
  const faults = [differs(`is missing: nobody makes ${name} again when it goes`)];
  const repair = `kubectl redis create ${spec.cluster.name} makes it again, and it takes the pod over as it is.`;
  return [
    { subject: `StatefulSet/${nodeName(spec.cluster.name, ordinal)}`, nodes: [name], writer: null, faults, repair },
  ];
}

function recordFaults(
  { state, observation: { kube } }: CheckContext,
  record: ClusterRecord,
  set: StatefulSetFacts,
): Fault[] {
  const address = kube.services.find(({ name }) => name === set.name)?.clusterIP ?? '';
  const announced = set.templateAnnotations[ANNOUNCE_ANNOTATION];
  const faults: Fault[] = [];
  if (set.readsState === false)
    faults.push(
      isCopied(kube, record)
        ? differs('makes pods that read a copy of the record, which manifests overwrite')
        : unsafe(
            'makes pods that do not read the record: with an empty volume one would start and not wait for the others',
          ),
    );
  if (set.deletesClaims === true)
    faults.push(unsafe('deletes the claim of its pod, and with it all data, when it is deleted or scaled to 0'));
  // Where the node that runs announces the same, its Service was made anew: that is the address check's business.
  const live = state.nodes.find(({ pod }) => pod?.name === `${set.name}-0`)?.announced?.replace(/:\d+$/, '');
  if (announced !== undefined && address !== '' && address !== 'None' && announced !== address && announced !== live)
    faults.push(unsafe(`makes a pod that announces ${announced}, and its Service has ${address}`));
  if (announced === undefined && set.readsState !== undefined)
    faults.push(
      set.readsState
        ? differs('does not say the address of its pod, which then looks it up in the record')
        : unsafe('does not say the address of its pod, which would wait for it for ever'),
    );
  return faults;
}

function imageFaults(
  { state }: CheckContext,
  spec: ClusterSpec,
  { image }: StatefulSetFacts,
  ordinal: number,
): Fault[] {
  if (image === spec.image || image === '') return [];
  const pod = podName(spec.cluster.name, ordinal);
  const older = whyOlderThan(
    image,
    state.nodes.filter((node) => node.pod?.name === pod),
  );
  if (older !== null) return [unsafe(`has image ${image}: ${older}`)];
  return [
    differs(`has image ${image}, and ${spec.image} is recorded (kubectl redis restart --image takes another one in)`),
  ];
}

/** StatefulSets of nodes that are not of the cluster (any more). `scale` records a node before it makes its own. */
function beyond({ observation: { kube }, state, answered }: CheckContext, spec: ClusterSpec): Finding[] {
  const { name } = spec.cluster;
  // Those that run in the cluster are told as `record-older`: it is the record that is wrong.
  const recorded = new Set([...ordinalsOf(spec), ...unrecordedNodes(state, kube).map(({ ordinal }) => ordinal)]);
  const why = ({ name: set }: StatefulSetFacts): string => {
    const id = state.nodes.find(({ pod }) => pod?.name === `${set}-0`)?.nodeId ?? null;
    const isKnown = id !== null && answered.some((one) => one.nodeId !== id && one.knows.has(id));
    return isKnown ? 'the other nodes know an id of it' : 'a manifest made it again after scale had removed it';
  };
  return kube.statefulSets
    .filter((set) => {
      const ordinal = ordinalOfNode(name, set.name);
      return set.templateLabels[MANAGED_BY_LABEL] === MANAGED_BY && ordinal !== null && !recorded.has(ordinal);
    })
    .map((set) => ({
      subject: `StatefulSet/${set.name}`,
      nodes: [`${set.name}-0`],
      writer: set.writer,
      faults: [differs(`is of no node of ${name} that is recorded: ${why(set)}`)],
    }));
}

// ------------------------------------------------------------------------------------- ConfigMap NAME-config, Service

function configFinding({ observation: { kube }, state }: CheckContext, record: ClusterRecord): Finding {
  const { config, configFacts } = kube;
  const subject = `ConfigMap/${state.cluster.name}-config`;
  if (config === null) return { subject, writer: null, faults: [] };
  const rendered = kube.state?.[CONFIG_DIGEST_KEY];
  const faults: Fault[] = [];
  if (rendered === undefined && record.spec !== null)
    faults.push(differs('was rendered by an older version of this tool'));
  if (rendered !== undefined && configFacts != null && configFacts.digest !== rendered)
    faults.push(
      dropsLog(config, record)
        ? unsafe('has a redis.conf with appendonly no, which is not recorded: a pod would start without its data')
        : differs('has a redis.conf or scripts that are not what was rendered last'),
    );
  if ((config[FORMED_KEY] !== undefined || config[NODES_KEY] !== undefined) && !isCopied(kube, record)) {
    const text = `holds an old record (formed: ${config[FORMED_KEY] ?? 'nothing'})`;
    const readers = kube.pods.filter(({ readsState }) => readsState === false).map(({ name }) => name);
    faults.push(
      readers.length === 0
        ? differs(`${text} that no pod reads`)
        : unsafe(`${text}, which ${listNames(readers)} ${readers.length === 1 ? 'reads' : 'read'}`),
    );
  }
  return { subject, writer: configFacts?.writer, faults };
}

/** Whether what NAME-config says besides is what is recorded: for pods that know no other place. */
function isCopied({ config }: KubeFacts, { formed, nodes }: ClusterRecord): boolean {
  const lines = new Map(parseNodeTable(config?.[NODES_KEY] ?? '').map((line) => [line.ordinal, line.address]));
  return (
    config?.[FORMED_KEY] === String(formed) && nodes.every(({ ordinal, address }) => lines.get(ordinal) === address)
  );
}

function dropsLog(config: Readonly<Record<string, string>>, { spec }: ClusterRecord): boolean {
  return (
    /^appendonly\s+no\s*$/m.test(config['redis.conf'] ?? '') && spec !== null && spec.config['appendonly'] !== 'no'
  );
}

function serviceFinding({ services }: KubeFacts, spec: ClusterSpec): Finding {
  const { name } = spec.cluster;
  const subject = `Service/${name}`;
  const service = services.find((each) => each.name === name);
  const copy = parseSpec(service?.annotations[SPEC_ANNOTATION]);
  const same = service === undefined || (copy !== null && wishOf(copy) === wishOf(spec));
  const text =
    copy === null
      ? 'has no copy of what is recorded'
      : `says masters: ${copy.masters}, replicas: ${copy.replicas}, image: ${copy.image}, and recorded are ${spec.masters}, ${spec.replicas} and ${spec.image}`;
  return { subject, writer: service?.writer, faults: same ? [] : [differs(text)] };
}

/** What people would want to keep in Git. */
function wishOf(spec: ClusterSpec): string {
  return specHash({ ...spec, nodes: null, scaling: null, restarted: null });
}
