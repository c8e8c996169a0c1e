/**
 * The pod of one node, complete: it passes PodSecurity `restricted`. `renderPod` says what every node's pod has, whoever
 * makes it; `podSpec` makes the pods of `create` of it, and inject/ completes pods that people wrote.
 */
import type { ClusterRef } from '../cluster/model/observation.ts';
import type { AntiAffinity } from '../cluster/model/plan.ts';
import { nodeCount, type ClusterSpec } from '../cluster/model/spec.ts';
import { CONTAINER_NAME } from './annotations.ts';
import { CLEARED_KEY, FORMED_KEY, NAMESPACE_KEY, NODES_KEY } from '../cluster/model/labels.ts';
import { authSecretName, CLAIM_TEMPLATE, configName, stateName } from './names.ts';
import { placement } from './placement.ts';
import { BUS_PORT, REDIS_PORT, SECOND_BUS_PORT } from '../cluster/model/node-ports.ts';

/** User and group of the official images; they own what is on the volume. */
export const REDIS_USER = 999;
/** Hand-over (at most 20 s), shutdown-timeout (10 s), the last fsync. */
const GRACE_SECONDS = 60;
/**
 * Where scripts find redis.conf, each other and the record: NAME-config and NAME-state as one directory. Path, volume and variable are other
 * ones than older versions used (/etc/redis, `config`): a manifest of theirs that is applied over this template says nothing of these, so
 * they stay, and even its scripts find the right record.
 */
export const CONFIG_DIR = '/etc/redis-cluster';
const CONFIG_VOLUME = 'cluster-config';
const STATE_DIR = 'state';
export const DATA_DIR = '/var/lib/redis';
const AUTH_DIR = '/etc/redis-auth';

/** What is said of a node's pod besides what all of them have. */
export interface PodSettings {
  readonly cluster: ClusterRef;
  /** N; null = the start script finds it out from the pod's name. */
  readonly ordinal: number | null;
  /** ClusterIP of Service NAME-N; null = not known when the pod is rendered. */
  readonly announceIp: string | null;
  /** null = no shard was chosen yet. */
  readonly shard: string | null;
  readonly antiAffinity: AntiAffinity;
  /** Nodes of the cluster. */
  readonly nodes: number;
  /** Whether Secret NAME-auth is mounted; `if-there`: a pod starts without it, too. */
  readonly auth: 'no' | 'yes' | 'if-there';
  /** More of what the start script reads. */
  readonly environment?: Readonly<Record<string, string>>;
}

export interface RenderedPod {
  /** Of the pod's spec, all but containers and volumes. */
  readonly spec: Record<string, unknown>;
  /** Of the Redis container, all but name, image and resources. */
  readonly container: Record<string, unknown>;
  readonly volumes: readonly Record<string, unknown>[];
}

/** What every pod of a node has. The data volume is mounted, but not among the volumes: it is the claim. */
export function renderPod(settings: PodSettings): RenderedPod {
  return {
    spec: {
      terminationGracePeriodSeconds: GRACE_SECONDS,
      automountServiceAccountToken: false,
      // 300 Services would otherwise be in every pod's environment.
      enableServiceLinks: false,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: REDIS_USER,
        runAsGroup: REDIS_USER,
        fsGroup: REDIS_USER,
        fsGroupChangePolicy: 'OnRootMismatch',
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...placement(settings.cluster.name, settings.shard, settings.antiAffinity),
    },
    container: container(settings),
    volumes: volumes(settings),
  };
}

/**
 * What the start script reads:
 *
 * | variable                  | means                                                                                    |
 * |---------------------------|------------------------------------------------------------------------------------------|
 * | KUBECTL_REDIS_CLUSTER     | NAME                                                                                     |
 * | KUBECTL_REDIS_NAMESPACE   | where it was made for                                                                    |
 * | KUBECTL_REDIS_POD_NAMESPACE | where it is: one that was copied with its address does not start                       |
 * | KUBECTL_REDIS_NODE        | N; without it the number at the end of the pod's name                                    |
 * | KUBECTL_REDIS_CONFIG_DIR  | the directory of scripts and redis.conf                                                  |
 * | KUBECTL_REDIS_STATE_DIR   | where the record is, and only what ConfigMap NAME-state says of it                        |
 * | KUBECTL_REDIS_ANNOUNCE_IP | ClusterIP of Service NAME-N; not set in printed YAML: then it is that of the table       |
 * | KUBECTL_REDIS_CONFIG      | lines of redis.conf for this node, behind those of the ConfigMap                         |
 * | KUBECTL_REDIS_AUTH        | yes: never without the password of Secret NAME-auth                                      |
 * | KUBECTL_REDIS_SECOND_BUS_PORT | of its Service, where that has one (links.sh)                                        |
 * | KUBECTL_REDIS_MAXMEMORY   | bytes, where redis.conf and the lines above say none                                     |
 */
function environment(settings: PodSettings): Record<string, unknown>[] {
  const { cluster, ordinal, announceIp } = settings;
  const variables: Record<string, string | null> = {
    KUBECTL_REDIS_CLUSTER: cluster.name,
    KUBECTL_REDIS_NAMESPACE: cluster.namespace,
    KUBECTL_REDIS_CONFIG_DIR: CONFIG_DIR,
    KUBECTL_REDIS_STATE_DIR: `${CONFIG_DIR}/${STATE_DIR}`,
    KUBECTL_REDIS_NODE: ordinal === null ? null : String(ordinal),
    KUBECTL_REDIS_ANNOUNCE_IP: announceIp,
    KUBECTL_REDIS_AUTH: settings.auth === 'yes' ? 'yes' : null,
    ...settings.environment,
  };
  const own = {
    name: 'KUBECTL_REDIS_POD_NAMESPACE',
    valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } },
  };
  return [...Object.entries(variables).flatMap(([name, value]) => (value === null ? [] : [{ name, value }])), own];
}

