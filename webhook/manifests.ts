/** Everything that the webhook consists of on a cluster, in the order in which it must be applied. Pure. */
import type { Manifest } from '../pkg/pod/manifest.ts';
import { CLUSTER_LABEL, INJECTED_ANNOTATION, MANAGED_BY, MANAGED_BY_LABEL } from '../pkg/cluster/model/labels.ts';
import { HEALTH_PORT, PORT, SECRET_NAME, serverNames, WEBHOOK_NAME } from './settings.ts';

export const DEFAULT_NAMESPACE = 'kubectl-redis-system';

export interface InstallOptions {
  readonly namespace: string;
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never' | null;
  /** cert-manager makes and publishes the certificates, instead of the server itself. */
  readonly certManager: boolean;
  /**
   * false below Kubernetes 1.28, which has no matchConditions: then only pods with the label can ask, because an API server that
   * drops the condition would ask about every pod.
   */
  readonly matchConditions: boolean;
}

const USER = 65_532;
const APP = { 'app.kubernetes.io/name': WEBHOOK_NAME };
const LABELS = { ...APP, [MANAGED_BY_LABEL]: MANAGED_BY };

export function webhookManifests(options: InstallOptions): Manifest[] {
  const { namespace, certManager } = options;
  return [
    namespaceOf(namespace),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: named(namespace) },
    ...rights(namespace),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: named(namespace),
      spec: { selector: APP, ports: [{ name: 'https', port: 443, targetPort: PORT, protocol: 'TCP' }] },
    },
    ...(certManager ? certManagerObjects(namespace) : []),
    deployment(options),
    {
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: named(namespace),
      spec: { maxUnavailable: 1, selector: { matchLabels: APP } },
    },
    configuration(options),
  ];
}

function named(namespace?: string): Manifest['metadata'] {
  return { name: WEBHOOK_NAME, ...(namespace === undefined ? {} : { namespace }), labels: LABELS };
}

function namespaceOf(namespace: string): Manifest {
  const labels = { ...LABELS, 'pod-security.kubernetes.io/enforce': 'restricted' };
  return { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } };
}

