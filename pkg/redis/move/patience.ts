/**
 * More patience of nodes with each other while one of them packs or unpacks a big key and answers nobody: a longer cluster-node-timeout.
 *
 * It is raised here and put back here, by the last of this process' moves that needs it: two moves share nodes, and what one of them
 * found need not be what is configured. Where the process is killed in between, the readiness probe of our pods puts it back (probe.sh),
 * and `fix` does in other pods; model/passing-values.ts has the whole table of who sets what.
 */
import { moveTimeoutMs } from '../../cluster/model/passing-values.ts';
import { COMMAND_DEADLINE_MS } from './context.ts';
import type { NodeLine } from './node-line.ts';

const NAME = 'cluster-node-timeout';

interface Raised {
  /** What was there before the first of them. */
  readonly before: number;
  /** Of each move that needs it. */
  readonly needed: number[];
}

export class Patience {
  /** By node id. One change at a time for each node. */
  readonly #raised = new Map<string, Raised>();
  readonly #last = new Map<string, Promise<unknown>>();
  #turn = Math.floor(Math.random() * 1_000);

  /**
   * Runs the work while all these nodes are patient for so long. One that may not be configured stays as it is.
   * @throws AppError when one can't be reached; nothing was run then
   */
  async hold<T>(lines: readonly NodeLine[], neededMs: number, work: () => Promise<T>): Promise<T> {
    const value = moveTimeoutMs(neededMs, this.#turn++);
    try {
      await Promise.all(lines.map((line) => this.#inTurn(line, () => this.#raise(line, value))));
      return await work();
    } finally {
      await Promise.allSettled(lines.map((line) => this.#inTurn(line, () => this.#lower(line, value))));
    }
  }

  async #raise(line: NodeLine, value: number): Promise<void> {
    const known = this.#raised.get(line.end.nodeId);
    if (known !== undefined) {
      const most = Math.max(...known.needed);
      known.needed.push(value);
      if (value > most) await set(line, value);
      return;
    }
    const [reply] = await line.ask([['CONFIG', 'GET', NAME]], COMMAND_DEADLINE_MS);
    const before = Array.isArray(reply) ? Number(reply[1]) : Number.NaN;
    if (!(before < value)) return;
    this.#raised.set(line.end.nodeId, { before, needed: [value] });
    await set(line, value);
  }

  async #lower(line: NodeLine, value: number): Promise<void> {
    const known = this.#raised.get(line.end.nodeId);
    const at = known?.needed.indexOf(value) ?? -1;
    if (known === undefined || at === -1) return;
    known.needed.splice(at, 1);
    if (known.needed.length === 0) this.#raised.delete(line.end.nodeId);
    const most = Math.max(known.before, ...known.needed);
    if (most < value) await set(line, most);
  }

  #inTurn(line: NodeLine, change: () => Promise<void>): Promise<void> {
    const { nodeId } = line.end;
    const mine = (this.#last.get(nodeId) ?? Promise.resolve()).then(change, change);
    this.#last.set(nodeId, mine);
    return mine;
  }
}

async function set(line: NodeLine, milliseconds: number): Promise<void> {
  await line.ask([['CONFIG', 'SET', NAME, milliseconds]], COMMAND_DEADLINE_MS);
}
