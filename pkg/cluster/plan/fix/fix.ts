/**
 * The whole plan of `fix`: what `check` finds, answered in the order of a full repair. Pure. A healthy cluster has none, and
 * what is repaired is not found again; so a second run plans nothing, and one that was cut short goes on from there.
 */
import { check } from '../../check/check.ts';
import { joinLosses } from '../../model/loss.ts';
import type { Problem } from '../../model/problem.ts';
import { unionRanges, type SlotRanges } from '../../model/slots.ts';
import type { ClusterState } from '../../model/state.ts';
import { fixContext, left, type Cure, type FixContext } from './fix-context.ts';
import type { FixFacts, FixPlan, FixPolicy, LeftOver, Repair } from './fix-plan.ts';
import { leftAs } from './why-left.ts';
import { STAGES, STOPPERS, type Stage } from './order.ts';

export function planFix(state: ClusterState, policy: FixPolicy, facts: FixFacts): FixPlan {
  const problems = check(state, facts.observation);
  const context = fixContext(state, policy, facts, problems);
  const repairs: Repair[] = [];
  const leftOvers: LeftOver[] = [];
  const stopper = problems.find(({ code }) => STOPPERS.has(code));
  for (const [at, stage] of STAGES.entries()) {
    for (const [code, cures] of curesOf(context, stage, at > 0 ? stopper : undefined)) {
      const healed = cures.filter((cure) => cure.kind === 'repair');
      if (healed.length > 0) repairs.push(joined(code, stage.why, healed));
      for (const cure of cures) if (cure.kind === 'left') leftOvers.push(leftOver(cure));
    }
  }
  return { repairs: withoutRepeats(repairs), left: leftOvers };
}

function leftOver({ problem, why, flag, hint }: Extract<Cure, { kind: 'left' }>): LeftOver {
  return { problem, why, flag, hint };
}

function curesOf(context: FixContext, stage: Stage, stopper: Problem | undefined): [string, readonly Cure[]][] {
  return Object.entries(stage.answers).flatMap(([code, answer]): [string, readonly Cure[]][] => {
    const problems = context.problems.filter((problem) => problem.code === code);
    if (problems.length === 0) return [];
    if (typeof answer === 'string') return [[code, problems.map((problem) => leftAs(context, problem, answer))]];
    if (stopper !== undefined) {
      const hint = `First: ${stopper.sentence}`;
      return [[code, problems.map((problem) => left(problem, 'after-others', hint))]];
    }
    return [[code, answer(context, problems)]];
  });
}

/** All that can be done about one code: batch by batch side by side. */
function joined(code: string, why: string, cures: readonly Extract<Cure, { kind: 'repair' }>[]): Repair {
  const problems = cures.flatMap((cure) => cure.problems);
  const losses = cures.flatMap(({ loses }) => loses ?? []);
  const titles = [...new Set(cures.map(({ title }) => title))];
  const depth = Math.max(...cures.map(({ batches }) => batches.length));
  const batches = Array.from({ length: depth }, (_, at) => ({
    title: cures.find((cure) => (cure.batches[at]?.steps.length ?? 0) > 0)?.batches[at]?.title ?? '',
    steps: cures.flatMap((cure) => cure.batches[at]?.steps ?? []),
  }));
  return {
    code,
    severity: problems[0]?.severity ?? 'warning',
    title: titles.join('; '),
    titles,
    why,
    nodes: [...new Set(problems.flatMap(({ nodes }) => nodes))],
    slots: joinSlots(problems.map(({ slots }) => slots)),
    batches,
    loses: joinLosses(losses),
  };
}

function joinSlots(all: readonly SlotRanges[]): SlotRanges {
  return all.reduce<SlotRanges>((sum, one) => unionRanges(sum, one), []);
}

/** Of batches and steps: what they are called, not what they do. */
const WORDS: ReadonlySet<string> = new Set(['reason', 'title']);

/** Two codes may be healed by the very same steps: those are done once, for the first. */
function withoutRepeats(repairs: readonly Repair[]): Repair[] {
  const done = new Set<string>();
  return repairs.filter(({ batches }) => {
    const key = JSON.stringify(batches, (name, value: unknown) => (WORDS.has(name) ? undefined : value));
    if (done.has(key)) return false;
    done.add(key);
    return true;
  });
}
