/** The file that `--record` writes and `-f` reads: one Observation, and who wrote it. Pure text. */
import { AppError, EXIT } from '../../errors.ts';
import type { Observation } from '../model/observation.ts';
import { faultsOf } from './shape.ts';
import { redact } from './redact.ts';

const API_VERSION = 'kubectl-redis.io/v1';
const KIND = 'Observation';
/** Of Observation: what this version writes, and the latest that it reads. */
const SCHEMA = 1;

/** @param version of this tool */
export function renderRecord(observation: Observation, version: string): string {
  const record = {
    apiVersion: API_VERSION,
    kind: KIND,
    writtenBy: `kubectl-redis ${version}`,
    observation: redact(observation),
  };
  return `${JSON.stringify(record)}\n`;
}

/** @param name of the file, for messages. @throws AppError usage: no record of ours, a newer one, a damaged one */
export function parseRecord(text: string, name: string): Observation {
  const record = parseJson(text, name);
  if (
    !isRecord(record) ||
    record['kind'] !== KIND ||
    typeof record['apiVersion'] !== 'string' ||
    !record['apiVersion'].startsWith('kubectl-redis.io/')
  )
    throw unreadable(`${name} is no recorded cluster`, 'Give a file that check --record or status --record wrote');
  const { observation } = record;
  const schema = isRecord(observation) ? observation['schema'] : undefined;
  const newer = record['apiVersion'] !== API_VERSION || (typeof schema === 'number' && schema > SCHEMA);
  if (newer)
    throw unreadable(
      `${name} was written by a newer version (${writerOf(record)})`,
      'Update this plugin, then read it again',
    );
  const [fault] = faultsOf(observation);
  if (fault !== undefined)
    throw unreadable(`${name} is damaged: ${fault}`, 'Record it again; a file must not be edited by hand');
  return observation as Observation;
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw unreadable(`${name} is not JSON`, 'Give a file that check --record or status --record wrote', error);
  }
}

function writerOf({ writtenBy }: Readonly<Record<string, unknown>>): string {
  return typeof writtenBy === 'string' ? writtenBy : 'unknown';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unreadable(message: string, hint: string, cause?: unknown): AppError {
  return new AppError(message, { code: 'bad-record', exitCode: EXIT.usage, hint, cause });
}
