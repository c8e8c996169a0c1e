/** ConfigMap NAME-config: everything that the pods mount at /etc/redis. */
import { FORMED_KEY, NODES_KEY, SPEC_HASH_KEY } from '../cluster/model/labels.ts';
import { nodeName, ordinalsOf, shardOf, specHash, type ClusterSpec } from '../cluster/model/spec.ts';
import { clusterLabels } from './labels.ts';
import type { Manifest } from './manifest.ts';
import { configName } from './names.ts';
import { renderRedisConf } from './redis-conf.ts';
import commonScript from './scripts/common.sh';
import guardScript from './scripts/guard.sh';
import probeScript from './scripts/probe.sh';
import rejoinScript from './scripts/rejoin.sh';
import startScript from './scripts/start.sh';
import stopScript from './scripts/stop.sh';
import validityScript from './scripts/validity.sh';

/**
 * @param facts.addresses ClusterIP by ordinal; nodes without one yet get a `-`
 * @param facts.formed whether the first MEET was, or is about to be, sent; only `false` lets a node start without data
 * and without asking anybody
 */
export function configMap(
  spec: ClusterSpec,
  facts: { readonly addresses: ReadonlyMap<number, string>; readonly formed: boolean },
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
      'probe.sh': probeScript,
      'stop.sh': stopScript,
      'validity.sh': validityScript,
      [NODES_KEY]: renderNodes(spec, facts.addresses),
      [FORMED_KEY]: String(facts.formed),
      [SPEC_HASH_KEY]: specHash(spec),
    },
  };
}

/** Lines `N NODE-NAME ADDRESS SHARD`, which the guard reads. */
function renderNodes(spec: ClusterSpec, addresses: ReadonlyMap<number, string>): string {
  const known = [...addresses.keys()].filter((ordinal) => !ordinalsOf(spec).includes(ordinal));
  const ordinals = [...ordinalsOf(spec), ...known].sort((a, b) => a - b);
  return ordinals
    .map((n) => {
      const shard = shardOf(spec, n);
      return `${n} ${nodeName(spec.cluster.name, n)} ${addresses.get(n) ?? '-'} ${shard}\n`;
    })
    .join('');
}
