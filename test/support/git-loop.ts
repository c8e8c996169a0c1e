/** What a GitOps tool does: the same manifests, applied again and again by the real kubectl, whatever else is going on. */
import { setTimeout as delay } from 'node:timers/promises';
import { kubectl } from './cli.ts';

export type Way = 'client-side apply' | 'server-side apply with force' | 'replace';

/** As managedFields call who does it. */
export const MANAGERS: Readonly<Record<Way, string>> = {
  'client-side apply': 'kubectl-client-side-apply',
  'server-side apply with force': 'argocd-controller',
  replace: 'kubectl-replace',
};

const COMMANDS: Readonly<Record<Way, readonly string[]>> = {
  'client-side apply': ['apply', '-f', '-'],
  'server-side apply with force': [
    'apply',
    '--server-side',
    '--force-conflicts',
    `--field-manager=${MANAGERS['server-side apply with force']}`,
    '-f',
    '-',
  ],
  replace: ['replace', '-f', '-'],
};

export interface GitLoop {
  /** Ends it. @returns how often the manifests were applied */
  stop(): Promise<number>;
  /** Resolves when they have been applied once more, from the first object to the last. @throws where kubectl can't */
  again(): Promise<void>;
}

/** Applies at once, and then every so often until it is stopped. An object that others write at the same time is left for the next time. */
export function startGitLoop(
  env: { readonly namespace: string },
  manifests: string,
  way: Way,
  everyMs: number,
): GitLoop {
  const stop = new AbortController();
  let times = 0;
  const apply = async (): Promise<void> => {
    const { code, stderr } = await kubectl(COMMANDS[way], { ...env, input: manifests });
    if (code !== 0 && !/the object has been modified|Conflict|not found|AlreadyExists/.test(stderr))
      throw new Error(stderr);
    times += 1;
  };
  let turn = apply();
  const loop = (async (): Promise<void> => {
    while (!stop.signal.aborted) {
      await turn;
      await delay(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
      if (!stop.signal.aborted) turn = apply();
    }
    await turn;
  })();
  // Whoever stops it hears of it.
  loop.catch(() => undefined);
  return {
    stop: async () => {
      stop.abort();
      await loop;
      return times;
    },
    again: async () => {
      // The one that is under way may have begun before.
      await turn;
      await apply();
    },
  };
}
