/**
 * Makes a well-configured node of any pod that asks for it: shared by the webhook and by `inject -f`, and made of the parts
 * that `create` renders its pods from. Data in, data out: examine (the table of who is completed and who is not is there),
 * then look up or take an identity (identity.ts), then inject.
 *
 * What the pod gets, unless it says so itself:
 *
 * | part                                   | from                                                                       |
 * |----------------------------------------|----------------------------------------------------------------------------|
 * | labels cluster, app, name, shard       | the identity; the opt-in annotation becomes the label                      |
 * | config, data and /tmp volumes          | ConfigMaps NAME-config and NAME-state; the pod's own claim, else emptyDir with a warning |
 * | Secret NAME-auth                       | mounted where it is there                                                  |
 * | command, ports, environment            | the guard; the announced address is that of Service NAME-N                 |
 * | anti-affinity, spread over zones       | soft, or hard by annotation; its own wins as a whole                       |
 * | probes, preStop, grace period          | unless present                                                             |
 * | user, group, no capabilities, no token | PodSecurity `restricted`                                                   |
 * | maxmemory                              | 70 % of the memory limit, unless set                                       |
 * | metrics exporter                       | annotation                                                                 |
 *
 * A pod that is marked as injected is never touched again, so a second pass changes nothing.
 */
import {
  ANNOUNCE_ANNOTATION,
  INJECTED_ANNOTATION,
  CLUSTER_LABEL,
  CONTAINER_ANNOTATION,
  MANAGED_BY_LABEL,
  SHARD_LABEL,
} from '../../cluster/model/labels.ts';
import { CLAIM_ANNOTATION, NAME_LABEL } from '../annotations.ts';
import { refusal, type AppError } from '../../errors.ts';
import { clusterLabels, nodeLabels } from '../labels.ts';
import { renderPod, SECOND_BUS_ENVIRONMENT } from '../pod-spec.ts';
import { parseQuantity } from '../../cluster/model/quantity.ts';
import { maxMemoryOf } from '../redis-conf.ts';
import { completeSpec, remarksOn, type Completion, type Mode } from './complete.ts';
import { declinedBecause, type Candidate, type Declined } from './examine.ts';
import { METRICS_NAME, metricsContainer } from './metrics.ts';
import { isObject, type Pod, type StringMap } from './pod-json.ts';
import { dataVolume } from './volumes.ts';
import { shardOfNumber } from './wishes.ts';

export interface InjectContext {
  readonly namespace: string;
  readonly mode: Mode;
  /** null = the start script finds out from the pod's name. */
  readonly ordinal: number | null;
  /** null = the start script finds it in the table of nodes, once `create` has written it. */
  readonly announceIp: string | null;
  /** Whether the node's Service is known to have a second bus port. */
  readonly secondBus: boolean;
  /** As the cluster's table of nodes says; null = not known. */
  readonly shard: string | null;
  /** Primaries that the cluster is known to have; null = not known. */
  readonly masters: number | null;
  /** Nodes that the cluster is known to have; 0 = not known. */
  readonly nodes: number;
  /** Marks the pod as the one that this admission is about; null where nothing was claimed. */
  readonly claim: string | null;
  /** Names of a StatefulSet's claim templates. */
  readonly claimTemplates: readonly string[];
}

export interface Injected {
  readonly kind: 'injected';
  readonly pod: Pod;
  readonly shard: string | null;
  /** Sentences for whoever made the pod. */
  readonly warnings: readonly string[];
}

export function inject(candidate: Candidate, context: InjectContext): Injected | Declined {
  try {
    return complete(candidate, context);
  } catch (error) {
    return declinedBecause(error);
  }
}

