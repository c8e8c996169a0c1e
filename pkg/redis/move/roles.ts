/**
 * Keeps a node from being a source and a target at the same time: a target's config epoch rises while it takes slots, and that
 * of a source must not (epochs.ts); and while a server handles MIGRATE it takes no key, so that two that send to each other would both
 * wait until they time out.
 */
export class Roles {
  readonly #sources = new Map<string, number>();
  readonly #targets = new Map<string, number>();
  readonly #waiting: (() => void)[] = [];

  /** Moves to that node that are under way. */
  movesTo(targetId: string): number {
    return this.#targets.get(targetId) ?? 0;
  }

  /** Runs the work as soon as neither node has the other role in another move. */
  async hold<T>(sourceId: string, targetId: string, work: () => Promise<T>): Promise<T> {
    while (this.#targets.has(sourceId) || this.#sources.has(targetId)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    add(this.#sources, sourceId, 1);
    add(this.#targets, targetId, 1);
    try {
      return await work();
    } finally {
      add(this.#sources, sourceId, -1);
      add(this.#targets, targetId, -1);
      for (const wake of this.#waiting.splice(0)) wake();
    }
  }
}

function add(counts: Map<string, number>, nodeId: string, change: number): void {
  const count = (counts.get(nodeId) ?? 0) + change;
  if (count === 0) counts.delete(nodeId);
  else counts.set(nodeId, count);
}
