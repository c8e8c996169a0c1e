/**
 * What a reply to MIGRATE means (https://redis.io/docs/latest/commands/migrate/). Pure.
 *
 *   moved      OK, or NOKEY: all keys had gone or expired meanwhile
 *   unknown    no answer from the target in time: keys may be on both sides (law L12)
 *   closed     the target does not import the slot (any more)
 *   not-ready  the target's own state is not ok yet (law L10), or it loads
 *   exists     some of the keys are at the target, too; the others moved
 *   full       the target is out of memory; nothing is lost
 *   fatal      trying again would not help
 */
export type MigrateOutcome = 'moved' | 'unknown' | 'closed' | 'not-ready' | 'exists' | 'full' | 'fatal';

const FROM_TARGET = 'ERR Target instance replied with error: ';

export function readMigrateReply(reply: unknown): MigrateOutcome {
  if (!(reply instanceof Error)) return 'moved';
  const { message } = reply;
  if (message.startsWith('IOERR')) return 'unknown';
  if (!message.startsWith(FROM_TARGET)) return 'fatal';
  const said = message.slice(FROM_TARGET.length).replace(/^-/, '');
  if (said.startsWith('MOVED') || said.startsWith('ASK')) return 'closed';
  if (/^(CLUSTERDOWN|LOADING|BUSY\b|TRYAGAIN)/.test(said)) return 'not-ready';
  if (said.startsWith('BUSYKEY')) return 'exists';
  if (said.startsWith('OOM')) return 'full';
  return 'fatal';
}
