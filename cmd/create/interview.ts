/** Asks a person for what was not typed, each with a sensible default. An existing cluster is not asked about: it is resumed. */
import { AppError } from '../../pkg/errors.ts';
import {
  DEFAULT_MASTERS,
  DEFAULT_REPLICAS,
  DEFAULT_STORAGE,
  type GivenSpec,
} from '../../pkg/cluster/plan/create-spec.ts';
import { CLUSTER_LABEL, SPEC_ANNOTATION } from '../../pkg/cluster/model/labels.ts';
import { checkClusterName, stateName } from '../../pkg/pod/names.ts';
import { storageBytes } from '../../pkg/pod/quantity.ts';
import { createAsker, type Asker } from '../ask.ts';
import type { Session } from '../deps.ts';
import { mastersWrong } from './request.ts';

export interface Answers {
  readonly name: string;
  readonly given: GivenSpec;
}

/** Over this process' own terminal. */
export async function askFor(session: Session, typedName: string | undefined, typed: GivenSpec): Promise<Answers> {
  const asker = createAsker(process.stdin, process.stderr);
  try {
    return await interview(asker, typedName, typed, session.namespace, (name) => isThere(session, name));
  } finally {
    asker.close();
  }
}

/** @param exists whether something of the cluster is there */
export async function interview(
  asker: Asker,
  typedName: string | undefined,
  typed: GivenSpec,
  namespace: string,
  exists: (name: string) => Promise<boolean>,
): Promise<Answers> {
  const question = `Name of the cluster in namespace ${namespace}`;
  const name = typedName ?? (await asker.text(question, 'redis', wrongIfThrows(checkClusterName)));
  return { name, given: (await exists(name)) ? typed : await askSpec(asker, typed) };
}

async function isThere(session: Session, name: string): Promise<boolean> {
  const selector = `${CLUSTER_LABEL}=${name}`;
  const [service, state, pods] = await Promise.all([
    session.kube.get('v1', 'Service', name),
    session.kube.get('v1', 'ConfigMap', stateName(name)),
    session.kube.list('v1', 'Pod', { selector }),
  ]);
  const isRecorded = service?.metadata.annotations?.[SPEC_ANNOTATION] !== undefined;
  return isRecorded || state?.metadata.labels?.[CLUSTER_LABEL] === name || pods.length > 0;
}

async function askSpec(asker: Asker, typed: GivenSpec): Promise<GivenSpec> {
  const masters =
    typed.masters ??
    Number(
      await asker.text(
        'Primaries (shards)',
        String(DEFAULT_MASTERS),
        (answer) => numberWrong(answer) ?? mastersWrong(Number(answer)),
      ),
    );
  const replicas =
    typed.replicas ?? Number(await asker.text('Replicas of each primary', String(DEFAULT_REPLICAS), numberWrong));
  const storage =
    typed.storage ?? (await asker.text('Storage of each node', DEFAULT_STORAGE, wrongIfThrows(storageBytes)));
  return { ...typed, masters, replicas, storage };
}

function numberWrong(answer: string): string | null {
  return /^\d{1,3}$/.test(answer) ? null : 'a whole number, please';
}

/** What a check that throws would say. */
function wrongIfThrows(check: (answer: string) => unknown): (answer: string) => string | null {
  return (answer) => {
    try {
      check(answer);
      return null;
    } catch (error) {
      if (error instanceof AppError)
        return error.hint === undefined ? error.message : `${error.message}; ${error.hint}`;
      throw error;
    }
  };
}
