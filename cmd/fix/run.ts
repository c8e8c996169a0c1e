/**
 * `fix` with a person or without. At a terminal the whole plan is shown, and each repair is asked for when its turn comes; without
 * one what is safe is done, and the exit code says whether anything is left.
 */
import { AppError, EXIT, usageError, type ExitCode } from '../../pkg/errors.ts';
import { planFix } from '../../pkg/cluster/plan/fix/fix.ts';
import type { FixPlan, Repair } from '../../pkg/cluster/plan/fix/fix-plan.ts';
import { prepareFix, runFix, type FixSight } from '../../pkg/engine/fix.ts';
import type { Report } from '../../pkg/engine/report.ts';
import { createAsker, type Asker } from '../ask.ts';
import { chooseCluster, exists, notFound } from '../clusters.ts';
import type { Deps, Session } from '../deps.ts';
import type { Globals } from '../global-flags.ts';
import { inSession, portsOf, sayGaps, untilAborted } from '../look-at.ts';
import { ALL_PAIRS, limitsOf, typedLimits, type MoveFlagValues } from '../move-limits.ts';
import { endLapsed, operate, planLook, refuseBareOutput, writePlan } from '../operate.ts';
import type { Output } from '../output.ts';
import type { Look } from '../terminal.ts';
import { fixedInWords, fixPlanLines, leftLines, repairQuestion, repairSteps, worthTelling } from '../view/fix-plan.ts';
import { policyOf, skippedOf, typedPolicy, type PolicyFlagValues } from './policy.ts';

export interface FixRequest {
  readonly args: { readonly NAME: string | undefined };
  readonly flags: MoveFlagValues &
    PolicyFlagValues & {
      readonly 'dry-run': boolean;
      readonly timeout: number;
      readonly yes: boolean;
      readonly output: Output<'json' | 'yaml'>;
      readonly record: string | undefined;
      readonly file: string | undefined;
    };
  readonly globals: Globals;
}

export async function runFixVerb(request: FixRequest, deps: Deps): Promise<ExitCode> {
  const { flags, globals } = request;
  refuseBareOutput(flags);
  limitsOf(flags);
  skippedOf(flags);
  if (flags.file !== undefined) return planRecord(request, deps, flags.file);
  return inSession(deps, globals, (session) => fixOne(request, deps, session));
}

/** What would be done about a cluster that was recorded. Who holds keys of slots in doubt is not in a record. */
async function planRecord({ args, flags }: FixRequest, deps: Deps, file: string): Promise<ExitCode> {
  if (!flags['dry-run']) throw usageError('-f goes with --dry-run', 'a record can be looked at, not repaired');
  if (flags.record !== undefined) throw usageError('--record and -f do not go together');
  const { readRecord } = await import('../record.ts');
  const { observation, state } = await readRecord(file, args.NAME);
  const plan = planFix(state, policyOf(flags), { observation, slotKeys: null });
  sayGaps(deps, state);
  await writeDryRun({ state, plan }, deps, flags.output);
  return exitOf(plan);
}

async function fixOne(request: FixRequest, deps: Deps, session: Session): Promise<ExitCode> {
  const { flags } = request;
  session.prepare();
  const cluster = await chooseCluster(session, request.args.NAME);
  const { mover } = session.redis;
  const input = { cluster, policy: policyOf(flags), mover, signal: deps.signal };
  const ports = portsOf(deps, session);
  const look = (): Promise<FixSight> => untilAborted(prepareFix(ports, input), deps.signal);
  let seen = await look();
  if (!exists(cluster, seen.observation.kube)) throw await notFound(session, cluster);
  sayGaps(deps, seen.state);
  if (flags.record !== undefined) {
    const { writeRecord } = await import('../record.ts');
    await writeRecord(flags.record, seen.observation, deps);
  }
  if (flags['dry-run']) {
    await writeDryRun(seen, deps, flags.output);
    return exitOf(seen.plan);
  }
  const isIdle = ({ plan }: FixSight): boolean =>
    plan.repairs.length === 0 && !plan.left.some(({ why }) => why === 'by-itself');
  // A repair takes a lapsed lease over, whoever left it. What is unfinished is named by its own code, without the lease, too.
  if (isIdle(seen) && seen.state.operation !== null) {
    await endLapsed(ports, seen.state, deps);
    seen = await look();
  }
  if (isIdle(seen)) {
    const plain = { width: deps.terminal.size()?.columns ?? null, colour: false };
    const none = `${cluster.name}: nothing ${seen.plan.left.length === 0 ? 'is to be' : 'can be'} repaired. Nothing was changed.`;
    deps.terminal.write(`${[none, ...leftLines(seen.plan.left, plain)].join('\n')}\n`);
    return exitOf(seen.plan);
  }
  const drawn = planLook(deps, request.globals);
  deps.terminal.say(`${fixPlanLines(seen, drawn).join('\n')}\n\n`);
  return repairAll(request, deps, session, seen, drawn);
}

async function repairAll(
  { flags, globals }: FixRequest,
  deps: Deps,
  session: Session,
  shown: FixSight,
  look: Look,
): Promise<ExitCode> {
  const { cluster } = shown.state;
  const resume = `kubectl redis fix ${cluster.name}${typedPolicy(flags)}${typedLimits(flags)} -n ${cluster.namespace}`;
  const asker = deps.interactive && !flags.yes ? createAsker(process.stdin, process.stderr) : null;
  try {
    const { result, seconds } = await operate(deps, { colour: look.colour, resume }, (report) =>
      runFix(portsOf(deps, session), {
        cluster,
        policy: policyOf(flags),
        mover: session.redis.mover,
        strays: session.redis.strays,
        limits: limitsOf(flags),
        parallel: flags.parallel ?? ALL_PAIRS,
        skip: skippedOf(flags),
        report,
        podsTimeoutMs: flags.timeout,
        resume: `${resume}${flags.yes ? ' --yes' : ''}`,
        signal: deps.signal,
        ...(asker === null
          ? { named: shown.plan }
          : { consent: (repair) => ask(asker, repair, report, planLook(deps, globals)) }),
      }),
    );
    const lines = [fixedInWords(result, seconds), ...leftLines(worthTelling(result.last.plan), look)];
    deps.terminal.write(`${lines.join('\n')}\n`);
    return exitOf(result.last.plan);
  } finally {
    asker?.close();
  }
}

/** What would be lost is not lost by pressing Enter. @throws AppError `interrupted` */
async function ask(asker: Pick<Asker, 'confirm'>, repair: Repair, report: Report, look: Look): Promise<boolean> {
  for (const sentence of repairSteps(repair, look)) report({ kind: 'trouble', sentence });
  try {
    return await asker.confirm(repairQuestion(repair), repair.loses === null);
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'interrupted') throw error;
    const { code, exitCode } = error;
    throw new AppError('Stopped; what was repaired before stays repaired', { code, exitCode });
  }
}

/** As `check` ends: with notes alone, all is well. */
function exitOf(plan: FixPlan): ExitCode {
  const repairs = plan.repairs.some(({ severity }) => severity !== 'info');
  return repairs || worthTelling(plan).length > 0 ? EXIT.refused : EXIT.done;
}

function writeDryRun(
  seen: Pick<FixSight, 'state' | 'plan'>,
  deps: Deps,
  output: Output<'json' | 'yaml'>,
): Promise<void> {
  return writePlan(
    deps,
    output,
    (look) => fixPlanLines(seen, look),
    async () => (await import('../document/fix-plan.ts')).fixPlanOf(seen),
  );
}
