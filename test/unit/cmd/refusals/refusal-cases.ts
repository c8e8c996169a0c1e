/** Each verb with every refusal that it knows, and where they are written. */
import type { KubeFacts } from '../../../../pkg/cluster/model/observation.ts';
import { changeKube, changed } from '../../../support/observation-changes.ts';
import type { VerbWorld } from '../../../support/verb-world.ts';

import { nothing, open, whole, type RefusalCase } from './refusal-worlds.ts';
import { ROLE_REFUSALS } from './role-refusals.ts';
import { SHAPE_REFUSALS } from './shape-refusals.ts';
import { UNHEARD_REFUSALS } from './unheard-refusals.ts';

/** failover hangs on nodes alone, and who may lead with what is not read counts as unknown; delete says what it does not see. */
const READS_LESS: ReadonlySet<string> = new Set(['failover', 'delete']);

/** Where nothing is refused. */
export const HEALTHY: Readonly<Record<string, { readonly argv: readonly string[]; readonly world: VerbWorld }>> = {
  create: { argv: ['create', 'redis', '--yes'], world: nothing() },
  scale: { argv: ['scale', 'redis', '--masters', '4', '--yes'], world: whole() },
  rebalance: { argv: ['rebalance', 'redis', '--weight', '1=2', '--yes'], world: whole() },
  restart: { argv: ['restart', 'redis', '--image', 'redis:9', '--yes'], world: whole() },
  failover: { argv: ['failover', 'redis-4-0', '--yes'], world: whole() },
  delete: { argv: ['delete', 'redis', '--yes'], world: whole() },
  fix: { argv: ['fix', 'redis', '--yes'], world: whole(1, open) },
};

/** What may not be read is empty, and is not taken for that: all that there is of the kind is hidden from the verb. */
const UNREAD: readonly (readonly [string, Partial<KubeFacts>])[] = [
  ['services', { services: [] }],
  ['statefulsets', { statefulSets: [] }],
  ['persistentvolumeclaims', { claims: [] }],
  ['configmaps', { config: null, configFacts: null, state: null }],
];

const BLIND: readonly RefusalCase[] = UNREAD.flatMap(([what, hidden]) =>
  Object.entries(HEALTHY)
    .filter(([verb]) => !READS_LESS.has(verb))
    .map(([, { argv, world }]) => ({
      argv,
      code: 'forbidden',
      name: `${what} may not be read`,
      world: {
        ...world,
        observation: changed(
          world.observation,
          changeKube((kube) => ({ ...kube, ...hidden, gaps: [{ what, why: `${what} is forbidden` }] })),
        ),
      },
      says: `The ${what} of redis can't be read`,
    })),
);

export const REFUSALS: readonly RefusalCase[] = [...SHAPE_REFUSALS, ...ROLE_REFUSALS, ...UNHEARD_REFUSALS, ...BLIND];

/** Where the refusals of a verb are written; `after`: those that only come when something was changed, with the reason. */
export const SOURCES: Readonly<
  Record<string, { readonly files: readonly string[]; readonly after: Readonly<Record<string, string>> }>
> = {
  create: {
    files: [
      'pkg/cluster/plan/create.ts',
      'pkg/cluster/plan/refuse-record.ts',
      'pkg/cluster/plan/form.ts',
      'pkg/cluster/plan/form-members.ts',
      'pkg/cluster/plan/preflight.ts',
    ],
    after: {},
  },
  scale: {
    files: [
      'pkg/cluster/plan/scale.ts',
      'pkg/cluster/plan/scale-refuse.ts',
      'pkg/cluster/plan/refuse-record.ts',
      'pkg/cluster/plan/scale-preflight.ts',
      'pkg/cluster/plan/refuse-heir.ts',
      'pkg/cluster/plan/refuse-older.ts',
      'pkg/cluster/plan/refuse-writes.ts',
      'pkg/cluster/plan/refuse-unheard.ts',
      'pkg/engine/scale.ts',
      'cmd/scale/run.ts',
    ],
    after: {
      'node-needed': 'all that can be done was done',
      'plan-changed': 'the cluster has changed since it was agreed to',
      'node-silent': 'of a node that goes: when its slots have gone',
      'foreign-node': 'of a node that is new: when it is there',
      'node-not-empty': 'of a node that is new: when it is there',
    },
  },
  rebalance: {
    files: [
      'pkg/cluster/plan/rebalance.ts',
      'pkg/cluster/plan/refuse-unheard.ts',
      'pkg/cluster/plan/refuse-older.ts',
      'pkg/cluster/plan/refuse-writes.ts',
    ],
    after: {},
  },
  restart: {
    files: [
      'pkg/cluster/plan/restart.ts',
      'pkg/cluster/plan/restart-refuse.ts',
      'pkg/cluster/plan/refuse-record.ts',
      'pkg/cluster/plan/refuse-heir.ts',
      'pkg/cluster/plan/refuse-unheard.ts',
      'pkg/engine/restart.ts',
    ],
    after: {
      'older-server': 'of replicas that are new: when they are there',
      'heir-evicts': 'is a loss of the plan before: when somebody has changed a limit since',
      'put-back': 'what this run rendered was put back by somebody',
    },
  },
  failover: {
    files: [
      'pkg/cluster/plan/failover.ts',
      'pkg/cluster/plan/refuse-unheard.ts',
      'pkg/cluster/plan/failover-preflight.ts',
    ],
    after: {
      'node-changed': 'the node has changed since it was agreed to',
      'role-unknown': 'a node whose role nobody knows has no name by which it could be asked for',
      'node-ambiguous': 'two pods have different names',
    },
  },
  delete: { files: ['pkg/cluster/plan/delete-refuse.ts', 'cmd/delete/run.ts'], after: {} },
};
