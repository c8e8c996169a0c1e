/** Keys of labels and annotations that the planner and the checks read. pkg/pod/annotations.ts documents all of ours. */

export const CLUSTER_LABEL = 'kubectl-redis.io/cluster';
export const SHARD_LABEL = 'kubectl-redis.io/shard';
/** Name of the node: of its Service, too. */
export const NODE_LABEL = 'name';
export const MANAGED_BY_LABEL = 'app.kubernetes.io/managed-by';
export const MANAGED_BY = 'kubectl-redis';

/** On Service NAME: the desired shape, for people and for `interpret`. */
export const MASTERS_ANNOTATION = 'kubectl-redis.io/masters';
export const REPLICAS_ANNOTATION = 'kubectl-redis.io/replicas';
/**
 * The whole ClusterSpec as JSON. On Service NAME: a copy for people, and the wish where a manifest is applied before the first `create`. On
 * a StatefulSet: a copy for when everything else is gone.
 */
export const SPEC_ANNOTATION = 'kubectl-redis.io/spec';
/** On a StatefulSet's template and so on its pod: the address that the node announces. */
export const ANNOUNCE_ANNOTATION = 'kubectl-redis.io/announce-ip';
/** On a StatefulSet's template and so on its pod, and a key of the ConfigMap: which spec it was rendered from. */
export const SPEC_HASH_ANNOTATION = 'kubectl-redis.io/spec-hash';
/** On a StatefulSet's template and so on its pod: when the restart that made it was asked for. */
export const RESTARTED_ANNOTATION = 'kubectl-redis.io/restarted-at';
/** On a pod whose template is not ours: it is to be restarted, as was asked for then. Its successor lacks it. */
export const RESTART_ANNOTATION = 'kubectl-redis.io/restart';
/** On a StatefulSet whose pod had been refused: when its controller was asked to try again. */
export const TRIED_ANNOTATION = 'kubectl-redis.io/tried-at';
/** On a pod: who completed it. */
export const INJECTED_ANNOTATION = 'kubectl-redis.io/injected';
/** On a pod: the name of its container that runs Redis. */
export const CONTAINER_ANNOTATION = 'kubectl-redis.io/container';
/** On a pod that asks the webhook: lines of redis.conf. */
export const CONFIG_ANNOTATION = 'kubectl-redis.io/config';
/** On a claim that no pod uses, `true`: a person knows of it, and `check` need not name it. */
export const SET_ASIDE_ANNOTATION = 'kubectl-redis.io/set-aside';
/** On the Lease: the verb that is changing the cluster, and how far it is. */
export const VERB_ANNOTATION = 'kubectl-redis.io/verb';
export const PROGRESS_ANNOTATION = 'kubectl-redis.io/progress';
/** Key of ConfigMap NAME-config. */
export const SPEC_HASH_KEY = 'spec-hash';
/**
 * Keys of ConfigMap NAME-state, which no printed manifest holds. Older versions kept the first three in NAME-config; there they are a
 * copy now, and only as long as pods are there that know no other place.
 */
export const FORMED_KEY = 'formed';
export const NODES_KEY = 'nodes';
/** Budgets that were made for pods that people brought: `SHARD:MEMBERS`, with spaces between them. */
export const BUDGETS_KEY = 'budgets';
/** The whole ClusterSpec as JSON, with marks of restarts and an unfinished change of shape. */
export const SPEC_KEY = 'spec';
/** Digest of what NAME-config was last rendered to. */
export const CONFIG_DIGEST_KEY = 'config-digest';
/** Whose record it is: a copy or restore of it elsewhere names addresses of the namespace that it came from. */
export const NAMESPACE_KEY = 'namespace';
/** When a person agreed that every volume is lost: what volumes remember of the cluster does not count since then. */
export const CLEARED_KEY = 'cleared';
/** A StatefulSet's controller puts these on its pods. */
export const REVISION_LABEL = 'controller-revision-hash';
export const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name';
