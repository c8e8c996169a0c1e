/** What a line of CLUSTER NODES says of a node that is not well. */

/** FAIL or PFAIL or without an address, as the view has it. */
export function isSeenDown(flags: readonly string[]): boolean {
  return flags.some((flag) => flag === 'fail' || flag === 'fail?' || flag === 'noaddr');
}
