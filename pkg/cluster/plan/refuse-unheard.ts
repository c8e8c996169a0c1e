/**
 * Law of all verbs: of nodes that can't be asked, nobody says that they were never joined, that nobody owns slots, or that something is not
 * there. Said is who can't be asked, why, and what helps.
 */
import { loginRepair } from '../check/logins.ts';
import { mayBeJoined, unheardNodes } from '../evidence/unheard.ts';
import { listNames } from '../model/list-names.ts';
import type { Plan } from '../model/plan.ts';
import type { ClusterNode, ClusterState } from '../model/state.ts';
import { silenceCode } from './form-members.ts';

type Refused = Extract<Plan, { kind: 'refused' }>;

/**
 * Where slots have no known owner, or it is not known that the nodes were joined, because of a silence.
 * @param counts whether the silence of a node matters
 */
export function refuseUnheard(
  state: ClusterState,
  counts: (node: ClusterNode) => boolean = () => true,
): Refused | null {
  const silent = state.formed ? (state.uncovered.length > 0 ? unheardNodes(state) : []) : mayBeJoined(state);
  return sayUnheard(state, silent.filter(counts));
}

/** For what was asked for by name and is not among those that are known: it may be one of them. */
export function refuseUnknownName(state: ClusterState): Refused | null {
  return sayUnheard(state, unheardNodes(state));
}

function sayUnheard(state: ClusterState, silent: readonly ClusterNode[]): Refused | null {
  const [first] = silent;
  if (first === undefined) return null;
  const { name } = state.cluster;
  const pods = state.nodes.filter(({ pod }) => pod !== null).length;
  const whom =
    silent.length === pods && pods > 1
      ? `None of the ${pods} pods of ${name} can be asked`
      : `${listNames(silent.map(({ pod }) => pod?.name ?? '?'))} of ${name} can't be asked`;
  const { why, detail } = first.unreachable ?? { why: 'error', detail: 'no answer' };
  const reason = `${silent.length === 1 ? '' : `${first.pod?.name}: `}${why}: ${detail}`;
  return {
    kind: 'refused',
    code: silenceCode(first, 'nodes-silent'),
    sentence: `${whom} (${reason}): whom they know and which slots they own is not known`,
    hint: wayToHear(state, first),
  };
}

/** Which password or right helps, as `status` says it. */
function wayToHear({ cluster: { name, namespace } }: ClusterState, node: ClusterNode): string {
  const login = loginRepair({ kubectl: (command) => `kubectl -n ${namespace} ${command}` }, node);
  const again = 'then run the same command again';
  if (login !== null) return `${login.replace(/\.$/, '')}; ${again}`;
  if (node.unreachable?.why === 'auth')
    return `Give the password that the nodes were started with: --password-file FILE, or key password of Secret ${name}-auth; ${again}`;
  return `kubectl redis status ${name} says what is wrong; run the same command when they answer`;
}
