import type { ListedCluster } from '../../pkg/engine/ports.ts';
import { AppError, EXIT } from '../../pkg/errors.ts';
import type { Session } from '../deps.ts';
import { toggle } from '../flags.ts';
import { withSession } from '../look-at.ts';
import { outputFlag, wroteDocument } from '../output.ts';
import { defineVerb } from '../verb.ts';
import { listed } from '../view/format.ts';

export const listVerb = defineVerb({
  name: 'list',
  summary: 'The Redis Clusters of a namespace, or of all',
  description:
    'List the Redis Clusters: those that "create" made, those whose pods carry the label kubectl-redis.io/cluster, and workloads that look like one.',
  positionals: {},
  flags: {
    'all-namespaces': toggle({ alias: 'A', summary: 'In all namespaces' }),
    output: outputFlag(['name', 'json', 'yaml']),
  },
  examples: [
    { does: 'Those of the namespace', command: 'kubectl redis list' },
    { does: 'Those of all namespaces', command: 'kubectl redis list -A' },
  ],
  exitCodes: { 0: 'listed, also when there are none', 1: 'Kubernetes could not be read', 2: 'wrong usage' },
  run: ({ flags, globals }, deps) =>
    withSession(deps, globals, async (session) => {
      const { output } = flags;
      const everywhere = flags['all-namespaces'];
      const namespace = everywhere ? null : session.namespace;
      if (output !== 'name') session.prepare();
      const gaps: string[] = [];
      const found = await findClusters(session, namespace, (what) => gaps.push(what));
      if (gaps.length > 0) {
        const missing = gaps.includes('services') ? 'clusters that have no pod now' : 'clusters without our label';
        deps.terminal.say(`note: no right to list ${listed(gaps)}: ${missing} may be missing here\n`);
      }
      if (output === 'name') {
        for (const one of found) deps.terminal.write(everywhere ? `${one.namespace}/${one.name}\n` : `${one.name}\n`);
        return EXIT.done;
      }
      const { surveyClusters } = await import('../survey.ts');
      const rows = await surveyClusters(deps, session, globals, found);
      const document = async (): Promise<object> => (await import('../document/cluster-list.ts')).clusterListOf(rows);
      if (await wroteDocument(deps, output, document)) return EXIT.done;
      if (rows.length === 0) {
        // As kubectl: nothing on stdout.
        deps.terminal.say(`No Redis Clusters found${everywhere ? '' : ` in namespace ${session.namespace}`}.\n`);
        return EXIT.done;
      }
      const { renderClusters } = await import('../view/clusters.ts');
      deps.terminal.write(renderClusters(rows, deps.terminal.look(globals.color)));
      return EXIT.done;
    }),
});

/** @throws AppError `forbidden`, with the way to look where one may */
async function findClusters(
  session: Session,
  namespace: string | null,
  onGap: (what: string) => void,
): Promise<readonly ListedCluster[]> {
  try {
    return await session.kube.listClusters(namespace, onGap);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'forbidden') throw error;
    const elsewhere = 'where you have the right: kubectl redis list -n NAMESPACE';
    const hint = error.hint === undefined ? `Look ${elsewhere}` : `${error.hint}; or look ${elsewhere}`;
    throw new AppError(error.message, { code: error.code, cause: error.cause, exitCode: error.exitCode, hint });
  }
}
