/**
 * Restarts the pod of a node: evicts it, waits for its successor, and then until that is the same node again (law L1) and in step:
 * everything that its primary had when the link came up, and all others see it. Only then may the next one go.
 */
import { POD_NAME_LABEL } from '../../cluster/model/labels.ts';
import { AppError } from '../../errors.ts';
import { listNames } from '../../cluster/model/list-names.ts';
import type { PodFacts } from '../../cluster/model/observation.ts';
import type { Step, StepNode } from '../../cluster/model/plan.ts';
import type { KubePort } from '../ports.ts';
import type { Report } from '../report.ts';
import { inAllViews } from './in-views.ts';
import { onNode, podOf, type RedisStepDeps } from './redis-steps.ts';
import { waitPods } from './wait-pods.ts';

type RestartStep = Extract<Step, { kind: 'restart-pod' }>;

const EVICT_EVERY_MS = 1_000;
const LOOK_EVERY_MS = 100;
const ASK_DEADLINE_MS = 2_000;

export interface RestartPodDeps extends RedisStepDeps {
  readonly kube: KubePort;
  readonly report: Report;
  /** For each of: the budget, the start, the copy of the data. */
  readonly timeoutMs: number;
  /** The command that goes on from here, for the error's hint. */
  readonly resume: string;
}

/** @throws AppError `budget`, `node-changed`, `not-in-step`, and those of waitPods */
export async function restartPod(deps: RestartPodDeps, step: RestartStep): Promise<void> {
  await evict(deps, step);
  const successor = await awaitSuccessor(deps, step);
  await awaitInStep(deps, step.node, successor);
}

/** A budget says no while another pod of the shard is away: then that one must come back first. */
async function evict(deps: RestartPodDeps, step: RestartStep): Promise<void> {
  const { kube, clock, report, signal, timeoutMs, resume } = deps;
  const role = await roleOf(deps, step);
  const deadline = clock.monotonic() + timeoutMs;
  let told = false;
  for (;;) {
    const answer = await kube.evict(step.pod, step.podUid);
    if (answer.kind !== 'not-now') return;
    if (!told) report({ kind: 'trouble', sentence: `${step.pod} may not go yet: ${answer.why}; waiting` });
    told = true;
    if (clock.monotonic() > deadline) {
      throw new AppError(`${step.pod} may not be evicted, for ${timeoutMs / 1000} s now`, {
        code: 'budget',
        cause: new Error(answer.why),
        hint: `Look at kubectl get poddisruptionbudgets; ${resume} goes on from here`,
      });
    }
    await clock.sleep(EVICT_EVERY_MS, signal);
    // Who leads by now would be away as the only one: what comes before a primary's restart was not done.
    const now = await roleOf(deps, step);
    if (role !== null && now !== null && now !== role)
      throw new AppError(`${step.pod} is a ${now} by now, and was a ${role}`, {
        code: 'role-changed',
        hint: `It was not restarted; ${resume} goes on from here`,
      });
  }
}

/** null = it can't be asked. */
async function roleOf(deps: RestartPodDeps, { node }: RestartStep): Promise<string | null> {
  try {
    const [info] = await onNode(deps, podOf(deps, node), node, [['INFO', 'replication']]);
    if (/^role:master/m.test(String(info))) return 'primary';
    return /^role:slave/m.test(String(info)) ? 'replica' : null;
  } catch {
    return null;
  }
}

