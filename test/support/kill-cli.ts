/** SIGKILL for a command that holds a lease. */
import { ownIdentity } from '../../pkg/engine/lease/identity.ts';
import type { KubePort } from '../../pkg/engine/ports.ts';
import type { Ended, Running } from './cli.ts';

/**
 * A machine that can't tell which processes were its own (no machine-id, as in many containers) would have the next
 * command wait for half a minute; the test knows, and takes the lease away.
 */
export async function killCli(
  running: Running,
  { kube }: { readonly kube: KubePort },
  cluster: string,
): Promise<Ended> {
  running.process.kill('SIGKILL');
  const ended = await running.ended;
  if (ownIdentity().process === null) await kube.remove('coordination.k8s.io/v1', 'Lease', `${cluster}-operation`);
  return ended;
}
