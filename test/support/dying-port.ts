/** A process that is killed at a command: before it is sent, or after it was sent and before its reply was read (law L12). */
import type { RedisCommand, RedisPort } from '../../pkg/engine/ports.ts';

export interface Dying {
  readonly run: RedisPort['run'];
  /** Commands that change a node, so far. */
  readonly changes: () => number;
}

/** The port's `run` until its `at`-th use that changes something, and never again from then on. */
export function dyingRun(
  real: Pick<RedisPort, 'run'>,
  at: number,
  when: 'before' | 'after',
  isChange: (command: RedisCommand) => boolean,
): Dying {
  let changes = 0;
  return {
    changes: () => changes,
    run: async (pod, commands, deadlineMs) => {
      if (!commands.some(isChange)) return real.run(pod, commands, deadlineMs);
      changes += 1;
      const dies = changes >= at;
      if (dies && when === 'before') throw new Error('killed before sending');
      const replies = await real.run(pod, commands, deadlineMs);
      if (dies) throw new Error('killed before the reply was read');
      return replies;
    },
  };
}