async function awaitSuccessor(deps: RestartPodDeps, { pod, podUid }: RestartStep): Promise<PodFacts> {
  let latest: PodFacts | null = null;
  const kube: KubePort = {
    ...deps.kube,
    // The old pod is still there, and may look ready, until its stop script has ended.
    watchPods: (selector, onChange, signal) =>
      deps.kube.watchPods(
        selector,
        (pods) => {
          const others = pods.filter(({ uid }) => uid !== podUid);
          latest = others.find(({ name }) => name === pod) ?? latest;
          onChange(others);
        },
        signal,
      ),
  };
  const answers = async (one: PodFacts): Promise<boolean> =>
    (await deps.redis.ask(one, { deadlineMs: ASK_DEADLINE_MS })).kind === 'answered';
  await waitPods({ ...deps, kube, answers, selector: `${POD_NAME_LABEL}=${pod}` }, [pod]);
  if (latest !== null) return latest;
  throw new AppError(`${pod} did not come back`, { code: 'pods-timeout', hint: `${deps.resume} goes on from here` });
}

async function awaitInStep(deps: RestartPodDeps, node: StepNode, successor: PodFacts): Promise<void> {
  const { clock, report, signal, timeoutMs, resume } = deps;
  const look = stepWatcher(deps, node, successor);
  const deadline = clock.monotonic() + timeoutMs;
  let said = '';
  for (;;) {
    const missing = await look();
    if (missing === null) return;
    if (missing !== said) report({ kind: 'agreeing', sentence: missing });
    said = missing;
    if (clock.monotonic() > deadline) {
      throw new AppError(`${node.pod} was not in step again within ${timeoutMs / 1000} s`, {
        code: 'not-in-step',
        cause: new Error(missing),
        hint: `kubectl redis check says what is wrong; --timeout gives it more time; ${resume} goes on from here`,
      });
    }
    await clock.sleep(LOOK_EVERY_MS, signal);
  }
}

/** @returns looks once; null when it is in step, else what is missing */
function stepWatcher(deps: RestartPodDeps, node: StepNode, pod: PodFacts): () => Promise<string | null> {
  const { observation, redis } = deps;
  const byId = new Map(
    observation.replies.flatMap(({ pod: name, reply }) =>
      reply.kind === 'answered' ? [[reply.answer.myId, name]] : [],
    ),
  );
  const inAll = inAllViews(deps, node);
  /** What the primary had when the link was first seen up: fixed, because a busy primary is always a little ahead. */
  let goal: number | null = null;
  return async () => {
    const reply = await redis.ask(pod, { deadlineMs: ASK_DEADLINE_MS });
    if (reply.kind !== 'answered') return `${node.pod} does not answer yet (${reply.why}: ${reply.detail})`;
    const { myId, clusterInfo, info, view } = reply.answer;
    if (myId !== node.nodeId) throw otherNode(node, myId);
    if (clusterInfo.state !== 'ok') return `${node.pod} does not say ok yet`;
    if (info.role === 'replica') {
      if (info.primaryLinkUp !== true || info.syncInProgress) return `${node.pod} is copying from its primary`;
      const primaryId = view.find((line) => line.nodeId === myId)?.primaryId;
      const primary = observation.kube.pods.find(({ name }) => name === byId.get(primaryId ?? ''));
      goal ??= primary === undefined ? 0 : await offsetOf(deps, primary);
      if (info.replicationOffset < goal)
        return `${node.pod} is ${goal - info.replicationOffset} bytes behind its primary`;
    }
    const blind = await inAll((line) => line !== null && line.linkUp && !line.failing);
    if (blind.length === 0) return null;
    return `${listNames(blind)} ${blind.length === 1 ? 'does' : 'do'} not see ${node.pod} yet`;
  };
}

async function offsetOf({ redis }: RestartPodDeps, primary: PodFacts): Promise<number> {
  const reply = await redis.ask(primary, { deadlineMs: ASK_DEADLINE_MS });
  return reply.kind === 'answered' ? reply.answer.info.replicationOffset : 0;
}

function otherNode(node: StepNode, myId: string): AppError {
  return new AppError(`${node.pod} came back as node ${myId.slice(0, 8)} and was ${node.nodeId.slice(0, 8)}`, {
    code: 'node-changed',
    cause: new Error('its volume was empty, or another one'),
    hint: 'Look at kubectl redis status before anything else is restarted',
  });
}
