/**
 * Commands and replies that need not be text. Names of keys are any bytes: what one server lists is passed on to the next
 * command as the Buffers that it came in.
 */

/** A list of strings: what GETKEYSINSLOT returns and what MIGRATE takes behind KEYS. */
export type WireList = readonly Buffer[];

export type WireArgument = string | number | Buffer | WireList;
export type WireCommand = readonly [name: string, ...args: WireArgument[]];

export function isWireList(value: unknown): value is WireList {
  return Array.isArray(value) && value.every((item) => Buffer.isBuffer(item));
}
