/** A cluster that tests do harm to while the checker writes, and how its healing is watched. */
import { expect } from '@jest/globals';
import { interpret } from '../../../pkg/cluster/interpret.ts';
import type { NodeAnswer, Observation, PodFacts } from '../../../pkg/cluster/model/observation.ts';
import { SLOT_COUNT } from '../../../pkg/cluster/model/slots.ts';
import { isConverged } from '../../../pkg/cluster/plan/form.ts';
import { systemClock } from '../../../pkg/engine/clock.ts';
import { observe } from '../../../pkg/engine/observe.ts';
import { createRedisPort } from '../../../pkg/redis/connect.ts';
import { cli, IMAGE, kubectl, type Ended } from '../cli.ts';
import { openClusterEnv, until, type ClusterEnv } from '../cluster-env.ts';
import { startWriteChecker, type WriteChecker } from '../write-checker/checker-pod.ts';
import { NOTHING_FOUND } from '../write-checker/ledger.ts';
import { recordFigures } from './figures.ts';

const NAME = 'redis';
const ASK_MS = 2_000;

/** For a shell in a pod: images of Valkey need not have redis-cli. */
export const CLIENT = '$(command -v redis-cli || command -v valkey-cli)';

/** A line of shell in a pod. How it ends is not looked at: it may take the pod's container with it. */
export function inPod(env: ClusterEnv, pod: string, line: string): Promise<Ended> {
  return kubectl(['exec', pod, '--', 'sh', '-c', line], env);
}

export interface TriedCluster {
  readonly env: ClusterEnv;
  readonly checker: WriteChecker;
  run(...args: string[]): Promise<Ended>;
  /** kubectl in the namespace; its failure is the test's. Returns its output. */
  kubectl(...args: string[]): Promise<string>;
  look(): Promise<Observation>;
  pods(): Promise<readonly PodFacts[]>;
  /** Pod of the primary whose slots begin with 0, and of a replica of it. */
  firstShard(): Promise<{ readonly primary: PodFacts; readonly replica: PodFacts }>;
  /** Makes these pods, one of each shard, the primaries, one after the other; waits until the cluster is whole. */
  lead(pods: readonly string[]): Promise<void>;
  /** Resolves when nothing is to be wished for: all slots served, all links up, all agree. Returns the seconds it took. */
  whole(withinMs: number): Promise<number>;
  /** Polls until what is seen fits; returns the seconds it took. */
  untilSeen(what: string, holds: (seen: Observation) => boolean, withinMs: number): Promise<number>;
  /**
   * Reads everything back, expects that no acknowledged and replicated write is lost, and records the phase.
   * @returns the phase, from `begin` until now
   */
  settle(scenario: string, seconds: Readonly<Record<string, number>>): Promise<Settled>;
  close(): Promise<void>;
}

export interface Settled {
  readonly clientErrors: number;
  readonly longestGapMs: number;
  readonly lost: number;
}

export interface TriedOptions {
  readonly masters: number;
  readonly replicas: number;
  /** Host of the checker. */
  readonly host?: string;
  /** Further arguments of `create`. */
  readonly args?: readonly string[];
}

export async function openTriedCluster(options: TriedOptions): Promise<TriedCluster> {
  const env = await openClusterEnv({ 'pod-security.kubernetes.io/enforce': 'restricted' });
  try {
    const shape = ['--masters', String(options.masters), '--replicas', String(options.replicas)];
    const made = await cli(['create', NAME, ...shape, '--storage', '100Mi', ...(options.args ?? [])], env);
    expect([made.code, made.stderr]).toEqual([0, expect.any(String)]);
    const host = options.host === undefined ? {} : { host: options.host };
    return triedCluster(env, await startWriteChecker(env, { cluster: NAME, copies: options.replicas, ...host }));
  } catch (error) {
    await env.close();
    throw error;
  }
}

