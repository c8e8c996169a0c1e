/** Nodes that can't be asked, each in the way of its kind, and how each comes back. */
import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PodFacts, UnreachableReason } from '../../../pkg/cluster/model/observation.ts';
import type { Scene } from '../broken/scene.ts';
import { serverAt } from '../broken/moves.ts';
import { poll, type Directive } from '../redis-server.ts';
import { podNameOf, podOf } from './roles.ts';

export const SILENCES = ['frozen', 'tunnel', 'loading', 'pending', 'crashed', 'missing'] as const;
export type Silence = (typeof SILENCES)[number];

/** Something that was done to a cluster, and that ends. */
export interface Disturbance {
  readonly index: number;
  readonly says: string;
  /** As it was; what others did meanwhile stays. The second time it does nothing. */
  back(): Promise<void>;
}

export async function silence(scene: Scene, index: number, how: Silence): Promise<Disturbance> {
  const says = `${podNameOf(scene, index)} ${IN_WORDS[how]}`;
  const comeBack = await WAYS[how](scene, index);
  let isBack = false;
  const back = async (): Promise<void> => {
    if (isBack) return;
    isBack = true;
    await comeBack();
  };
  return { index, says, back };
}

const IN_WORDS: Readonly<Record<Silence, string>> = {
  frozen: 'is frozen',
  tunnel: "can't be reached through its tunnel",
  loading: 'was started again and loads',
  pending: 'is Pending',
  crashed: 'has ended',
  missing: 'has no pod',
};

const WAYS: Readonly<Record<Silence, (scene: Scene, index: number) => Promise<() => Promise<void>>>> = {
  frozen: async (scene, index) => {
    const server = serverAt(scene, index);
    server.kill('SIGSTOP');
    scene.wires.frozen.add(server.address);
    return async () => {
      server.kill('SIGCONT');
      scene.wires.frozen.delete(server.address);
      await untilAnswers(scene, index);
    };
  },
  tunnel: async (scene, index) => {
    const { address } = serverAt(scene, index);
    scene.wires.cut(address);
    return () => Promise.resolve(scene.wires.join(address));
  },
  loading: async (scene, index) => {
    await serverAt(scene, index).stop();
    await load(scene, index);
    return async () => {
      await scene.at(index, ['CONFIG', 'SET', 'key-load-delay', 0]);
      await untilAnswers(scene, index);
    };
  },
  // As a pod that was deleted, and whose new one finds no host yet: it has no address.
  pending: (scene, index) =>
    withoutProcess(scene, index, (pod) => ({
      ...pod,
      uid: `${pod.uid}-pending`,
      ip: '',
      host: null,
      phase: 'Pending',
      ready: false,
      container: { ...pod.container, state: 'waiting', reason: null, restarts: 0 },
    })),
  crashed: (scene, index) =>
    withoutProcess(scene, index, (pod) => ({
      ...pod,
      ready: false,
      container: { ...pod.container, state: 'waiting', reason: 'CrashLoopBackOff', restarts: 3 },
    })),
  missing: (scene, index) => withoutProcess(scene, index, () => null),
};

/** Its volume stays whole. */
async function withoutProcess(
  scene: Scene,
  index: number,
  change: (pod: PodFacts) => PodFacts | null,
): Promise<() => Promise<void>> {
  await serverAt(scene, index).stop();
  const pod = podOf(scene, index);
  scene.changePod(index, change);
  return async () => {
    await scene.restart(index);
    if (pod !== undefined) putPod(scene, pod);
    await untilAnswers(scene, index);
  };
}

/** In the place of the one of its name, else as one more. */
export function putPod(scene: Scene, pod: PodFacts): void {
  const others = scene.kube.pods.filter(({ name }) => name !== pod.name);
  const pods = [...others, pod].toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  scene.kube = { ...scene.kube, pods };
}

/** A server looks at its clients after each 1024 commands of its log. */
const LOADS = 300_000;
const DELAY_MICROSECONDS = 300;

/** Loads for a minute and a half, and says so meanwhile. */
async function load(scene: Scene, index: number): Promise<void> {
  const folder = join(serverAt(scene, index).dir, 'appendonlydir');
  const file = (await readdir(folder))
    .filter((name) => name.endsWith('.incr.aof'))
    .toSorted(byNumber)
    .at(-1);
  if (file === undefined) throw new Error(`server ${index} has no log of commands`);
  await appendFile(join(folder, file), '*1\r\n$4\r\nPING\r\n'.repeat(LOADS));
  const slowly: Directive = ['key-load-delay', String(DELAY_MICROSECONDS)];
  await scene.restart(index, slowly);
  await poll('it loads', 10_000, async () => ((await whyOf(scene, index)) === 'loading' ? true : null));
}

function byNumber(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

async function whyOf(scene: Scene, index: number): Promise<UnreachableReason | null> {
  const reply = await scene.direct.ask(serverAt(scene, index).pod, { deadlineMs: 3_000 });
  return reply.kind === 'answered' ? null : reply.why;
}

/** Another password is an answer, too. */
async function untilAnswers(scene: Scene, index: number): Promise<void> {
  await poll('it answers', 30_000, async () => {
    const why = await whyOf(scene, index);
    return why === null || why === 'auth' ? true : null;
  });
}
