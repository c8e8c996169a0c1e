/** Everything that can come back comes back: processes, pods, ways. What was lost for good stays lost. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { NO_POLICY, type FixPolicy } from '../../../pkg/cluster/plan/fix/fix-plan.ts';
import { mend, type MendAs, type Mended } from '../broken/mend.ts';
import type { Scene } from '../broken/scene.ts';
import { forgetBehind } from './behind.ts';
import { podNameOf, podOf } from './roles.ts';
import { putPod } from './silent.ts';

/** Also what the scene itself took away. @param pods as they were when all was well */
export async function wakeAll(scene: Scene, pods: Scene['kube']['pods']): Promise<void> {
  scene.kube = {
    ...scene.kube,
    statefulSets: scene.kube.statefulSets.map((one) => ({ ...one, replicas: Math.max(1, one.replicas) })),
  };
  await Promise.all(
    scene.servers.map(async (server, index) => {
      server.kill('SIGCONT');
      scene.wires.frozen.delete(server.address);
      scene.wires.join(server.address);
      if (server.pid !== -1 || !existsSync(join(server.dir, 'nodes.conf'))) return;
      await scene.restart(index);
      const before = pods.find(({ name }) => name === podNameOf(scene, index));
      if (podOf(scene, index) === undefined && before !== undefined) putPod(scene, { ...before, ip: server.address });
    }),
  );
  scene.kube = {
    ...scene.kube,
    pods: scene.kube.pods.map((pod) => ({
      ...pod,
      phase: 'Running',
      ready: true,
      container: { ...pod.container, state: 'running', reason: null },
    })),
  };
  await forgetBehind(scene);
}

const MOST_RUNS = 5;

/** `fix` without consent until it finds nothing to do. @returns the last run; null = it goes on and on */
export async function mendUntilNothing(
  scene: Scene,
  between: () => Promise<void> = () => Promise.resolve(),
  as: MendAs = {},
  policy: FixPolicy = NO_POLICY,
): Promise<Mended | null> {
  for (let run = 0; run < MOST_RUNS; run++) {
    await between();
    const mended = await mend(scene, policy, Infinity, as);
    const { error, batches, plan } = mended;
    if (error === null && batches.length === 0 && plan.repairs.length === 0) return mended;
  }
  return null;
}
