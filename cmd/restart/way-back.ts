/** The way back from an image that does not start: all templates name it by then, so that to go on would only meet it again. */
import { goBackTo, runningImage } from '../../pkg/cluster/check/images.ts';
import { AppError } from '../../pkg/errors.ts';
import type { PreparedRestart } from '../../pkg/engine/restart.ts';

/** Codes of waits for a pod that did not come, and of one that came and can't go on. */
const POD_FAILED = /^pods?-|^not-in-step$/;

/** The error with the command that goes back in its hint; as it was where no other image runs, or no pod failed. */
export function withWayBack(error: unknown, { target, seen, cluster }: PreparedRestart): unknown {
  const wanted = target?.spec?.image;
  const runs = runningImage(seen);
  if (!(error instanceof AppError) || !POD_FAILED.test(error.code)) return error;
  if (wanted === undefined || runs === null || runs === wanted) return error;
  const command = goBackTo(runs, seen.state);
  if (command === null) return error;
  const back = `${command} -n ${cluster.namespace} goes back to the image that the other pods run`;
  return new AppError(error.message, {
    code: error.code,
    exitCode: error.exitCode,
    cause: error.cause,
    hint:
      error.hint === undefined
        ? back
        : `${back}. To stay with ${wanted}: ${error.hint.charAt(0).toLowerCase()}${error.hint.slice(1)}`,
  });
}
