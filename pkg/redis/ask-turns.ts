/**
 * Whose turn it is to be asked: so many nodes at once, because each of them holds a tunnel through the API server.
 *
 * A node that has not answered after half a second gives its turn to the next one and goes on waiting beside, with its tunnel.
 * Otherwise 40 frozen nodes of 300 would take all turns and make everybody wait for two of their deadlines (law L11).
 */

/** A healthy node answers within some ten milliseconds. */
const SILENT_AFTER_MS = 500;

export interface Turn {
  /** Must be called once: the node was heard, or its time is up. */
  end(): void;
}

export class AskTurns {
  #free: number;
  #roomBeside: number;
  readonly #silentAfterMs: number;
  readonly #waiting: (() => void)[] = [];
  /** Silent ones for which there was no room beside yet; what each does when there is. */
  readonly #silent = new Set<() => void>();

  /** @param beside how many silent nodes may wait beside those whose turn it is; more than that keep their turns */
  constructor(atOnce: number, beside: number, silentAfterMs: number = SILENT_AFTER_MS) {
    this.#free = atOnce;
    this.#roomBeside = beside;
    this.#silentAfterMs = silentAfterMs;
  }

  /** Resolves when its turn comes, first come first served; deadlines begin then. */
  async take(): Promise<Turn> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    let beside = false;
    const stepAside = (): void => {
      beside = true;
      this.#passOn();
    };
    const timer = setTimeout(() => {
      this.#silent.add(stepAside);
      this.#fillRoomBeside();
    }, this.#silentAfterMs);
    return {
      end: () => {
        clearTimeout(timer);
        this.#silent.delete(stepAside);
        if (!beside) return this.#passOn();
        this.#roomBeside++;
        this.#fillRoomBeside();
      },
    };
  }

  #fillRoomBeside(): void {
    const [first] = this.#silent;
    if (first === undefined || this.#roomBeside === 0) return;
    this.#roomBeside--;
    this.#silent.delete(first);
    first();
  }

  #passOn(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
