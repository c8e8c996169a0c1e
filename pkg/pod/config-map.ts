/** ConfigMap NAME-config: everything that the pods mount at /etc/redis. */
import { FORMED_KEY, NODES_KEY, SPEC_HASH_KEY } from '../cluster/model/labels.ts';
import { nodeName, ordinalsOf, shardOf, specHash, type ClusterSpec } from '../cluster/model/spec.ts';
import { clusterLabels } from './labels.ts';
import type { Manifest } from './manifest.ts';
import { configName } from './names.ts';
import { renderNodeTable, type NodeLine } from '../cluster/model/node-table.ts';
import { renderRedisConf } from './redis-conf.ts';
import commonScript from './scripts/common.sh';
import guardScript from './scripts/guard.sh';
import linksScript from './scripts/links.sh';
import probeScript from './scripts/probe.sh';
import rejoinScript from './scripts/rejoin.sh';
import startScript from './scripts/start.sh';
import stopScript from './scripts/stop.sh';
import validityScript from './scripts/validity.sh';

/**
 * @param facts.addresses ClusterIP by ordinal; nodes without one yet get a `-`
 * @param facts.nodes the table of nodes, where the spec does not say which there are
 * @param facts.formed whether the first MEET was, or is about to be, sent; only `false` lets a node start without data
 * and without asking anybody
 */
export function configMap(
  spec: ClusterSpec,
  facts: {
    readonly addresses: ReadonlyMap<number, string>;
    readonly formed: boolean;
    readonly nodes?: readonly NodeLine[];
  },
): Manifest {
  const { name, namespace } = spec.cluster;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: configName(name), namespace, labels: clusterLabels(name, 'config') },
    data: {
      'redis.conf': renderRedisConf(spec),
      'start.sh': startScript,
      'common.sh': commonScript,
      'guard.sh': guardScript,
      'rejoin.sh': rejoinScript,
      'links.sh': linksScript,
      'probe.sh': probeScript,
      'stop.sh': stopScript,
      'validity.sh': validityScript,
      [NODES_KEY]: renderNodeTable(facts.nodes ?? nodesOf(spec, facts.addresses)),
      [FORMED_KEY]: String(facts.formed),
      [SPEC_HASH_KEY]: specHash(spec),
    },
  };
}

/** The nodes of the spec, and those whose addresses are known besides. */
function nodesOf(spec: ClusterSpec, addresses: ReadonlyMap<number, string>): NodeLine[] {
  const ordinals = [...new Set([...ordinalsOf(spec), ...addresses.keys()])];
  return ordinals.map((ordinal) => ({
    ordinal,
    node: nodeName(spec.cluster.name, ordinal),
    address: addresses.get(ordinal) ?? null,
    shard: shardOf(spec, ordinal),
  }));
}
