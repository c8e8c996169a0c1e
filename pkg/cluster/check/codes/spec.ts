/** What is written down about a problem, for `kubectl redis explain CODE` and for docs/problems.md. */
import type { Severity } from '../../model/problem.ts';

export interface CodeSpec {
  /** Critical only when data is not served or may be lost. */
  readonly severity: Severity;
  readonly title: string;
  /** What it means for those who use the cluster. */
  readonly meaning: string;
  /** How it comes about. */
  readonly cause: string;
  /** The general repair; a Problem's own names pods and slots. NAME is the cluster. */
  readonly repair: string;
  /** Invariants that it breaks (I1-I15); empty where it is a matter of Kubernetes alone. */
  readonly invariants: readonly string[];
}
