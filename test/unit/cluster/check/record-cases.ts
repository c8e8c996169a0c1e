/** What is recorded, and objects that manifests took back (K2): exactly what check says of each. */
import type { KubeFacts, Observation, StatefulSetFacts } from '../../../../pkg/cluster/model/observation.ts';
import { asMade } from '../../../support/as-made.ts';
import { healthyObservation } from '../../../support/observation.ts';
import { changeKube, changeReply, changeService, changed, type Change } from '../../../support/observation-changes.ts';
import { specOf } from '../../../support/spec.ts';
import { says } from './check-case.ts';
import type { CheckCase } from './check-case.ts';

const made = asMade(healthyObservation(), specOf());
const TABLE = made.kube.state?.['nodes'] ?? '';
const ARGO = { manager: 'argocd-controller', at: '2026-11-23T09:59:00Z' };
const NO_ADDRESSES = TABLE.replaceAll(/10\.\S+/g, '-');

const kube = (change: Partial<KubeFacts>): Change => changeKube((now) => ({ ...now, ...change }));
const set = (name: string, change: Partial<StatefulSetFacts>): Change =>
  changeKube((now) => ({
    ...now,
    statefulSets: now.statefulSets.map((one) => (one.name === name ? { ...one, ...change } : one)),
  }));
/** As an older version made it: what is remembered is in NAME-config, and no pod knows another place. */
const old = (config: Record<string, string>): Change =>
  changeKube((now) => ({
    ...now,
    state: null,
    config: { ...now.config, ...config },
    pods: now.pods.map((pod) => ({ ...pod, readsState: false })),
    statefulSets: now.statefulSets.map((one) => ({ ...one, readsState: false })),
  }));
const silent = (observation: Observation): Observation =>
  changed(
    observation,
    ...observation.replies.map(({ pod }) =>
      changeReply(pod, () => ({ kind: 'unreachable', why: 'timeout', detail: 'no answer in 2 s' })),
    ),
  );
const inGit = (object: string, who = 'Change it'): string =>
  `${who} where it comes from, as kubectl redis create redis --dry-run prints it; then kubectl -n default get ${object} -o yaml shows what is there.`;
const byArgo = (object: string): string => inGit(object, 'argocd-controller may put it back: change it');

