/** The `restart` that works, for hints. Pure. */
import type { ClusterNode } from '../model/state.ts';
import { reads, whyOlderThan } from './server-version.ts';

/**
 * The command that restarts what is left, or finishes an upgrade. Where a server is newer than what is recorded, `restart` refuses the recorded
 * image (law L14): then with the image that the newest server runs, or with a gap to fill, where that one's name says an older version.
 *
 * @param image that is recorded; null = not known
 */
export function restartCommand(
  name: string,
  image: string | null,
  nodes: readonly Pick<ClusterNode, 'reply' | 'pod'>[],
): string {
  const restart = `kubectl redis restart ${name}`;
  if (image === null || whyOlderThan(image, nodes) === null) return restart;
  const servers = nodes.flatMap(({ reply, pod }) =>
    reply?.kind === 'answered' ? [{ info: reply.answer.info, image: pod?.container.image ?? '' }] : [],
  );
  const newest = servers.find(({ info }) => servers.every((other) => reads(info, other.info)));
  const known = newest !== undefined && newest.image !== '' && whyOlderThan(newest.image, nodes) === null;
  return `${restart} --image ${known ? newest.image : 'IMAGE'}`;
}
