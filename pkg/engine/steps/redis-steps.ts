/**
 * Steps on Redis nodes. Each is sent to a node whose id is checked on the same connection (law L1), and is over only when the
 * node itself shows the effect (never because it said OK).
 */
import { AppError, reasonOf } from '../../errors.ts';
import { nodeServiceOf } from '../../cluster/interpret/services.ts';
import { formatRanges, slotsFromRanges } from '../../cluster/model/slots.ts';
import type { Observation, PodFacts } from '../../cluster/model/observation.ts';
import type { Step, StepKind, StepNode } from '../../cluster/model/plan.ts';
import type { Clock, RedisCommand, RedisPort } from '../ports.ts';

export interface RedisStepDeps {
  readonly redis: RedisPort;
  readonly clock: Clock;
  readonly observation: Observation;
  readonly signal: AbortSignal;
}

type Of<K extends StepKind> = Extract<Step, { kind: K }>;

const COMMAND_DEADLINE_MS = 5_000;
/** A handshake takes a few hundred milliseconds; a lost packet one node-timeout. */
const VERIFY_DEADLINE_MS = 15_000;
const VERIFY_EVERY_MS = 15;
/** A handshake and gossip need a second or two; what lasts longer has failed, or does so within the node timeout. */
export const INTRODUCE_EVERY_MS = 5_000;

export async function addSlots(deps: RedisStepDeps, step: Of<'add-slots'>): Promise<void> {
  // One ADDSLOTS with every slot: ADDSLOTSRANGE is only known from 7.0 on, and both cost one write of nodes.conf.
  await command(
    deps,
    step.node,
    ['CLUSTER', 'ADDSLOTS', ...slotsFromRanges(step.ranges)],
    `slots ${formatRanges(step.ranges)}`,
  );
}

export async function setConfigEpoch(deps: RedisStepDeps, step: Of<'set-config-epoch'>): Promise<void> {
  const pod = podOf(deps, step.node);
  const reply = await onNode(deps, pod, step.node, [['CLUSTER', 'SET-CONFIG-EPOCH', step.epoch]]);
  // Refused once a node knows another or has an epoch; Redis itself then makes equal epochs differ.
  if (reply[0] instanceof Error && !/epoch|known nodes|other nodes/i.test(reply[0].message))
    throw failed(step.node, 'SET-CONFIG-EPOCH', reply[0]);
}

export async function setNodeTimeout(deps: RedisStepDeps, step: Of<'set-node-timeout'>): Promise<void> {
  await command(deps, step.node, ['CONFIG', 'SET', 'cluster-node-timeout', step.milliseconds], 'cluster-node-timeout');
}

/**
 * Law L2: the id of the one to be met is read over its own tunnel just before. While that connection lives, so does the pod,
 * and nobody else can have its IP. The pod's IP is used, not its Service's: kube-proxy may not know a new Service yet, and
 * gossip carries the announced address anyway. A handshake is given up after the node timeout, so a lost one is begun again.
 */
export async function meet(deps: RedisStepDeps, step: Of<'meet'>): Promise<void> {
  const pod = podOf(deps, step.node);
  const other = podOf(deps, step.other);
  if (other.uid !== step.otherUid) throw gone(step.other);
  const addresses = addressesOf(deps, other);
  let metAt = -Infinity;
  await until(deps, `${step.node.pod} knows ${step.other.pod} at ${[...addresses].join(' or ')}`, async () => {
    if (deps.clock.monotonic() - metAt >= INTRODUCE_EVERY_MS) {
      await onNode(deps, other, step.other, []);
      await checked(deps, pod, step.node, ['CLUSTER', 'MEET', other.ip, other.port], `meet ${step.other.pod}`);
      metAt = deps.clock.monotonic();
    }
    const line = lineOf(await nodesText(deps, pod, step.node), step.other.nodeId);
    // While it counts as failing, what another node remembers of its address may still overwrite it.
    return line !== undefined && !/handshake|fail\?/.test(line) && addresses.has(ipOf(line));
  });
}

/** Where a node may lawfully be known: at its pod's IP until it has said what it announces. */
function addressesOf({ observation }: RedisStepDeps, pod: PodFacts): ReadonlySet<string> {
  const reply = observation.replies.find((one) => one.pod === pod.name)?.reply;
  const answer = reply?.kind === 'answered' ? reply.answer : null;
  const own = answer?.view.find((line) => line.nodeId === answer.myId)?.ip;
  const announced = answer?.config?.['cluster-announce-ip'];
  // Who was put right by its start script, or by somebody, since it was looked at.
  const service = nodeServiceOf(pod, observation.kube)?.clusterIP;
  return new Set([pod.ip, own ?? '', announced ?? '', service ?? ''].filter((ip) => ip !== ''));
}