export const RECORD_CASES: readonly CheckCase[] = [
  [
    'formed-mark-missing: a manifest of an older version was applied again',
    changed(made, old({ formed: 'false', nodes: NO_ADDRESSES })),
    [
      says(
        'critical formed-mark-missing',
        'ConfigMap redis-config says that redis was never formed, although it is: a node whose volume is lost would not wait for the others.',
        'kubectl -n default patch configmap redis-config --type merge -p \'{"data":{"formed":"true"}}\'',
      ),
    ],
  ],
  [
    'formed-mark-missing: NAME-state was deleted, and is nowhere else',
    changed(made, kube({ state: null })),
    [
      says(
        'critical formed-mark-missing',
        'Nothing says that redis was formed: ConfigMap redis-state is missing or not whole, although it is: a node whose volume is lost would not wait for the others.',
        'kubectl -n default patch configmap redis-config --type merge -p \'{"data":{"formed":"true"}}\'',
      ),
    ],
  ],
  [
    'formed-mark-missing: and nobody can be asked',
    changed(silent(made), kube({ state: null })),
    [
      says(
        'critical formed-mark-missing',
        'Nothing says that redis was formed: ConfigMap redis-state is missing or not whole; no node that may know can be asked: a node whose volume is lost would not wait for the others.',
        'Bring the nodes back: they know.',
      ),
      says(
        'warning cannot-ask',
        'None of the 6 pods of redis could be asked (redis-1-0: no answer in 2 s, redis-2-0: no answer in 2 s and 4 more).',
        'Try kubectl port-forward to a pod by hand; it needs the rights get and create on pods/portforward.',
        'redis-1-0 redis-2-0 redis-3-0 redis-4-0 redis-5-0 redis-6-0',
      ),
    ],
  ],
  [
    'state-missing: a cluster of an older version',
    changed(made, old({ formed: 'true', nodes: TABLE })),
    [
      says(
        'warning state-missing',
        'What must be remembered of redis is in ConfigMap redis-config and on Service redis, where a manifest that is applied again overwrites it.',
        'None: only the tool writes ConfigMap redis-state.',
      ),
    ],
  ],
  [
    'config-missing',
    changed(made, kube({ config: null })),
    [
      says(
        'critical config-missing',
        'ConfigMap redis-config is missing: no pod of redis can start.',
        'kubectl redis create redis --dry-run prints it.',
        '',
        '',
        'ConfigMap/redis-config',
      ),
    ],
  ],
  [
    'client-service-missing',
    changed(
      made,
      changeKube((now) => ({ ...now, services: now.services.filter(({ name }) => name !== 'redis') })),
    ),
    [
      says(
        'critical client-service-missing',
        'Service redis is missing: clients that connect by its name reach nobody.',
        'kubectl redis create redis --dry-run prints it.',
        '',
        '',
        'Service/redis',
      ),
    ],
  ],
  [
    'record-lost: whatever said it was deleted',
    changed(
      made,
      kube({ state: null }),
      changeService('redis', (service) => ({ ...service, annotations: {} })),
    ),
    [
      says(
        'critical record-lost',
        'Nothing records what redis was made with: neither ConfigMap redis-state nor Service redis nor a StatefulSet.',
        'kubectl redis create redis with all flags that it was made with; they are compared with the templates.',
      ),
    ],
  ],
  [
    'objects-unsafe: a template that does not know the record, beside an old one in NAME-config',
    changed(
      made,
      kube({ config: { formed: 'false', nodes: NO_ADDRESSES } }),
      set('redis-2', { readsState: false, writer: ARGO }),
    ),
    [
      says(
        'critical objects-unsafe',
        'StatefulSet redis-2 makes pods that do not read the record: with an empty volume one would start and not wait for the others; argocd-controller wrote it last, at 2026-11-23T09:59:00Z.',
        byArgo('statefulset redis-2'),
        'redis-2-0',
        '',
        'StatefulSet/redis-2',
      ),
      says(
        'warning objects-differ',
        'ConfigMap redis-config holds an old record (formed: false) that no pod reads.',
        inGit('configmap redis-config'),
        '',
        '',
        'ConfigMap/redis-config',
      ),
    ],
  ],
  [
    'objects-unsafe: an image that is older than what runs, an address of nobody, one that would be waited for',
    changed(
      made,
      set('redis-1', { image: 'redis:7' }),
      set('redis-2', { templateAnnotations: { 'kubectl-redis.io/announce-ip': '10.9.9.9' } }),
      set('redis-3', { templateAnnotations: {}, readsState: false }),
      kube({ config: { formed: 'true', nodes: TABLE } }),
    ),
    [
      says(
        'critical objects-unsafe',
        "StatefulSet redis-1 has image redis:7: redis-1-0 runs redis 8.6.3, and an older one can't read their data.",
        inGit('statefulset redis-1'),
        'redis-1-0',
        '',
        'StatefulSet/redis-1',
      ),
      says(
        'critical objects-unsafe',
        `StatefulSet redis-2 makes a pod that announces 10.9.9.9, and its Service has ${serviceOf('redis-2')}.`,
        inGit('statefulset redis-2'),
        'redis-2-0',
        '',
        'StatefulSet/redis-2',
      ),
      says(
        'critical objects-unsafe',
        'StatefulSet redis-3 makes pods that read a copy of the record, which manifests overwrite; it does not say the address of its pod, which would wait for it for ever.',
        inGit('statefulset redis-3'),
        'redis-3-0',
        '',
        'StatefulSet/redis-3',
      ),
    ],
  ],
  [
    'objects-unsafe: a redis.conf without the log; a pod that reads the old record',
    changed(
      made,
      changeKube((now) => ({
        ...now,
        config: { 'redis.conf': 'port 6379\nappendonly no\n', formed: 'false' },
        configFacts: { digest: 'x', writer: ARGO },
        pods: now.pods.map((pod) => (pod.name === 'redis-4-0' ? { ...pod, readsState: false } : pod)),
      })),
    ),
    [
      says(
        'critical objects-unsafe',
        'ConfigMap redis-config has a redis.conf with appendonly no, which is not recorded: a pod would start without its data; it holds an old record (formed: false), which redis-4-0 reads; argocd-controller wrote it last, at 2026-11-23T09:59:00Z.',
        byArgo('configmap redis-config'),
        '',
        '',
        'ConfigMap/redis-config',
      ),
    ],
  ],
  [
    'objects-differ: settings, an older shape, and a node that is of the cluster no more',
    changed(
      made,
      kube({ configFacts: { digest: 'x', writer: null } }),
      changeService('redis', (service) => ({
        ...service,
        annotations: { ...service.annotations, 'kubectl-redis.io/spec': JSON.stringify(specOf({ masters: 4 })) },
        writer: ARGO,
      })),
      set('redis-1', { image: 'redis:9' }),
      set('redis-3', { templateAnnotations: {} }),
    ),
    [
      says(
        'warning objects-differ',
        'ConfigMap redis-config has a redis.conf or scripts that are not what was rendered last.',
        inGit('configmap redis-config'),
        '',
        '',
        'ConfigMap/redis-config',
      ),
      says(
        'warning objects-differ',
        'Service redis says masters: 4, replicas: 1, image: redis:8, and recorded are 3, 1 and redis:8; argocd-controller wrote it last, at 2026-11-23T09:59:00Z.',
        byArgo('service redis'),
        '',
        '',
        'Service/redis',
      ),
      says(
        'warning objects-differ',
        'StatefulSet redis-1 has image redis:9, and redis:8 is recorded (kubectl redis restart --image takes another one in).',
        inGit('statefulset redis-1'),
        'redis-1-0',
        '',
        'StatefulSet/redis-1',
      ),
      says(
        'warning objects-differ',
        'StatefulSet redis-3 does not say the address of its pod, which then looks it up in the record.',
        inGit('statefulset redis-3'),
        'redis-3-0',
        '',
        'StatefulSet/redis-3',
      ),
    ],
  ],
];

function serviceOf(name: string): string {
  return made.kube.services.find((service) => service.name === name)?.clusterIP ?? '';
}
