/** Nodes that let us in for less than is needed, or not at all: what to grant, or which password to look at. */
import type { ClusterNode } from '../model/state.ts';
import type { CheckContext } from './context.ts';

/** What views ask, as ACL rules name it. */
const VIEW_RIGHTS: readonly string[] = ['info', 'cluster|myid', 'cluster|nodes', 'cluster|info'];

/** How the missing right is granted, or the refused password looked at; null for other reasons. */
export function loginRepair(context: Pick<CheckContext, 'kubectl'>, node: ClusterNode): string | null {
  const reply = node.reply;
  if (reply?.kind !== 'unreachable' || reply.login === undefined) return null;
  const { user, secret, denied } = reply.login;
  if (reply.why === 'permission') {
    const all = VIEW_RIGHTS.filter((right) => !denied.includes(right));
    const rest = all.length === 0 ? '' : ` A view asks ${VIEW_RIGHTS.map((right) => `+${right}`).join(' ')} in all.`;
    return `ACL SETUSER ${user} ${denied.map((right) => `+${right}`).join(' ')} on each node, by a user who may, and also in their configuration.${rest}`;
  }
  if (secret !== null)
    return `Compare Secret ${secret} with what the node was started with: ${context.kubectl(`get secret ${secret}`)}`;
  return 'Give the password that the node was started with: --password-file FILE.';
}
