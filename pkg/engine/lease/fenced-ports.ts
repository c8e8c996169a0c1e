/**
 * The ports as steps get them: nothing that changes a cluster is sent any more when the lease is not surely held. Here
 * it is asked before, and the clients ask once more when they send.
 */
import type { Fence, KubePort, RedisPort, SlotMover, StraySettler } from '../ports.ts';

export function fencedKube(kube: KubePort, fence: Fence): KubePort {
  const behind = async <T>(write: () => Promise<T>): Promise<T> => {
    await fence.pass();
    return write();
  };
  return {
    ...kube,
    apply: (object, options) => behind(() => kube.apply(object, { ...options, fence })),
    create: (object, options) => behind(() => kube.create(object, { ...options, fence })),
    replace: (object, options) => behind(() => kube.replace(object, { ...options, fence })),
    remove: (apiVersion, kind, name, options) =>
      behind(() => kube.remove(apiVersion, kind, name, { ...options, fence })),
    evict: (pod, uid, options) => behind(() => kube.evict(pod, uid, { ...options, fence })),
  };
}

/** Questions, too, where they go by `run`: which of them change something is not to be guessed. */
export function fencedRedis(redis: RedisPort, fence: Fence): RedisPort {
  return {
    ask: (pod, options) => redis.ask(pod, options),
    run: async (pod, commands, deadlineMs) => {
      await fence.pass();
      return redis.run(pod, commands, deadlineMs, fence);
    },
    close: () => redis.close(),
  };
}

export function fencedMover(mover: SlotMover, fence: Fence): SlotMover {
  return { ...mover, move: (move, limits, onProgress, signal) => mover.move(move, limits, onProgress, signal, fence) };
}

export function fencedStrays(strays: StraySettler, fence: Fence): StraySettler {
  return { settle: (job, limits, onProgress, signal) => strays.settle(job, limits, onProgress, signal, fence) };
}
