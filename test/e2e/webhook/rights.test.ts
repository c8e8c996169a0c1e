/**
 * The rights of the webhook are enough and none too many: what it does is done here by somebody who has all of its rules, and then by
 * somebody who lacks one verb of one of them, for every verb.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { INJECTED_ANNOTATION, NODE_LABEL } from '../../../pkg/cluster/model/labels.ts';
import { systemClock } from '../../../pkg/engine/clock.ts';
import type { KubeObject, KubePort } from '../../../pkg/engine/ports.ts';
import { CLAIM_ANNOTATION } from '../../../pkg/pod/annotations.ts';
import { keepCertificates } from '../../../webhook/certificate/keeper.ts';
import { renewalPolicy } from '../../../webhook/certificate/renewal.ts';
import { settleClaims } from '../../../webhook/identity.ts';
import { webhookManifests } from '../../../webhook/manifests.ts';
import { mutate } from '../../../webhook/mutate.ts';
import { SECRET_NAME, WEBHOOK_NAME } from '../../../webhook/settings.ts';
import { requestOf } from '../../support/admission.ts';
import { describeCluster, openClusterEnv, until, type ClusterEnv } from '../../support/cluster-env.ts';
import { waitingNode } from '../../support/webhook.ts';

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

const GROUP = 'rbac.authorization.k8s.io';
const CONFIGURATION = 'e2e-rights';

/** A webhook that is never called: only its caBundle is written. */
const NOBODY_ASKED = {
  name: 'nobody.kubectl-redis.io',
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  failurePolicy: 'Ignore',
  objectSelector: { matchLabels: { 'kubectl-redis.io/nobody': 'nobody' } },
  rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
  clientConfig: { service: { namespace: 'default', name: 'nobody' } },
};

/** The rules of a kind of role as `install` applies them. */
function rulesOf(kind: string): Rule[] {
  const options = { namespace: 'x', image: 'x', imagePullPolicy: null, certManager: false, matchConditions: true };
  return webhookManifests(options).flatMap((object) =>
    object.kind === kind ? (object as unknown as { rules: Rule[] }).rules : [],
  );
}

/** The rules without one verb of one of them, and which. */
function withoutOne(rules: readonly Rule[]): (readonly [lacking: string, rest: readonly Rule[]])[] {
  return rules.flatMap((rule, at) =>
    rule.verbs.map((verb) => {
      const rest = { ...rule, verbs: rule.verbs.filter((each) => each !== verb) };
      const others = rules.filter((_, other) => other !== at);
      return [`${verb} ${rule.resources.join()}`, rest.verbs.length === 0 ? others : [...others, rest]] as const;
    }),
  );
}

