/** Asks a person for the shape when none was typed; what the cluster has is the answer to just pressing Enter. */
import type { AskedShape } from '../../pkg/engine/scale.ts';
import { createAsker, type Asker } from '../ask.ts';
import { mastersWrong } from '../create/request.ts';

type ShapeNow = { readonly masters: number; readonly replicas: number };

export function isTyped({ masters, replicas }: AskedShape): boolean {
  return masters !== null || replicas !== null;
}

/** What was typed; where that is nothing, a person is asked. */
export async function shapeFrom(typed: AskedShape, now: ShapeNow): Promise<AskedShape> {
  if (isTyped(typed)) return typed;
  const asker = createAsker(process.stdin, process.stderr);
  try {
    return await askShape(asker, now);
  } finally {
    asker.close();
  }
}

export async function askShape(asker: Pick<Asker, 'text'>, now: ShapeNow): Promise<AskedShape> {
  const masters = await asker.text(
    'Primaries (shards)',
    String(now.masters),
    (answer) => numberWrong(answer) ?? mastersWrong(Number(answer)),
  );
  const replicas = await asker.text('Replicas of each primary', String(now.replicas), numberWrong);
  return { masters: Number(masters), replicas: Number(replicas) };
}

function numberWrong(answer: string): string | null {
  return /^\d{1,3}$/.test(answer) ? null : 'a whole number, please';
}