/** `10.0.0.1` of a line `ID 10.0.0.1:6379@16379,host master …`; '' where the address is unknown. */
function ipOf(line: string): string {
  const [address = ''] = (line.split(' ')[1] ?? '').split('@');
  return address.replace(/:\d*$/, '');
}

export async function replicate(deps: RedisStepDeps, step: Of<'replicate'>): Promise<void> {
  const pod = podOf(deps, step.node);
  await until(deps, `${step.node.pod} knows ${step.primary.pod}`, async () => {
    const line = lineOf(await nodesText(deps, pod, step.node), step.primary.nodeId);
    return line !== undefined && !line.includes('handshake') && line.includes('master');
  });
  await checked(deps, pod, step.node, ['CLUSTER', 'REPLICATE', step.primary.nodeId], `replicate ${step.primary.pod}`);
  await until(deps, `${step.node.pod} follows ${step.primary.pod}`, async () => {
    const [nodes, replication] = await onNode(deps, pod, step.node, [
      ['CLUSTER', 'NODES'],
      ['INFO', 'replication'],
    ]);
    const own = ownLineOf(String(nodes));
    const primary = lineOf(String(nodes), step.primary.nodeId);
    // What it follows by id, and where its replication goes: on every Redis the two can differ.
    const host = /^master_host:(.*?)\r?$/m.exec(String(replication))?.[1];
    return own !== undefined && primary !== undefined && own.includes(step.primary.nodeId) && host === ipOf(primary);
  });
}

/** A node's line in a reply of CLUSTER NODES. */
export function lineOf(nodes: string, nodeId: string): string | undefined {
  return nodes.split('\n').find((line) => line.startsWith(nodeId));
}

/** The line of whoever was asked. */
export function ownLineOf(nodes: string): string | undefined {
  return nodes.split('\n').find((line) => line.includes('myself'));
}

async function nodesText(deps: RedisStepDeps, pod: PodFacts, node: StepNode): Promise<string> {
  const [text] = await onNode(deps, pod, node, [['CLUSTER', 'NODES']]);
  return String(text);
}

async function command(deps: RedisStepDeps, node: StepNode, words: RedisCommand, what: string): Promise<void> {
  await checked(deps, podOf(deps, node), node, words, what);
}

async function checked(
  deps: RedisStepDeps,
  pod: PodFacts,
  node: StepNode,
  words: RedisCommand,
  what: string,
): Promise<void> {
  const [reply] = await onNode(deps, pod, node, [words]);
  if (reply instanceof Error) throw failed(node, what, reply);
}

/** Runs commands behind a CLUSTER MYID that must say the id which the plan is about. @returns the replies to `commands` */
export async function onNode(
  deps: RedisStepDeps,
  pod: PodFacts,
  node: StepNode,
  commands: readonly RedisCommand[],
): Promise<readonly unknown[]> {
  const myId: RedisCommand = ['CLUSTER', 'MYID'];
  // In a pipeline of its own: nothing may be sent to a node that turns out to be another one.
  const [id] = await deps.redis.run(pod, [myId], COMMAND_DEADLINE_MS);
  if (id instanceof Error) {
    const code = id.message.startsWith('LOADING') ? 'loading' : 'error';
    throw new AppError(`${node.pod} does not say which node it is: ${id.message}`, { code });
  }
  if (id !== node.nodeId) throw gone(node);
  return commands.length === 0 ? [] : deps.redis.run(pod, commands, COMMAND_DEADLINE_MS);
}

export function podOf(deps: RedisStepDeps, node: StepNode): PodFacts {
  const pod = deps.observation.kube.pods.find((candidate) => candidate.name === node.pod);
  if (pod === undefined) throw gone(node);
  return pod;
}

/** Polls until it holds. @throws AppError `not-verified` after the deadline */
export async function until(
  deps: RedisStepDeps,
  what: string,
  holds: () => Promise<boolean>,
  withinMs = VERIFY_DEADLINE_MS,
): Promise<void> {
  const deadline = deps.clock.monotonic() + withinMs;
  for (;;) {
    if (await holds()) return;
    if (deps.clock.monotonic() > deadline) {
      throw new AppError(`Gave up waiting until ${what} (${withinMs / 1000} s)`, {
        code: 'not-verified',
        hint: 'Check that pods reach each other on the Redis port and on the bus port (port + 10000): a NetworkPolicy may be in the way',
      });
    }
    await deps.clock.sleep(VERIFY_EVERY_MS, deps.signal);
  }
}

function failed(node: StepNode, what: string, cause: Error): AppError {
  return new AppError(`${node.pod} did not take ${what}`, {
    code: 'step-failed',
    cause: new Error(reasonOf(cause)),
    hint: 'Run the same command again; kubectl redis status shows where things stand',
  });
}

function gone(node: StepNode): AppError {
  return new AppError(`${node.pod} is not node ${node.nodeId.slice(0, 8)} any more`, {
    code: 'node-changed',
    hint: 'The pod was replaced meanwhile. Run the same command again',
  });
}