function complete(candidate: Candidate, context: InjectContext): Injected {
  const { pod, container, wishes, cluster } = candidate;
  const shard = shardOf(candidate, context);
  const rendered = renderPod({
    cluster: { namespace: context.namespace, name: cluster },
    ordinal: context.ordinal,
    announceIp: context.announceIp,
    shard,
    antiAffinity: wishes.antiAffinity ?? 'soft',
    nodes: context.nodes,
    auth: 'if-there',
    environment: environmentOf(candidate, context),
  });
  const data = dataVolume(pod, container, context.claimTemplates);
  // (Without a cluster at hand a template of a StatefulSet has no name yet, and any other is refused.)
  if (context.mode === 'webhook' && candidate.number.kind === 'any' && data.lasting !== null)
    throw withoutName(cluster, data.lasting);
  const completion: Completion = { pod, container, rendered, data, wishes, mode: context.mode };
  const spec = completeSpec(completion);
  const warnings = remarksOn(completion);
  if (wishes.antiAffinity === 'hard' && shard === null) {
    warnings.push('no shard was chosen for this node yet: anti-affinity is soft until the pod is made anew');
  }
  const hasMetrics = spec.containers.some(({ name }) => name === METRICS_NAME);
  const metrics = wishes.metricsImage === null || hasMetrics ? [] : [metricsContainer(cluster, wishes.metricsImage)];
  return {
    kind: 'injected',
    pod: {
      ...pod,
      metadata: {
        ...pod.metadata,
        labels: labelsOf(candidate, context, shard),
        annotations: annotationsOf(candidate, context),
      },
      spec: { ...spec, containers: [...spec.containers, ...metrics] },
    },
    shard,
    warnings,
  };
}

/**
 * Its number would be any free one each time, while the data stays the same: after an outage it could serve at the address of another
 * node, whose replicas would copy it.
 */
function withoutName(cluster: string, lasting: string): AppError {
  return refusal(
    'claim-without-name',
    `its data is on ${lasting}, and nothing says which node of ${cluster} it is`,
    `Label the pod name: ${cluster}-N, with an N of its own; a controller of it has replicas: 1`,
  );
}

/** Its own label, else what the cluster's table says, else by the number of primaries where that is known. */
function shardOf({ pod, wishes }: Candidate, { ordinal, shard, masters }: InjectContext): string | null {
  const own = pod.metadata.labels?.[SHARD_LABEL];
  if (own !== undefined || shard !== null) return own ?? shard;
  const primaries = wishes.masters ?? masters;
  return ordinal === null || primaries === null ? null : shardOfNumber(ordinal, primaries);
}

/** `managed-by` is left out: the pod's owner is who made it, and `create` must not take it for one of its own. */
function labelsOf({ pod, cluster }: Candidate, { ordinal }: InjectContext, shard: string | null): StringMap {
  const ours = ordinal === null ? clusterLabels(cluster, 'node') : nodeLabels(cluster, ordinal);
  const { [MANAGED_BY_LABEL]: _, [NAME_LABEL]: name, ...rest } = ours;
  return {
    ...rest,
    ...(name === undefined ? {} : { [NAME_LABEL]: name }),
    ...(shard === null ? {} : { [SHARD_LABEL]: shard }),
    ...pod.metadata.labels,
    [CLUSTER_LABEL]: cluster,
  };
}

function annotationsOf({ pod, container }: Candidate, { mode, announceIp, claim }: InjectContext): StringMap {
  const { [CLUSTER_LABEL]: _, ...written } = pod.metadata.annotations ?? {};
  return {
    ...written,
    [INJECTED_ANNOTATION]: mode === 'webhook' ? 'webhook' : 'inject',
    [CONTAINER_ANNOTATION]: container.name,
    ...(announceIp === null ? {} : { [ANNOUNCE_ANNOTATION]: announceIp }),
    ...(claim === null ? {} : { [CLAIM_ANNOTATION]: claim }),
  };
}

function environmentOf({ container, wishes }: Candidate, { announceIp, secondBus }: InjectContext): StringMap {
  const lines = Object.entries(wishes.directives).flatMap(([name, values]) =>
    values.split('\n').map((value) => `${name} ${value}\n`),
  );
  const limits = container.resources?.['limits'];
  const limit = isObject(limits) ? limits['memory'] : undefined;
  const bytes = typeof limit === 'string' || typeof limit === 'number' ? parseQuantity(String(limit)) : null;
  return {
    // Scripts of older versions look for the address in the table only where they are told so.
    ...(announceIp === null ? { KUBECTL_REDIS_LOOKUP: 'table' } : {}),
    ...(secondBus ? SECOND_BUS_ENVIRONMENT : {}),
    ...(lines.length === 0 ? {} : { KUBECTL_REDIS_CONFIG: lines.join('') }),
    ...(bytes === null || bytes <= 0 ? {} : { KUBECTL_REDIS_MAXMEMORY: String(maxMemoryOf(bytes)) }),
  };
}
