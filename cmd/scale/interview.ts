/** Asks a person for the shape when none was typed; what the cluster has is the answer to just pressing Enter. */
import { usageError } from '../../pkg/errors.ts';
import type { ClusterRef } from '../../pkg/cluster/model/observation.ts';
import { readSpec } from '../../pkg/pod/annotations.ts';
import { createAsker, type Asker } from '../ask.ts';
import { mastersWrong } from '../create/request.ts';
import type { Session } from '../deps.ts';

export interface TypedShape {
  readonly masters: number | null;
  readonly replicas: number | null;
}

/** @throws AppError usage where nobody can be asked and nothing was typed */
export async function shapeFrom(
  typed: TypedShape,
  interactive: boolean,
  session: Session,
  { name }: ClusterRef,
): Promise<TypedShape> {
  if (typed.masters !== null || typed.replicas !== null) return typed;
  const service = interactive ? await session.kube.get('v1', 'Service', name) : null;
  const spec = readSpec(service?.metadata.annotations ?? {});
  if (spec === null)
    throw usageError(
      'scale needs --masters or --replicas, or both',
      `for example: kubectl redis scale ${name} --masters 5`,
    );
  const asker = createAsker(process.stdin, process.stderr);
  try {
    return await askShape(asker, spec);
  } finally {
    asker.close();
  }
}

export async function askShape(
  asker: Pick<Asker, 'text'>,
  now: { readonly masters: number; readonly replicas: number },
): Promise<TypedShape> {
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