function triedCluster(env: ClusterEnv, checker: WriteChecker): TriedCluster {
  const redis = createRedisPort({ dial: env.dial, credentials: () => Promise.resolve(null) });
  const ports = { kube: env.kube, redis, clock: systemClock };
  const look = (): Promise<Observation> =>
    observe(ports, { namespace: env.namespace, name: NAME }, { deadlineMs: ASK_MS });
  const untilSeen: TriedCluster['untilSeen'] = async (what, holds, withinMs) => {
    const from = performance.now();
    await until(
      async () => look().catch((error: unknown) => String(error)),
      (seen) => typeof seen !== 'string' && holds(seen),
      withinMs,
    ).catch(async () => {
      throw new Error(`${what}: not within ${withinMs} ms\n${await story(env)}`);
    });
    return seconds(from);
  };
  return {
    env,
    checker,
    run: (...args) => cli(args, { namespace: env.namespace }),
    kubectl: async (...args) => {
      const ended = await kubectl(args, env);
      expect([args.join(' '), ended.code, ended.stderr]).toEqual([args.join(' '), 0, expect.any(String)]);
      return ended.stdout.trim();
    },
    look,
    untilSeen,
    pods: async () => (await look()).kube.pods,
    firstShard: async () => firstShardOf(await look()),
    lead: async (pods) => {
      for (const pod of pods) {
        const isPrimary = (seen: Observation): boolean => answersOf(seen).get(pod)?.info.role === 'primary';
        // After a role has just changed its voters give no vote for 10 s, and a replica that got none asks again after 20 s.
        for (let tries = 0; tries < 12 && !isPrimary(await look()); tries++) {
          await inPod(env, pod, `${CLIENT} cluster failover`);
          await until(look, isPrimary, 5_000).catch(() => undefined);
        }
        expect(answersOf(await look()).get(pod)?.info.role).toBe('primary');
      }
      await untilSeen('whole', isWhole, 30_000);
    },
    whole: (withinMs) => untilSeen('whole', isWhole, withinMs),
    settle: async (scenario, timed) => {
      const phase = await checker.phase();
      const verdict = await checker.verify();
      await checker.mark();
      const { writes, replicated, clientErrors, longestGapMs } = phase;
      const lost = verdict.lost + verdict.stale;
      const lostReplicated = verdict.lostReplicated + verdict.staleReplicated;
      const told = { writes, replicated, lost, lostReplicated, clientErrors, longestGapMs };
      recordFigures({ scenario, image: IMAGE, ...told, seconds: timed, errors: phase.errors });
      expect([scenario, { ...verdict, keys: 0, lost: 0, stale: 0, duplicates: 0 }]).toEqual([scenario, NOTHING_LOST]);
      expect(replicated).toBeGreaterThan(0);
      return { clientErrors, longestGapMs, lost };
    },
    close: async () => {
      redis.close();
      await env.close();
    },
  };
}

const NOTHING_LOST = { ...NOTHING_FOUND, examples: expect.any(Array) };

/** Every pod answers, every slot has an owner, every link is up and all agree. */
export function isWhole(seen: Observation): boolean {
  return seen.kube.pods.every((pod) => !pod.terminating) && isConverged(interpret(seen));
}

/**
 * Leaving out the pods: somebody else owns every slot, everybody else's link to its primary is up, and the others see each
 * other.
 */
export function othersAreWhole(seen: Observation, without: ReadonlySet<string>): boolean {
  const others = [...answersOf(seen)].flatMap(([pod, answer]) => (without.has(pod) ? [] : [answer]));
  const ids = new Set(others.map((answer) => answer.myId));
  const expected = seen.kube.statefulSets.filter(({ name }) => !without.has(`${name}-0`));
  const linked = others.every(({ view, info }) => {
    const known = view.filter((node) => ids.has(node.nodeId));
    const slots = known.flatMap((node) => node.slots).reduce((sum, { start, end }) => sum + end - start + 1, 0);
    const seesAll = known.every(({ flags, linkUp }) => flags.includes('myself') || (linkUp && !flags.includes('fail')));
    return slots === SLOT_COUNT && info.primaryLinkUp !== false && seesAll && known.length === ids.size;
  });
  return others.length === expected.length && linked;
}

export function allRunning(seen: Observation, count: number): boolean {
  const running = seen.kube.pods.filter((pod) => !pod.terminating && pod.container.state === 'running');
  return running.length === count;
}

export function answersOf(seen: Observation): ReadonlyMap<string, NodeAnswer> {
  return new Map(
    seen.replies.flatMap(({ pod, reply }) => (reply.kind === 'answered' ? [[pod, reply.answer] as const] : [])),
  );
}

function firstShardOf(seen: Observation): { readonly primary: PodFacts; readonly replica: PodFacts } {
  const answers = answersOf(seen);
  const podOf = (holds: (answer: NodeAnswer) => boolean): PodFacts | undefined =>
    seen.kube.pods.find((pod) => [answers.get(pod.name)].some((answer) => answer !== undefined && holds(answer)));
  const ownLine = (answer: NodeAnswer): NodeAnswer['view'][number] | undefined =>
    answer.view.find((node) => node.nodeId === answer.myId);
  const primary = podOf((answer) => (ownLine(answer)?.slots ?? []).some(({ start }) => start === 0));
  const id = primary === undefined ? '' : answers.get(primary.name)?.myId;
  const replica = podOf((answer) => ownLine(answer)?.primaryId === id);
  if (primary === undefined || replica === undefined) throw new Error('no primary of slot 0 with a replica');
  return { primary, replica };
}

export function seconds(from: number): number {
  return Math.round((performance.now() - from) / 100) / 10;
}

/** For whoever reads a failed test: what the nodes said last. */
async function story(env: ClusterEnv): Promise<string> {
  const nodes = await cli(['nodes', NAME], env);
  const problems = await cli(['check', NAME], env);
  const logs = await kubectl(
    ['logs', '-l', `kubectl-redis.io/cluster=${NAME}`, '--tail=25', '--prefix', '--max-log-requests=20'],
    env,
  );
  return [nodes.stdout, problems.stdout, logs.stdout].join('\n');
}
