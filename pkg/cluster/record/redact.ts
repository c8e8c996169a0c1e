/**
 * An Observation as it may be given to others: passwords and whatever could hold one are taken out, by lists of what is kept where that
 * is possible. Names, addresses and node ids stay: without them nothing could be found out.
 */
import {
  CLEARED_KEY,
  CONFIG_ANNOTATION,
  CONFIG_DIGEST_KEY,
  BUDGETS_KEY,
  FORMED_KEY,
  NAMESPACE_KEY,
  NODES_KEY,
  SPEC_ANNOTATION,
  SPEC_HASH_KEY,
  SPEC_KEY,
} from '../model/labels.ts';
import type { KubeFacts, NodeReply, Observation } from '../model/observation.ts';
import type { TroubleFacts } from '../model/reasons.ts';

export const REDACTED = '(redacted)';

type StringMap = Readonly<Record<string, string>>;

/** Names of directives whose values are, or may hold, a secret: requirepass, masterauth, user, tls-key-file-pass … */
const SECRET_NAME = /pass|auth|secret|user|token|credential/i;
/** The same in a sentence, which may speak of users; `>>>` is how a server quotes a line of its configuration. */
const SECRET_WORDS = /pass|auth|secret|token|credential|>>>/i;
/** Annotations of ours; those of others (kubectl's last-applied, a secret store's) may say anything. */
const OUR_PREFIX = 'kubectl-redis.io/';
const REDIS_CONF = 'redis.conf';
/** Scripts are not kept: they are in this repository. */
const CONFIG_KEYS: ReadonlySet<string> = new Set([FORMED_KEY, NODES_KEY, BUDGETS_KEY, SPEC_HASH_KEY]);
const STATE_KEYS: ReadonlySet<string> = new Set([
  FORMED_KEY,
  NODES_KEY,
  BUDGETS_KEY,
  CLEARED_KEY,
  NAMESPACE_KEY,
  CONFIG_DIGEST_KEY,
]);

/** Pure: the given one is not changed. */
export function redact(observation: Observation): Observation {
  return {
    ...observation,
    kube: redactKube(observation.kube),
    replies: observation.replies.map(({ pod, reply }) => ({ pod, reply: redactReply(reply) })),
  };
}

function redactReply(reply: NodeReply): NodeReply {
  if (reply.kind !== 'answered' || reply.answer.config === null) return reply;
  return { ...reply, answer: { ...reply.answer, config: mapValues(reply.answer.config, redactDirective) } };
}

function redactKube(kube: KubeFacts): KubeFacts {
  return {
    ...kube,
    pods: kube.pods.map((pod) => ({ ...pod, annotations: redactAnnotations(pod.annotations) })),
    services: kube.services.map((service) => ({ ...service, annotations: redactAnnotations(service.annotations) })),
    statefulSets: kube.statefulSets.map((set) => ({
      ...set,
      annotations: redactAnnotations(set.annotations),
      templateAnnotations: redactAnnotations(set.templateAnnotations),
    })),
    config: kube.config === null ? null : redactConfigMap(kube.config),
    ...(kube.troubles === undefined ? {} : { troubles: kube.troubles.map(redactTrouble) }),
    ...(kube.state == null ? {} : { state: redactState(kube.state) }),
  };
}

/** A server that does not start prints the line of its configuration that it stumbles over, and one that crashes what it worked on. */
function redactTrouble({ pod, code, sentence }: TroubleFacts): TroubleFacts {
  return { pod, code, sentence: SECRET_WORDS.test(sentence) ? REDACTED : sentence, evidence: [] };
}

function redactConfigMap(data: StringMap): StringMap {
  const kept = Object.entries(data).flatMap(([key, value]): [string, string][] => {
    if (CONFIG_KEYS.has(key)) return [[key, value]];
    return key === REDIS_CONF ? [[key, redactLines(value)]] : [];
  });
  return Object.fromEntries(kept);
}

function redactState(data: StringMap): StringMap {
  const kept = Object.entries(data).flatMap(([key, value]): [string, string][] => {
    if (key === SPEC_KEY) return [[key, redactSpec(value)]];
    return STATE_KEYS.has(key) ? [[key, value]] : [];
  });
  return Object.fromEntries(kept);
}

function redactAnnotations(annotations: StringMap): StringMap {
  const kept = Object.entries(annotations).flatMap(([key, value]): [string, string][] => {
    if (!key.startsWith(OUR_PREFIX)) return [];
    if (key === SPEC_ANNOTATION) return [[key, redactSpec(value)]];
    return [[key, key === CONFIG_ANNOTATION ? redactLines(value) : value]];
  });
  return Object.fromEntries(kept);
}

/** The recorded ClusterSpec, with its directives; one that is damaged is left out, because nobody knows what is in it. */
function redactSpec(text: string): string {
  try {
    const spec = JSON.parse(text) as { readonly config?: StringMap };
    return JSON.stringify({ ...spec, config: mapValues(spec.config ?? {}, redactDirective) });
  } catch {
    return REDACTED;
  }
}

/** Lines `NAME VALUE`, also those that wait for their version (`#>=7.0 NAME VALUE`). */
function redactLines(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      const [, before = '', name = ''] = /^(\s*(?:#\S*\s+)?)([\w.-]+)\s+\S/.exec(line) ?? [];
      return name !== '' && !line.trimStart().startsWith('# ') && SECRET_NAME.test(name)
        ? `${before}${name} ${REDACTED}`
        : line;
    })
    .join('\n');
}

function redactDirective(value: string, name: string): string {
  return SECRET_NAME.test(name) && value !== '' ? REDACTED : value;
}

function mapValues(map: StringMap, change: (value: string, key: string) => string): Record<string, string> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value, key)]));
}
