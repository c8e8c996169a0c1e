/** Colours by meaning. Without colour every function returns its text as it is. */
import pc from 'picocolors';
import type { Severity } from '../../pkg/cluster/model/problem.ts';

export type Tone = 'plain' | 'good' | 'warn' | 'bad' | 'dim' | 'strong';

export interface Paint {
  readonly colour: boolean;
  tone(tone: Tone, text: string): string;
  /** Text in the colour of a shard; shards next to each other differ. */
  shard(index: number, text: string): string;
  /** The same as a background. */
  block(index: number, text: string): string;
  /** Background of what is wrong in the picture. */
  alarm(text: string): string;
}

export function createPaint(colour: boolean): Paint {
  const c = pc.createColors(colour);
  const fronts = [c.cyan, c.yellow, c.green, c.magenta, c.blue, c.white];
  const backs = [c.bgCyan, c.bgYellow, c.bgGreen, c.bgMagenta, c.bgBlue, c.bgWhite];
  const pick = <T>(list: readonly T[], index: number, fallback: T): T =>
    list[((index % list.length) + list.length) % list.length] ?? fallback;
  return {
    colour,
    tone: (tone, text) => {
      switch (tone) {
        case 'plain':
          return text;
        case 'good':
          return c.green(text);
        case 'warn':
          return c.yellow(text);
        case 'bad':
          return c.red(text);
        case 'dim':
          return c.dim(text);
        case 'strong':
          return c.bold(text);
        default:
          return tone satisfies never;
      }
    },
    shard: (index, text) => pick(fronts, index, c.cyan)(text),
    block: (index, text) => pick(backs, index, c.bgCyan)(c.black(text)),
    alarm: (text) => c.bgRed(c.white(c.bold(text))),
  };
}

export function toneOfSeverity(severity: Severity): Tone {
  switch (severity) {
    case 'critical':
      return 'bad';
    case 'warning':
      return 'warn';
    case 'info':
      return 'dim';
    default:
      return severity satisfies never;
  }
}
