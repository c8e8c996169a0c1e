/** Keys of ours on Kubernetes objects that the pure half reads (DESIGN section 1). */

/** Number of the shard that a pod belongs to, on pods and templates. */
export const SHARD_LABEL = 'kubectl-redis.io/shard';
/** Name of the node's own Service, on pods and templates: `redis-3`. */
export const NODE_LABEL = 'name';
/** Desired number of primaries, on Service NAME. */
export const MASTERS_ANNOTATION = 'kubectl-redis.io/masters';
/** Desired replicas per primary, on Service NAME. */
export const REPLICAS_ANNOTATION = 'kubectl-redis.io/replicas';
/** Key in ConfigMap NAME-config: `true` once the first MEET may have been sent. */
export const FORMED_KEY = 'formed';
