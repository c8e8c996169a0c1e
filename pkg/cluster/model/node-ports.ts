/** Where a node listens: for clients, and for the other nodes (https://redis.io/docs/latest/operate/oss_and_stack/management/scaling/). */
export const REDIS_PORT = 6379;
export const BUS_PORT = 16379;
