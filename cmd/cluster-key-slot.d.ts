declare module 'cluster-key-slot' {
  /** The hash slot of a key, 0 to 16383, hash tags included. */
  function keySlot(key: string | Uint8Array): number;
  export = keySlot;
}
