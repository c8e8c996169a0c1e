/**
 * INFO keyspace (https://redis.io/docs/latest/commands/info/): `db0:keys=12,expires=0,avg_ttl=0`, a line for each database that holds
 * keys. A cluster has database 0 only; Valkey from 9.0 on may have more (cluster-databases), and counts the keys of a slot, as DBSIZE
 * and GETKEYSINSLOT do, in the one that is selected. Pure.
 */

/** Keys of all databases. */
export function keysOfAll(info: string): number {
  return [...keysByDatabase(info).values()].reduce((sum, keys) => sum + keys, 0);
}

/** Databases other than 0 that hold keys. */
export function otherDatabases(info: string): readonly number[] {
  return [...keysByDatabase(info).keys()].filter((database) => database !== 0);
}

/** Database -> keys; one without is left out. */
export function keysByDatabase(info: string): ReadonlyMap<number, number> {
  return new Map(
    [...info.matchAll(/^db(\d+):keys=(\d+)/gm)].map(([, database, keys]) => [Number(database), Number(keys)]),
  );
}
