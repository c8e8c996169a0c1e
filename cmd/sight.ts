/** What `check`, `status` and whoever judges a cluster look at: one that is there, or one that was recorded. */
import { usageError } from '../pkg/errors.ts';
import type { Deps } from './deps.ts';
import { text } from './flags.ts';
import type { Globals } from './global-flags.ts';
import { lookAt, sayGaps, withSession, type Seen } from './look-at.ts';

export const recordFlags = {
  record: text({
    placeholder: 'FILE',
    completes: 'file',
    summary: 'Also write all that was seen to a file, without passwords: for a report, or to look at it again with -f',
  }),
  file: text({
    alias: 'f',
    placeholder: 'FILE',
    completes: 'file',
    summary: 'Look at what --record wrote instead of a cluster; - is standard input',
  }),
} as const;

export interface SightRequest {
  readonly name: string | undefined;
  readonly globals: Globals;
  readonly record: string | undefined;
  readonly file: string | undefined;
}

/** With `-f`, no kubeconfig is read and nobody is asked. @throws AppError */
export async function withSight<T>(deps: Deps, request: SightRequest, use: (seen: Seen) => Promise<T>): Promise<T> {
  const { name, globals, record, file } = request;
  if (file !== undefined) {
    if (record !== undefined)
      throw usageError('--record and -f do not go together', 'what -f reads is recorded already');
    const { readRecord } = await import('./record.ts');
    const seen = await readRecord(file, name);
    sayGaps(deps, seen.state);
    return use(seen);
  }
  return withSession(deps, globals, async (session) => {
    const seen = await lookAt(deps, session, { name, globals }, { thorough: true });
    sayGaps(deps, seen.state);
    if (record !== undefined) {
      const { writeRecord } = await import('./record.ts');
      await writeRecord(record, seen.observation, deps);
    }
    return use(seen);
  });
}
