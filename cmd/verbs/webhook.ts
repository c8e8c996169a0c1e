import { choice, duration, text, toggle } from '../flags.ts';
import { outputFlag } from '../output.ts';
import { defineVerb } from '../verb.ts';

export const webhookVerb = defineVerb({
  name: 'webhook',
  summary: 'Install, look at or uninstall the webhook that makes nodes of pods',
  description:
    'The webhook completes every new pod with the label or annotation kubectl-redis.io/cluster: NAME, so that it is a node of the Redis Cluster NAME. It is never asked about other pods, nor about those that "create" made.\nIts certificates are its own, and it renews them itself. -n chooses its namespace, kubectl-redis-system unless said otherwise.',
  positionals: {
    ACTION: {
      summary: 'install, status or uninstall',
      required: true,
      completes: ['install', 'status', 'uninstall'],
    },
  },
  flags: {
    image: text({ placeholder: 'IMAGE', summary: 'Image of the webhook; the Dockerfile of the project builds it' }),
    'image-pull-policy': choice(['Always', 'IfNotPresent', 'Never'], { summary: 'When the image is pulled' }),
    'cert-manager': toggle({ summary: 'Let cert-manager make and renew the certificates' }),
    'dry-run': toggle({ summary: 'Change nothing: print the YAML, or what would be deleted' }),
    yes: toggle({ alias: 'y', summary: 'Ask nothing; nothing is asked anyway' }),
    timeout: duration('2m', { minMs: 1000 }, { summary: 'How long it may take until the webhook answers' }),
    output: outputFlag(['yaml']),
  },
  examples: [
    { does: 'Install it', command: 'kubectl redis webhook install --image registry.example/kubectl-redis-webhook' },
    {
      does: 'Print the YAML',
      command: 'kubectl redis webhook install --image IMAGE --dry-run -o yaml',
    },
    { does: 'See certificate, reachability, last admissions', command: 'kubectl redis webhook status' },
  ],
  exitCodes: {
    0: 'done; status: healthy',
    1: 'failed, or not installed',
    2: 'wrong usage',
    3: 'status: something is wrong; install: it is installed in another namespace',
    130: 'interrupted; the same command goes on',
  },
  run: async (request, deps) => {
    const { runWebhook } = await import('../webhook/run.ts');
    return runWebhook(request, deps);
  },
});
