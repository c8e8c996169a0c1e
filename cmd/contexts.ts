/** Names of the contexts in the kubeconfig, for completion. Loads the client library. */
import { KubeConfig } from '@kubernetes/client-node';

export function listContexts(file: string | undefined): string[] {
  try {
    const config = new KubeConfig();
    if (file === undefined) config.loadFromDefault();
    else config.loadFromFile(file);
    return config.getContexts().map((context) => context.name);
  } catch {
    return [];
  }
}