describeCluster('rights', () => {
  let env: ClusterEnv;
  const made: { readonly kind: string; readonly name: string }[] = [];
  let people = 0;
  beforeAll(async () => {
    env = await openClusterEnv();
    await make({
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: `${CONFIGURATION}-${env.namespace}` },
      webhooks: [NOBODY_ASKED],
    });
  }, 60_000);
  afterAll(async () => {
    for (const { kind, name } of made.toReversed()) {
      const group = kind.startsWith('Mutating') ? 'admissionregistration.k8s.io' : GROUP;
      await env.kube.remove(`${group}/v1`, kind, name);
    }
    await env.close();
  }, 60_000);

  async function make(object: KubeObject): Promise<void> {
    await env.kube.create(object);
    made.push({ kind: object.kind, name: object.metadata.name });
  }

  /** Somebody with these rules, in this namespace and for cluster-wide objects. */
  async function somebody(everywhere: readonly Rule[], here: readonly Rule[]): Promise<KubePort> {
    const name = `webhook-${env.namespace}-${++people}`;
    const configuration = `${CONFIGURATION}-${env.namespace}`;
    const ours = (rule: Rule): Rule =>
      rule.resourceNames?.includes(WEBHOOK_NAME) === true ? { ...rule, resourceNames: [configuration] } : rule;
    const subjects = [{ apiGroup: GROUP, kind: 'User', name }];
    for (const [kind, rules] of [['ClusterRole', everywhere.map(ours)] as const, ['Role', here] as const]) {
      await make({ apiVersion: `${GROUP}/v1`, kind, metadata: { name }, rules });
      const roleRef = { apiGroup: GROUP, kind, name };
      await make({ apiVersion: `${GROUP}/v1`, kind: `${kind}Binding`, metadata: { name }, roleRef, subjects });
    }
    for (const rule of [...everywhere.map(ours), ...here]) await untilGranted(name, rule);
    return env.connect({ as: name }).kube;
  }

  /** The API server learns of new roles a moment later. */
  async function untilGranted(user: string, { apiGroups, resources, resourceNames, verbs }: Rule): Promise<void> {
    const [group = ''] = apiGroups;
    const [resource = ''] = resources;
    for (const verb of verbs) {
      const resourceAttributes = { namespace: env.namespace, verb, group, resource, name: resourceNames?.[0] ?? '' };
      const review = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview' };
      await until(
        async () =>
          (await env.client.json({
            method: 'POST',
            path: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
            body: { ...review, spec: { user, resourceAttributes } },
            asked: { verb: 'create', resource: 'subjectaccessreviews', namespace: null, name: null },
            repeatable: true,
          })) as { readonly status?: { readonly allowed?: boolean } },
        ({ status }) => status?.allowed === true,
        10_000,
      );
    }
  }

  /** Everything that its program asks of the API server, once; the first complaint, or null. */
  async function doItsWork(kube: KubePort): Promise<string | null> {
    const cluster = `work${people}`;
    await env.kube.remove('v1', 'Secret', SECRET_NAME);
    const keeper = {
      kube,
      clock: systemClock,
      policy: renewalPolicy(['x.svc']),
      secretName: SECRET_NAME,
      configurationName: `${CONFIGURATION}-${env.namespace}`,
      own: true,
    };
    const complaint = await complaintOf(keepCertificates(keeper));
    if (complaint !== null) return complaint;
    // The second pod finds the first with its claim, and a table to write itself into.
    for (const name of ['one', 'two']) {
      const pod: unknown = JSON.parse(waitingNode(`${name}-${people}`, cluster));
      const deps = { kubeIn: () => kube, clock: systemClock };
      const { verdict, node } = await mutate(
        requestOf(pod, { namespace: env.namespace, name: `${name}-${people}` }),
        deps,
      );
      if (verdict.kind !== 'injected') return JSON.stringify(verdict);
      const settled = JSON.parse(waitingNode(`${name}-${people}`, cluster)) as KubeObject;
      const claim = /kubectl-redis\.io(?:~1|\/)claim"(?:,"value")?:"([^"]+)"/.exec(JSON.stringify(verdict.patch))?.[1];
      const annotations = { [INJECTED_ANNOTATION]: 'webhook', [CLAIM_ANNOTATION]: claim ?? '' };
      const labels = { ...settled.metadata.labels, [NODE_LABEL]: node ?? '' };
      await env.kube.create({ ...settled, metadata: { ...settled.metadata, labels, annotations } });
    }
    return complaintOf(settleClaims(kube, systemClock, { namespace: env.namespace, name: cluster }));
  }

  test('are enough', async () => {
    expect(await doItsWork(await somebody(rulesOf('ClusterRole'), rulesOf('Role')))).toBeNull();
  }, 60_000);

  test.each(withoutOne(rulesOf('ClusterRole')))('%s is needed', async (lacking, rest) => {
    const complaint = await doItsWork(await somebody(rest, rulesOf('Role')));
    expect([lacking, complaint]).toEqual([lacking, expect.stringContaining(sentenceFor(lacking))]);
  });

  test.each(withoutOne(rulesOf('Role')))('%s in its own namespace is needed', async (lacking, rest) => {
    const complaint = await doItsWork(await somebody(rulesOf('ClusterRole'), rest));
    expect([lacking, complaint]).toEqual([lacking, expect.stringContaining(sentenceFor(lacking))]);
  });
});

function complaintOf(work: Promise<unknown>): Promise<string | null> {
  return work.then(() => null, String);
}

function sentenceFor(lacking: string): string {
  return `no right to ${lacking}`;
}
