/** What a person says of a pod besides NAME: annotations, and arguments of the container. All of it is checked here. */
import type { AntiAffinity } from '../../cluster/model/plan.ts';
import { MASTERS_ANNOTATION } from '../../cluster/model/labels.ts';
import { refusal } from '../../errors.ts';
import { CONFIG_ANNOTATION } from '../../cluster/model/labels.ts';
import { ANTI_AFFINITY_ANNOTATION, METRICS_ANNOTATION, RUN_AS_ANNOTATION } from '../annotations.ts';
import { mergeDirectives, parseConfigFile, type Directives } from '../config-directives.ts';
import { REDIS_USER } from '../pod-spec.ts';
import { METRICS_IMAGE } from './metrics.ts';
import type { Container, StringMap } from './pod-json.ts';
import { directivesOfArguments } from './server-arguments.ts';

export interface Wishes {
  /** null = not said. */
  readonly antiAffinity: AntiAffinity | null;
  readonly masters: number | null;
  /** Directives for this node alone. */
  readonly directives: Directives;
  /** null = as the image says. */
  readonly runAs: { readonly user: number; readonly group: number } | null;
  /** Image of the metrics exporter; null = none. */
  readonly metricsImage: string | null;
}

/** @throws AppError refused, with what to change */
export function readWishes(annotations: StringMap, container: Container): Wishes {
  const text = annotations[CONFIG_ANNOTATION] ?? '';
  return {
    antiAffinity: readAntiAffinity(annotations[ANTI_AFFINITY_ANNOTATION]),
    masters: readMasters(annotations[MASTERS_ANNOTATION]),
    directives: mergeDirectives(
      parseConfigFile(text, `annotation ${CONFIG_ANNOTATION}`),
      directivesOfArguments(container.name, container.args ?? []),
    ),
    runAs: readRunAs(annotations[RUN_AS_ANNOTATION]),
    metricsImage: readMetrics(annotations[METRICS_ANNOTATION]),
  };
}

/** The shard that N gets where somebody said how many primaries there will be: as shardOfOrdinal, and 0 is allowed. */
export function shardOfNumber(ordinal: number, masters: number): string {
  return String(((ordinal - 1 + masters) % masters) + 1);
}

function readAntiAffinity(value: string | undefined): AntiAffinity | null {
  if (value === undefined) return null;
  if (value === 'hard' || value === 'soft' || value === 'off') return value;
  throw bad(ANTI_AFFINITY_ANNOTATION, value, 'hard, soft or off');
}

function readMasters(value: string | undefined): number | null {
  if (value === undefined) return null;
  const masters = /^[0-9]{1,4}$/.test(value) ? Number(value) : 0;
  if (masters < 3) throw bad(MASTERS_ANNOTATION, value, 'a number of primaries, at least 3');
  return masters;
}

function readRunAs(value: string | undefined): Wishes['runAs'] {
  if (value === undefined) return { user: REDIS_USER, group: REDIS_USER };
  if (value === 'image') return null;
  const match = /^([0-9]{1,9})(?::([0-9]{1,9}))?$/.exec(value);
  if (match === null) throw bad(RUN_AS_ANNOTATION, value, 'UID, UID:GID, or image');
  const user = Number(match[1]);
  return { user, group: match[2] === undefined ? user : Number(match[2]) };
}

function readMetrics(value: string | undefined): string | null {
  if (value === undefined || value === 'false') return null;
  if (value === 'true') return METRICS_IMAGE;
  if (/^[\w./:@-]+$/.test(value)) return value;
  throw bad(METRICS_ANNOTATION, value, 'true, false, or the image of an exporter');
}

function bad(annotation: string, value: string, wanted: string): Error {
  return refusal(
    'bad-annotation',
    `annotation ${annotation} says ${JSON.stringify(value.slice(0, 80))}`,
    `it must be ${wanted}`,
  );
}
