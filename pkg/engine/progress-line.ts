/** How far an operation is, in one line for `status` on another terminal. */
import { countSlots } from '../cluster/model/slots.ts';
import type { Step } from '../cluster/model/plan.ts';
import type { MoveProgress } from './ports.ts';
import type { Progress } from './report.ts';

/** Remembers what was reported. @returns null when there is nothing new to say */
export function progressTeller(): (progress: Progress) => string | null {
  let title = '';
  let moves: readonly Step[] = [];
  const moved = new Map<Step, MoveProgress>();
  return (progress) => {
    switch (progress.kind) {
      case 'batch':
        title = progress.batch.title;
        moves = progress.batch.steps.filter((step) => step.kind === 'move-slots');
        moved.clear();
        return title;
      case 'moving':
        moved.set(progress.step, progress.progress);
        return `${title}: ${movedInWords(moves, moved)}`;
      case 'pods':
        return `${title}: ${progress.ready} of ${progress.total} pods ready`;
      case 'going':
        return `${title}: ${progress.gone} of ${progress.total} ${progress.what} gone`;
      case 'agreeing':
      case 'trouble':
        // Before the first batch there is only what is waited for.
        return title === '' ? progress.sentence : `${title}: ${progress.sentence}`;
      case 'step-done':
      case 'batch-done':
        return null;
      default:
        return progress satisfies never;
    }
  };
}

function movedInWords(moves: readonly Step[], moved: ReadonlyMap<Step, MoveProgress>): string {
  const total = moves.reduce((sum, step) => sum + (step.kind === 'move-slots' ? countSlots(step.ranges) : 0), 0);
  const all = [...moved.values()];
  const slots = all.reduce((sum, one) => sum + one.slots, 0);
  const reached = slots + all.reduce((sum, one) => sum + one.arriving, 0);
  const keys = all.reduce((sum, one) => sum + one.keys, 0);
  return `${slots} of ${total} slots (${total === 0 ? 100 : Math.floor((100 * reached) / total)} %), ${keys} keys`;
}
