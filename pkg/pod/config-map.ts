/** ConfigMap NAME-config: redis.conf and scripts. What must be remembered is not in it: manifests of people overwrite it. */
import { FORMED_KEY, NODES_KEY, SPEC_HASH_KEY } from '../cluster/model/labels.ts';
import { renderNodeTable, type NodeLine } from '../cluster/model/node-table.ts';
import { specHash, type ClusterSpec } from '../cluster/model/spec.ts';
import { clusterLabels, NOT_PRUNED } from './labels.ts';
import type { Manifest } from './manifest.ts';
import { configName } from './names.ts';
import { renderRedisConf } from './redis-conf.ts';
import commonScript from './scripts/common.sh';
import guardScript from './scripts/guard.sh';
import heirScript from './scripts/heir.sh';
import historyScript from './scripts/history.sh';
import linksScript from './scripts/links.sh';
import peersScript from './scripts/peers.sh';
import probeScript from './scripts/probe.sh';
import rejoinScript from './scripts/rejoin.sh';
import startScript from './scripts/start.sh';
import stopScript from './scripts/stop.sh';
import validityScript from './scripts/validity.sh';
import volumeScript from './scripts/volume.sh';

/** What older versions kept in NAME-config, for pods that know no other place. */
export interface OldRecord {
  /** Only `false` lets a node start without data and without asking anybody; null = not known, and nothing is said. */
  readonly formed: boolean | null;
  readonly nodes: readonly NodeLine[];
}

/** @param copy null = every pod reads NAME-state */
export function configMap(spec: ClusterSpec, copy: OldRecord | null = null): Manifest {
  const { name, namespace } = spec.cluster;
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      name: configName(name),
      namespace,
      labels: clusterLabels(name, 'config'),
      annotations: NOT_PRUNED,
    },
    data: { ...renderedFiles(spec), [SPEC_HASH_KEY]: specHash(spec), ...(copy === null ? {} : oldKeys(copy)) },
  };
}

/** What pods read of it, by file. */
export function renderedFiles(spec: ClusterSpec): Readonly<Record<string, string>> {
  return {
    'redis.conf': renderRedisConf(spec),
    'start.sh': startScript,
    'common.sh': commonScript,
    'guard.sh': guardScript,
    'heir.sh': heirScript,
    'history.sh': historyScript,
    'peers.sh': peersScript,
    'rejoin.sh': rejoinScript,
    'links.sh': linksScript,
    'probe.sh': probeScript,
    'stop.sh': stopScript,
    'validity.sh': validityScript,
    'volume.sh': volumeScript,
  };
}

export function oldKeys({ formed, nodes }: OldRecord): Record<string, string> {
  return { [NODES_KEY]: renderNodeTable(nodes), ...(formed === null ? {} : { [FORMED_KEY]: String(formed) }) };
}