export interface PodTemplate {
  readonly announceIp: string | null;
  readonly shard: string;
  readonly antiAffinity: AntiAffinity;
  /** Whether its Service has a second bus port; left out: it is made as here. */
  readonly secondBus?: boolean | undefined;
}

/** For pods whose Service has that port. */
export const SECOND_BUS_ENVIRONMENT = { KUBECTL_REDIS_SECOND_BUS_PORT: String(SECOND_BUS_PORT) };

/** `spec` of the pod template that `create` makes. */
export function podSpec(spec: ClusterSpec, ordinal: number, node: PodTemplate): Record<string, unknown> {
  const { cluster, auth } = spec;
  const rendered = renderPod({
    cluster,
    ordinal,
    ...node,
    nodes: nodeCount(spec),
    auth: auth ? 'yes' : 'no',
    environment: node.secondBus === false ? {} : SECOND_BUS_ENVIRONMENT,
  });
  const redis = {
    name: CONTAINER_NAME,
    image: spec.image,
    ...(spec.imagePullPolicy === null ? {} : { imagePullPolicy: spec.imagePullPolicy }),
    ...rendered.container,
    ...resources(spec),
  };
  return { ...rendered.spec, containers: [redis], volumes: rendered.volumes };
}

function container(settings: PodSettings): Record<string, unknown> {
  return {
    // In place of the image's entry point, which the script runs at its end where there is one.
    command: ['sh', `${CONFIG_DIR}/start.sh`],
    env: environment(settings),
    ports: [
      { name: 'tcp-redis', containerPort: REDIS_PORT, protocol: 'TCP' },
      { name: 'tcp-bus', containerPort: BUS_PORT, protocol: 'TCP' },
    ],
    securityContext: restrictedContainer(),
    ...probes(settings.nodes),
    lifecycle: { preStop: { exec: { command: ['sh', `${CONFIG_DIR}/stop.sh`] } } },
    volumeMounts: [
      { name: CLAIM_TEMPLATE, mountPath: DATA_DIR },
      { name: CONFIG_VOLUME, mountPath: CONFIG_DIR, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
      ...(settings.auth === 'no' ? [] : [{ name: 'auth', mountPath: AUTH_DIR, readOnly: true }]),
    ],
  };
}

/** What PodSecurity `restricted` asks of a container, and a root file system that nobody writes to. */
export function restrictedContainer(): Record<string, unknown> {
  return {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
  };
}

function resources(spec: ClusterSpec): Record<string, unknown> {
  const memory: Record<string, string> = spec.memory === null ? {} : { memory: spec.memory };
  const cpu: Record<string, string> = spec.cpu === null ? {} : { cpu: spec.cpu };
  // No CPU limit: throttling looks like a dead node to the others.
  const limits = spec.memory === null ? {} : { limits: memory };
  return spec.memory === null && spec.cpu === null ? {} : { resources: { requests: { ...cpu, ...memory }, ...limits } };
}

/**
 * Liveness needs 60 s of silence to kill. The startup probe only makes the first readiness come within a second or two;
 * a guard that waits passes it. Large clusters are probed for readiness half as often.
 */
function probes(nodes: number): Record<string, unknown> {
  const run = (mode: string) => ({ exec: { command: ['sh', `${CONFIG_DIR}/probe.sh`, mode] }, timeoutSeconds: 5 });
  return {
    startupProbe: { ...run('startup'), periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { ...run('readiness'), periodSeconds: nodes > 100 ? 10 : 5, failureThreshold: 2 },
    livenessProbe: { ...run('liveness'), periodSeconds: 10, failureThreshold: 6 },
  };
}

function volumes({ cluster, auth }: PodSettings): Record<string, unknown>[] {
  const optional = auth === 'if-there' ? { optional: true } : {};
  const secret = { secretName: authSecretName(cluster.name), defaultMode: 0o440, ...optional };
  return [
    configVolume(cluster.name),
    // In memory, because the configuration that the server reads holds the password.
    { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
    ...(auth === 'no' ? [] : [{ name: 'auth', secret }]),
  ];
}

/**
 * The record lies over what older versions kept in NAME-config, for their scripts, and in a directory of its own: there it can come from
 * nowhere else. Optional, because printed YAML may be applied before `create` has made it.
 */
function configVolume(cluster: string): Record<string, unknown> {
  const over = [FORMED_KEY, NODES_KEY].map((key) => ({ key, path: key }));
  const apart = [FORMED_KEY, NODES_KEY, CLEARED_KEY, NAMESPACE_KEY].map((key) => ({
    key,
    path: `${STATE_DIR}/${key}`,
  }));
  const sources = [
    { configMap: { name: configName(cluster) } },
    { configMap: { name: stateName(cluster), optional: true, items: [...over, ...apart] } },
  ];
  return { name: CONFIG_VOLUME, projected: { defaultMode: 0o555, sources } };
}
