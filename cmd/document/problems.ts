/** Documents of `check` (ProblemList) and `explain` (ProblemCodeList). */
import { countBySeverity } from '../../pkg/cluster/check/fold.ts';
import { CODES } from '../../pkg/cluster/check/codes.ts';
import type { Code } from '../../pkg/cluster/check/codes.ts';
import type { Problem, Severity } from '../../pkg/cluster/model/problem.ts';
import type { ClusterState } from '../../pkg/cluster/model/state.ts';
import { API_VERSION, metadataOf, rangesOf } from './document.ts';
import type { Metadata, Range } from './document.ts';

export interface ProblemEntry {
  readonly code: string;
  readonly subject: string | null;
  readonly severity: Severity;
  readonly sentence: string;
  readonly nodes: readonly string[];
  readonly slots: readonly Range[];
  readonly repair: string;
}

export interface ProblemListDocument {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'ProblemList';
  readonly metadata: Metadata;
  readonly counts: Readonly<Record<Severity, number>>;
  readonly items: readonly ProblemEntry[];
}

export function problemListOf(state: ClusterState, problems: readonly Problem[]): ProblemListDocument {
  return {
    apiVersion: API_VERSION,
    kind: 'ProblemList',
    metadata: metadataOf(state),
    counts: countBySeverity(problems),
    items: problems.map(problemEntry),
  };
}

export function problemEntry({ code, subject, severity, sentence, nodes, slots, repair }: Problem): ProblemEntry {
  return { code, subject, severity, sentence, nodes: [...nodes], slots: rangesOf(slots), repair };
}

export interface CodeEntry {
  readonly code: string;
  readonly severity: Severity;
  readonly title: string;
  readonly meaning: string;
  readonly cause: string;
  readonly repair: string;
}

export interface CodeListDocument {
  readonly apiVersion: typeof API_VERSION;
  readonly kind: 'ProblemCodeList';
  readonly items: readonly CodeEntry[];
}

export function codeListOf(codes: readonly Code[]): CodeListDocument {
  const items = codes.map((code) => {
    const { severity, title, meaning, cause, repair } = CODES[code];
    return { code, severity, title, meaning, cause, repair };
  });
  return { apiVersion: API_VERSION, kind: 'ProblemCodeList', items };
}
