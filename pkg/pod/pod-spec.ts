/** The pod of one node, complete: it passes PodSecurity `restricted`. */
import type { AntiAffinity } from '../cluster/model/plan.ts';
import { nodeCount, type ClusterSpec } from '../cluster/model/spec.ts';
import { CONTAINER_NAME } from './annotations.ts';
import { authSecretName, CLAIM_TEMPLATE, configName } from './names.ts';
import { placement } from './placement.ts';
import { BUS_PORT, REDIS_PORT } from './services.ts';

/** User and group of the official images; they own what is on the volume. */
const REDIS_USER = 999;
/** Hand-over (at most 20 s), shutdown-timeout (10 s), the last fsync. */
const GRACE_SECONDS = 60;
const CONFIG_DIR = '/etc/redis';
const DATA_DIR = '/var/lib/redis';
const AUTH_DIR = '/etc/redis-auth';

/**
 * What the start script reads:
 *
 * | variable                  | means                                                                                    |
 * |---------------------------|------------------------------------------------------------------------------------------|
 * | KUBECTL_REDIS_CLUSTER     | NAME                                                                                     |
 * | KUBECTL_REDIS_NAMESPACE   | for the command that its messages name                                                   |
 * | KUBECTL_REDIS_NODE        | N                                                                                        |
 * | KUBECTL_REDIS_ANNOUNCE_IP | ClusterIP of Service NAME-N; not set in the YAML of `create --dry-run`                   |
 */
function environment(spec: ClusterSpec, ordinal: number, announceIp: string | null): Record<string, unknown>[] {
  const variables: Record<string, string | null> = {
    KUBECTL_REDIS_CLUSTER: spec.cluster.name,
    KUBECTL_REDIS_NAMESPACE: spec.cluster.namespace,
    KUBECTL_REDIS_NODE: String(ordinal),
    KUBECTL_REDIS_ANNOUNCE_IP: announceIp,
  };
  return Object.entries(variables).flatMap(([name, value]) => (value === null ? [] : [{ name, value }]));
}

export interface PodTemplate {
  readonly announceIp: string | null;
  readonly shard: string;
  readonly antiAffinity: AntiAffinity;
}

/** `spec` of the pod template. */
export function podSpec(spec: ClusterSpec, ordinal: number, node: PodTemplate): Record<string, unknown> {
  return {
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
    ...placement(spec.cluster.name, node.shard, node.antiAffinity),
    containers: [container(spec, ordinal, node)],
    volumes: volumes(spec),
  };
}

function container(spec: ClusterSpec, ordinal: number, node: PodTemplate): Record<string, unknown> {
  return {
    name: CONTAINER_NAME,
    image: spec.image,
    ...(spec.imagePullPolicy === null ? {} : { imagePullPolicy: spec.imagePullPolicy }),
    // In place of the image's entry point, which the script runs at its end where there is one.
    command: ['sh', `${CONFIG_DIR}/start.sh`],
    env: environment(spec, ordinal, node.announceIp),
    ports: [
      { name: 'tcp-redis', containerPort: REDIS_PORT, protocol: 'TCP' },
      { name: 'tcp-bus', containerPort: BUS_PORT, protocol: 'TCP' },
    ],
    ...resources(spec),
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    },
    ...probes(spec),
    lifecycle: { preStop: { exec: { command: ['sh', `${CONFIG_DIR}/stop.sh`] } } },
    volumeMounts: [
      { name: CLAIM_TEMPLATE, mountPath: DATA_DIR },
      { name: 'config', mountPath: CONFIG_DIR, readOnly: true },
      { name: 'tmp', mountPath: '/tmp' },
      ...(spec.auth ? [{ name: 'auth', mountPath: AUTH_DIR, readOnly: true }] : []),
    ],
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
function probes(spec: ClusterSpec): Record<string, unknown> {
  const run = (mode: string) => ({ exec: { command: ['sh', `${CONFIG_DIR}/probe.sh`, mode] }, timeoutSeconds: 5 });
  return {
    startupProbe: { ...run('startup'), periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { ...run('readiness'), periodSeconds: nodeCount(spec) > 100 ? 10 : 5, failureThreshold: 2 },
    livenessProbe: { ...run('liveness'), periodSeconds: 10, failureThreshold: 6 },
  };
}

function volumes(spec: ClusterSpec): Record<string, unknown>[] {
  return [
    { name: 'config', configMap: { name: configName(spec.cluster.name), defaultMode: 0o555 } },
    // In memory, because the configuration that the server reads holds the password.
    { name: 'tmp', emptyDir: { medium: 'Memory', sizeLimit: '16Mi' } },
    ...(spec.auth
      ? [{ name: 'auth', secret: { secretName: authSecretName(spec.cluster.name), defaultMode: 0o440 } }]
      : []),
  ];
}
