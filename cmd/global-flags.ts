/** The flags that every verb takes; kubectl's own names where kubectl has them. */
import { oneOf, optionalDuration, text, texts, toggle } from './flags.ts';
import type { FlagValues } from './flags.ts';

export const GLOBAL_FLAGS = {
  namespace: text({
    alias: 'n',
    placeholder: 'NAMESPACE',
    completes: 'namespace',
    summary: 'Namespace of the cluster; default: that of the context',
  }),
  context: text({ placeholder: 'CONTEXT', completes: 'context', summary: 'Context of the kubeconfig to use' }),
  kubeconfig: text({
    placeholder: 'FILE',
    completes: 'file',
    summary: 'Path of the kubeconfig; default: $KUBECONFIG, ~/.kube/config, or the service account of the pod',
  }),
  as: text({ placeholder: 'USER', summary: 'User to impersonate' }),
  'as-group': texts({ placeholder: 'GROUP', summary: 'Group to impersonate; may be repeated' }),
  'request-timeout': optionalDuration(
    { minMs: 0 },
    {
      summary:
        'How long to wait for Kubernetes (default 10s) and, in views, for each Redis node (default 2s); 0 waits for ever',
    },
  ),
  connect: oneOf(['auto', 'tunnel', 'direct'], 'auto', {
    summary: 'How to reach Redis: through the API server (tunnel) or straight to the pods (direct)',
  }),
  'password-file': text({
    placeholder: 'FILE',
    completes: 'file',
    summary: 'File with the Redis password; default: Secret NAME-auth where it exists',
  }),
  username: text({ placeholder: 'USER', summary: 'Redis user (ACL) that the password belongs to' }),
  color: oneOf(['auto', 'always', 'never'], 'auto', { summary: 'Colours; NO_COLOR is respected' }),
  debug: toggle({ summary: 'Print the stack of an error (also: KUBECTL_REDIS_DEBUG=1)' }),
  help: toggle({ alias: 'h', summary: 'Help for a verb' }),
} as const;

export type Globals = FlagValues<typeof GLOBAL_FLAGS>;

/** An hour is as good as for ever, and a timer can be set to it. */
const FOR_EVER_MS = 3_600_000;

const KUBERNETES_MS = 10_000;
/**
 * For one node, from the start of asking it: tunnel, login and answer together. A healthy node takes some ten milliseconds, and a view that
 * shows a frozen one is looked at by somebody in a hurry.
 */
const NODE_MS = 2_000;

/** Milliseconds of `--request-timeout` for one request to Kubernetes. */
export function timeoutMsOf(globals: Globals): number {
  return typedMs(globals) ?? KUBERNETES_MS;
}

/** Milliseconds that a view waits for one Redis node; what was typed holds for both. */
export function nodeTimeoutMsOf(globals: Globals): number {
  return typedMs(globals) ?? NODE_MS;
}

function typedMs({ 'request-timeout': typed }: Globals): number | undefined {
  return typed === 0 ? FOR_EVER_MS : typed;
}
