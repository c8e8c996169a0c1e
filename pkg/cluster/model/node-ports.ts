/** Where a node listens: for clients, and for the other nodes (https://redis.io/docs/latest/operate/oss_and_stack/management/scaling/). */
export const REDIS_PORT = 6379;
export const BUS_PORT = 16379;
/** Of the Service alone, and leads to the same: who is told of it dials anew (pkg/pod/scripts/links.sh). */
export const SECOND_BUS_PORT = 16380;
