/** What a long operation tells a person while it runs. The engine knows no terminal; cmd draws it. */
import type { Batch, Step } from '../cluster/model/plan.ts';
import type { MoveProgress, PodTrouble } from './ports.ts';

export type Progress =
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'step-done'; readonly step: Step; readonly done: number; readonly total: number }
  | { readonly kind: 'pods'; readonly ready: number; readonly total: number; readonly troubles: readonly PodTrouble[] }
  | { readonly kind: 'going'; readonly gone: number; readonly total: number; readonly what: string }
  | { readonly kind: 'agreeing'; readonly sentence: string }
  | { readonly kind: 'trouble'; readonly sentence: string }
  | {
      readonly kind: 'moving';
      readonly step: Extract<Step, { kind: 'move-slots' }>;
      readonly progress: MoveProgress;
    }
  | { readonly kind: 'batch-done'; readonly batch: Batch; readonly elapsedMs: number };

export type Report = (progress: Progress) => void;
