/** What ConfigMap NAME-state holds after a change. Pure; keys that we do not know are kept. */
import { BUDGETS_KEY, CLEARED_KEY, CONFIG_DIGEST_KEY, FORMED_KEY, NODES_KEY, SPEC_KEY } from './labels.ts';
import { renderNodeTable, type NodeLine } from './node-table.ts';
import type { ClusterRecord } from './record.ts';
import type { ClusterSpec } from './spec.ts';

/** What is left out stays as it is. */
export interface StateChange {
  /** `false` only takes effect where nothing says `true`. */
  readonly formed?: boolean;
  /** ISO 8601: a person agreed that every volume is lost. Takes back that the cluster was formed. */
  readonly clearedAt?: string;
  readonly nodes?: readonly NodeLine[];
  readonly spec?: ClusterSpec;
  readonly budgets?: string;
  readonly configDigest?: string;
}

type StringMap = Readonly<Record<string, string>>;

/**
 * @param now what NAME-state holds; null = there is none
 * @param record what is known besides: of a cluster that an older version made, or whose NAME-state was deleted
 */
export function changedState(now: StringMap | null, record: ClusterRecord, change: StateChange): StringMap {
  const known = { ...takenOver(record), ...now };
  const { nodes, spec, budgets, configDigest } = change;
  return {
    ...withMark(known, record, change),
    ...(nodes === undefined ? {} : { [NODES_KEY]: renderNodeTable(nodes) }),
    ...(spec === undefined ? {} : { [SPEC_KEY]: JSON.stringify(spec) }),
    ...(budgets === undefined ? {} : { [BUDGETS_KEY]: budgets }),
    ...(configDigest === undefined ? {} : { [CONFIG_DIGEST_KEY]: configDigest }),
  };
}

/** That the cluster was never formed is not taken over: it may come from a manifest. */
function takenOver({ nodes, spec, budgets }: ClusterRecord): StringMap {
  return {
    ...(nodes.length === 0 ? {} : { [NODES_KEY]: renderNodeTable(nodes) }),
    ...(spec === null ? {} : { [SPEC_KEY]: JSON.stringify(spec) }),
    ...(budgets === null ? {} : { [BUDGETS_KEY]: budgets }),
  };
}

function withMark(known: StringMap, record: ClusterRecord, { formed, clearedAt }: StateChange): StringMap {
  if (clearedAt !== undefined) return { ...known, [FORMED_KEY]: 'false', [CLEARED_KEY]: clearedAt };
  if (formed === true || record.formed === true || known[FORMED_KEY] === 'true') {
    const { [CLEARED_KEY]: _, ...rest } = known;
    return { ...rest, [FORMED_KEY]: 'true' };
  }
  return formed === false ? { ...known, [FORMED_KEY]: 'false' } : known;
}
