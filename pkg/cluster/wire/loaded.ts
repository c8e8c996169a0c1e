/**
 * What a node tells of a start with older data that a person asked for (history.sh of pkg/pod/scripts), in the text of its
 * `proc-title-template`: ` loaded:DATA=START=STATE`. Read here and nowhere else. Pure.
 */
export interface LoadedData {
  /** Of when the data was, in seconds since 1970. */
  readonly dataAt: number;
  readonly startedAt: number;
  /** It has led with that, as is known since it follows one that went on from there; false while it may yet copy one that has more. */
  readonly led: boolean;
}

/** null = it tells of none: a server before 6.2, or a user who may not ask, does not tell at all. */
export function readLoaded(title: string | undefined): LoadedData | null {
  const found = / loaded:(\d{1,11})=(\d{1,11})=(led|-)(?: |$)/.exec(title ?? '');
  if (found === null) return null;
  const [, dataAt, startedAt, state] = found;
  return { dataAt: Number(dataAt), startedAt: Number(startedAt), led: state === 'led' };
}
