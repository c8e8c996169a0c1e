/**
 * Values that our own scripts and moves set on a running node for a while, and who puts each of them back. `check` does not report
 * them and `fix` does not fight with who set them; anything else that differs is somebody's, and is reported.
 *
 * | directive                       | set to                      | by, and while                            | put back by            |
 * | ------------------------------- | --------------------------- | ---------------------------------------- | ---------------------- |
 * | repl-timeout                    | 5, where more is configured | probe.sh, while a replica's link is down | probe.sh               |
 * | cluster-node-timeout, shorter   | 500 or 2000                 | `create`, while it forms the cluster     | `create`, else probe.sh |
 * |                                 | 6/10 of what is configured  | guard.sh, for a second try to be elected | probe.sh               |
 * |                                 | 1000                        | stop.sh, for a second try to hand over   | stop.sh, else probe.sh |
 * | cluster-node-timeout, longer    | some seconds and 1 to 97 ms | a move, while it moves one big key       | the move, else probe.sh |
 * | cluster-replica-validity-factor | 0, where 10 is configured   | probe.sh, see validity.sh                | probe.sh               |
 * | cluster-announce-bus-port       | 16380                       | links.sh, two minutes after a start      | links.sh, else probe.sh |
 *
 * So in pods that run our scripts the readiness probe is responsible for all of them in the end. In others only moves leave a value
 * behind, a longer cluster-node-timeout, when they are killed: `check` names it and `fix` puts it back.
 */

import { SECOND_BUS_PORT } from './node-ports.ts';

/** Servers with a link that is down give up a connection after so many seconds. */
const LINK_TIMEOUT_S = 5;
const SHORT_TIMEOUTS_MS: readonly number[] = [500, 1_000, 2_000];
const RETRY_SHARE = 0.6;
const MOST_MARK_MS = 97;

/**
 * cluster-node-timeout, in milliseconds, of nodes while one of them moves a big key: not less than what it needs, and odd, so that
 * it can be told from what people choose. `turn` should rise from key to key: a value that stays is one whose move is gone.
 */
export function moveTimeoutMs(neededMs: number, turn: number): number {
  return Math.ceil(neededMs / 1_000) * 1_000 + 1 + (turn % MOST_MARK_MS);
}

/** Whether a cluster-node-timeout is one that a move set. */
export function isMoveTimeout(value: string): boolean {
  const mark = Number(value) % 1_000;
  return Number(value) > 1_000 && mark >= 1 && mark <= MOST_MARK_MS;
}

/** Directives that are in the table above. */
export const PASSING_DIRECTIVES = [
  'repl-timeout',
  'cluster-node-timeout',
  'cluster-replica-validity-factor',
  'cluster-announce-bus-port',
] as const;

/** Whether `value` is one that our scripts set for a while where `usual` is configured. */
export function isPassing(directive: string, value: string, usual: string): boolean {
  const name = PASSING_DIRECTIVES.find((one) => one === directive);
  switch (name) {
    case 'repl-timeout':
      return Number(value) === LINK_TIMEOUT_S && Number(usual) > LINK_TIMEOUT_S;
    case 'cluster-node-timeout':
      return isPassingNodeTimeout(value, Number(usual));
    case 'cluster-replica-validity-factor':
      return value === '0' && usual === '10';
    case 'cluster-announce-bus-port':
      return value === String(SECOND_BUS_PORT);
    case undefined:
      return false;
    default:
      return name satisfies never;
  }
}

function isPassingNodeTimeout(value: string, usualMs: number): boolean {
  const ms = Number(value);
  if (ms > usualMs) return isMoveTimeout(value);
  return ms < usualMs && (SHORT_TIMEOUTS_MS.includes(ms) || ms === Math.floor(usualMs * RETRY_SHARE));
}