/** Pods are read; Services and ConfigMaps made and changed; of Secrets only its own, of configurations only its own. */
function rights(namespace: string): Manifest[] {
  const group = 'rbac.authorization.k8s.io';
  const subjects = [{ kind: 'ServiceAccount', name: WEBHOOK_NAME, namespace }];
  const apiVersion = `${group}/v1`;
  const everywhere = [
    { apiGroups: [''], resources: ['pods'], verbs: ['list'] },
    { apiGroups: [''], resources: ['services'], verbs: ['get', 'list', 'create', 'update'] },
    { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create', 'update'] },
    {
      apiGroups: ['admissionregistration.k8s.io'],
      resources: ['mutatingwebhookconfigurations'],
      resourceNames: [WEBHOOK_NAME],
      verbs: ['get', 'update'],
    },
  ];
  const here = [
    { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
    { apiGroups: [''], resources: ['secrets'], resourceNames: [SECRET_NAME], verbs: ['get', 'update'] },
  ];
  const roleRef = (kind: string) => ({ apiGroup: group, kind, name: WEBHOOK_NAME });
  return [
    { apiVersion, kind: 'ClusterRole', metadata: named(), rules: everywhere },
    { apiVersion, kind: 'ClusterRoleBinding', metadata: named(), roleRef: roleRef('ClusterRole'), subjects },
    { apiVersion, kind: 'Role', metadata: named(namespace), rules: here },
    { apiVersion, kind: 'RoleBinding', metadata: named(namespace), roleRef: roleRef('Role'), subjects },
  ];
}

function certManagerObjects(namespace: string): Manifest[] {
  const apiVersion = 'cert-manager.io/v1';
  return [
    { apiVersion, kind: 'Issuer', metadata: named(namespace), spec: { selfSigned: {} } },
    {
      apiVersion,
      kind: 'Certificate',
      metadata: named(namespace),
      spec: {
        secretName: SECRET_NAME,
        dnsNames: serverNames({ serviceName: WEBHOOK_NAME, namespace }),
        issuerRef: { name: WEBHOOK_NAME, kind: 'Issuer' },
      },
    },
  ];
}

function deployment(options: InstallOptions): Manifest {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: named(options.namespace),
    spec: {
      replicas: 2,
      selector: { matchLabels: APP },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
      template: { metadata: { labels: LABELS }, spec: podSpec(options) },
    },
  };
}

function podSpec({ certManager, image, imagePullPolicy }: InstallOptions): Record<string, unknown> {
  const spread = (topologyKey: string) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels: APP },
  });
  const probe = (path: string) => ({ httpGet: { path, port: 'health' }, periodSeconds: 5, timeoutSeconds: 2 });
  const webhook = {
    name: 'webhook',
    image,
    ...(imagePullPolicy === null ? {} : { imagePullPolicy }),
    command: ['node', '/app/webhook.mjs'],
    env: [
      { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
      { name: 'CERTIFICATES', value: certManager ? 'external' : 'own' },
    ],
    ports: [
      { name: 'https', containerPort: PORT, protocol: 'TCP' },
      { name: 'health', containerPort: HEALTH_PORT, protocol: 'TCP' },
    ],
    startupProbe: { ...probe('/healthz'), periodSeconds: 1, failureThreshold: 60 },
    readinessProbe: { ...probe('/readyz'), failureThreshold: 2 },
    livenessProbe: { ...probe('/healthz'), periodSeconds: 10, failureThreshold: 6 },
    resources: { requests: { cpu: '50m', memory: '64Mi' }, limits: { memory: '384Mi' } },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    },
  };
  return {
    serviceAccountName: WEBHOOK_NAME,
    // Draining (5 s), then what is still asked (10 s).
    terminationGracePeriodSeconds: 30,
    enableServiceLinks: false,
    priorityClassName: 'system-cluster-critical',
    securityContext: {
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    topologySpreadConstraints: [spread('kubernetes.io/hostname'), spread('topology.kubernetes.io/zone')],
    containers: [webhook],
  };
}

/**
 * Two webhooks, because a selector can't say "label or annotation": the first by label, and never for pods of `create`; the
 * second for pods without the label that have the annotation (matchConditions: Kubernetes 1.28).
 */
function configuration({ namespace, certManager, matchConditions: knowsConditions }: InstallOptions): Manifest {
  const annotations = `object.metadata.?annotations.orValue({})`;
  const notInjected = { name: 'not-injected', expression: `!('${INJECTED_ANNOTATION}' in ${annotations})` };
  const asked = { name: 'asked-by-annotation', expression: `'${CLUSTER_LABEL}' in ${annotations}` };
  const byLabel = [
    { key: CLUSTER_LABEL, operator: 'Exists' },
    { key: MANAGED_BY_LABEL, operator: 'NotIn', values: [MANAGED_BY] },
  ];
  const withoutLabel = [{ key: CLUSTER_LABEL, operator: 'DoesNotExist' }];
  const webhook = (name: string, matchExpressions: object[], matchConditions: object[]) => ({
    name,
    admissionReviewVersions: ['v1'],
    clientConfig: { service: { name: WEBHOOK_NAME, namespace, path: '/mutate', port: 443 } },
    failurePolicy: 'Fail',
    matchPolicy: 'Equivalent',
    reinvocationPolicy: 'IfNeeded',
    sideEffects: 'NoneOnDryRun',
    timeoutSeconds: 10,
    namespaceSelector: {
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system', namespace] }],
    },
    objectSelector: { matchExpressions },
    ...(knowsConditions ? { matchConditions } : {}),
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], scope: 'Namespaced' }],
  });
  const inject = { 'cert-manager.io/inject-ca-from': `${namespace}/${WEBHOOK_NAME}` };
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { ...named(), ...(certManager ? { annotations: inject } : {}) },
    webhooks: [
      webhook('label.pods.kubectl-redis.io', byLabel, [notInjected]),
      ...(knowsConditions ? [webhook('annotation.pods.kubectl-redis.io', withoutLabel, [asked, notInjected])] : []),
    ],
  };
}
