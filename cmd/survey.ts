/** A short look at many clusters at once, for `list`. One that cannot be read is a row that says why. */
import pLimit from 'p-limit';
import type { Health } from '../pkg/cluster/check/health.ts';
import type { ClusterState } from '../pkg/cluster/model/state.ts';
import type { ListedCluster } from '../pkg/engine/ports.ts';
import { observe } from '../pkg/engine/observe.ts';
import { interpret } from '../pkg/cluster/interpret.ts';
import { reasonOf } from '../pkg/errors.ts';
import type { Deps, Session } from './deps.ts';
import { nodeTimeoutMsOf } from './global-flags.ts';
import type { Globals } from './global-flags.ts';
import { judge } from './judge.ts';

export interface SurveyRow {
  readonly listed: ListedCluster;
  readonly seen: { readonly state: ClusterState; readonly health: Health } | null;
  /** Why it was not seen. */
  readonly fault: string | null;
}

const CLUSTERS_AT_ONCE = 4;

export async function surveyClusters(
  deps: Deps,
  session: Session,
  globals: Globals,
  found: readonly ListedCluster[],
): Promise<SurveyRow[]> {
  const limit = pLimit(CLUSTERS_AT_ONCE);
  const sessions = new Map<string, Session>([[session.namespace, session]]);
  const sessionOf = (namespace: string): Session => {
    const own = sessions.get(namespace) ?? session.inNamespace(namespace);
    sessions.set(namespace, own);
    return own;
  };
  const deadlineMs = nodeTimeoutMsOf(globals);
  const row = async (listed: ListedCluster): Promise<SurveyRow> => {
    const { kube, redis } = sessionOf(listed.namespace);
    const { namespace, name } = listed;
    try {
      const options = { deadlineMs, signal: deps.signal };
      const observation = await observe({ kube, redis, clock: deps.clock }, { namespace, name }, options);
      const { state, health } = judge({ observation, state: interpret(observation) });
      return { listed, seen: { state, health }, fault: null };
    } catch (error) {
      deps.signal.throwIfAborted();
      return { listed, seen: null, fault: reasonOf(error) };
    }
  };
  return Promise.all(found.map((listed) => limit(() => row(listed))));
}
