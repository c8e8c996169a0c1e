/** Small steps of `restart`: marks on pods whose templates are not ours, and directives that a server takes while it runs. */
import { AppError } from '../../errors.ts';
import { RESTART_ANNOTATION } from '../../cluster/model/labels.ts';
import type { Step } from '../../cluster/model/plan.ts';
import { liveText } from '../../pod/live-config.ts';
import type { KubePort } from '../ports.ts';
import { isLostRace } from '../races.ts';
import { onNode, podOf, type RedisStepDeps } from './redis-steps.ts';

type Of<K extends Step['kind']> = Extract<Step, { kind: K }>;

/** A pod that went meanwhile needs no mark: its successor is new. */
export async function markPods(kube: KubePort, { pods, at }: Of<'mark-pods'>): Promise<void> {
  for (const { pod, podUid } of pods) {
    try {
      await kube.apply({
        apiVersion: 'v1',
        kind: 'Pod',
        // The server refuses when a pod of that name is another one.
        metadata: { name: pod, uid: podUid, annotations: { [RESTART_ANNOTATION]: at } },
      });
    } catch (error) {
      const gone = error instanceof AppError && (error.code === 'invalid' || error.code === 'not-found');
      if (!gone && !isLostRace(error)) throw error;
    }
  }
}

/** @throws AppError `config-fixed` where the server can't change it while it runs, `config-refused` for a value that it does not take */
export async function setConfig(deps: RedisStepDeps, { node, directives }: Of<'set-config'>): Promise<void> {
  const entries = Object.entries(directives);
  // Each in a command of its own: before 7.0 a command sets one.
  const commands = entries.map(([name, value]) => ['CONFIG', 'SET', name, liveText(value) ?? value] as const);
  const replies = await onNode(deps, podOf(deps, node), node, commands);
  const at = replies.findIndex((reply) => reply instanceof Error);
  const failed = replies[at];
  if (!(failed instanceof Error)) return;
  const [name = '', value = ''] = entries[at] ?? [];
  const fixed = /immutable|unsupported config|unknown option|protected config/i.test(failed.message);
  throw new AppError(
    fixed ? `${node.pod} can't change ${name} while it runs` : `${node.pod} does not take ${name} ${value}`,
    {
      code: fixed ? 'config-fixed' : 'config-refused',
      cause: failed,
      hint: 'Nothing was recorded; directives that were set before this one stay as they were set until a pod restarts',
    },
  );
}
