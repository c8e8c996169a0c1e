/** `--dry-run`: the manifests with the plan as comments, or one document with both. */
import { splitSlots } from '../../pkg/cluster/model/slots.ts';
import { nodeName, ordinalsOf, podName, shardOf, shardsOf } from '../../pkg/cluster/model/spec.ts';
import type { Prepared } from '../../pkg/engine/create.ts';
import { allObjects } from '../../pkg/pod/objects.ts';
import { stateName } from '../../pkg/pod/names.ts';
import { toYaml } from '../document/yaml.ts';

/** Manifests in the order in which they must be applied. */
function manifestsOf(prepared: Prepared): object[] {
  if (prepared.brought) return [];
  return allObjects(prepared.spec);
}

export async function dryRunManifests(prepared: Prepared, planLines: readonly string[]): Promise<string> {
  const { name, namespace } = prepared.spec.cluster;
  const what = prepared.state.formed
    ? `These are the objects of ${name} as they are recorded, to be kept in Git.`
    : `After kubectl apply --server-side -f -, the pods wait until: kubectl redis create ${name} -n ${namespace}`;
  const comments = [
    ...planLines,
    '',
    what,
    `What the cluster must remember is not in them: it is in ConfigMap ${stateName(name)}, which belongs in no manifest.`,
    `Applied again, they change nothing of that.`,
  ];
  const head = comments.map((line) => `# ${line}`.trimEnd()).join('\n');
  const documents = manifestsOf(prepared).map((object) => `---\n${toYaml(object)}`);
  return `${head}\n${documents.join('')}`;
}

/** The schema is docs/schemas/create-plan.json. */
export function dryRunDocument(prepared: Prepared): object {
  const { spec, plan, remarks } = prepared;
  const ordinals = ordinalsOf(spec);
  return {
    apiVersion: 'kubectl-redis.io/v1',
    kind: 'CreatePlan',
    metadata: { name: spec.cluster.name, namespace: spec.cluster.namespace },
    spec: {
      masters: spec.masters,
      replicas: spec.replicas,
      image: spec.image,
      storage: spec.storage,
      storageClass: spec.storageClass,
      memory: spec.memory,
      cpu: spec.cpu,
      auth: spec.auth,
      antiAffinity: spec.antiAffinity,
      networkPolicy: spec.networkPolicy,
      config: spec.config,
    },
    shards: splitSlots(spec.masters).map((range, index) => {
      const name = shardsOf(spec)[index] ?? '';
      const members = ordinals.filter((n) => shardOf(spec, n) === name);
      return {
        name,
        slots: [{ start: range.start, end: range.end }],
        nodes: members.map((n) => ({ name: nodeName(spec.cluster.name, n), pod: podName(spec.cluster.name, n) })),
      };
    }),
    outcome: plan.kind,
    batches: plan.kind === 'batches' ? plan.batches : [],
    remarks,
    objects: manifestsOf(prepared),
  };
}
