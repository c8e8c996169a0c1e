import { EXIT } from '../../pkg/errors.ts';
import { choice, duration, text, texts, toggle, whole } from '../flags.ts';
import { outputFlag } from '../output.ts';
import { defineVerb } from '../verb.ts';

/** The least is checked by the verb, which can say why. */
const COUNT = { min: 0, max: 1000 } as const;

export const createVerb = defineVerb({
  name: 'create',
  summary: 'Make a Redis Cluster, or finish one that was begun',
  description:
    'Make the Services, StatefulSets, configuration and budgets of a Redis Cluster, wait for its pods and form the cluster.\nRun again, after whatever happened, it goes on where the last run stopped, and says so when there is nothing to do. Where pods carry the label kubectl-redis.io/cluster=NAME already, it forms the cluster from them.',
  positionals: {
    NAME: {
      summary: 'Name of the cluster: a DNS label that does not end in -digits',
      required: false,
      completes: 'cluster',
    },
  },
  flags: {
    masters: whole(COUNT, { summary: 'Shards, each with one primary: 3 or more (default 3)' }),
    replicas: whole(COUNT, { summary: 'Replicas of each primary (default 1)' }),
    image: text({
      placeholder: 'IMAGE',
      summary:
        'Image with redis-server or valkey-server (default $KUBECTL_REDIS_IMAGE, else docker.io/library/redis:8.4)',
    }),
    'image-pull-policy': choice(['Always', 'IfNotPresent', 'Never'], { summary: 'When the image is pulled' }),
    storage: text({ placeholder: 'QUANTITY', summary: "Size of each node's volume (default 1Gi)" }),
    'storage-class': text({
      placeholder: 'CLASS',
      summary: "StorageClass of the volumes (default: the cluster's default)",
    }),
    memory: text({ placeholder: 'QUANTITY', summary: 'Memory of each pod, request and limit; Redis uses 70 % of it' }),
    cpu: text({ placeholder: 'QUANTITY', summary: 'CPU request of each pod' }),
    config: texts({ placeholder: 'KEY=VALUE', summary: 'A directive of redis.conf; may be repeated' }),
    'config-file': text({
      placeholder: 'FILE',
      summary: 'Directives of redis.conf from a file; --config wins over it',
      completes: 'file',
    }),
    auth: toggle({
      summary: 'Nodes and clients use the password of Secret NAME-auth, which is made unless it is there',
    }),
    'anti-affinity': choice(['hard', 'soft', 'off'], {
      summary: 'Whether nodes of a shard may share a host (default: hard where there are hosts enough)',
    }),
    'network-policy': toggle({
      summary: "Only the cluster's pods reach the bus port: NetworkPolicy NAME-bus",
    }),
    'dry-run': toggle({ summary: 'Change nothing: print the plan and the YAML of all objects' }),
    timeout: duration('5m', { minMs: 1000 }, { summary: 'How long pods may take to become ready' }),
    yes: toggle({ alias: 'y', summary: 'Ask nothing' }),
    output: outputFlag(['json', 'yaml']),
  },
  examples: [
    { does: 'Three shards, each with one replica', command: 'kubectl redis create redis' },
    {
      does: 'A larger one with a password and memory limits',
      command: 'kubectl redis create sessions --masters 5 --replicas 2 --memory 4Gi --storage 20Gi --auth',
    },
    { does: 'Look at it first', command: 'kubectl redis create redis --dry-run' },
    {
      does: 'As manifests, finished by create',
      command: 'kubectl redis create redis --dry-run | kubectl apply --server-side -f - && kubectl redis create redis',
    },
  ],
  exitCodes: {
    0: 'the cluster is there',
    1: 'failed; the same command goes on',
    2: 'wrong usage',
    3: 'refused',
    130: 'interrupted; the same command goes on',
  },
  run: async (request, deps) => {
    const { runCreateVerb } = await import('../create/run.ts');
    await runCreateVerb(request, deps);
    return EXIT.done;
  },
});
