/** What may lose data, from the flags that say so. */
import { usageError } from '../../pkg/errors.ts';
import { isCode } from '../../pkg/cluster/check/codes.ts';
import { SLOT_COUNT, formatRanges, normalizeRanges, type SlotRange } from '../../pkg/cluster/model/slots.ts';
import type { FixPolicy } from '../../pkg/cluster/plan/fix/fix-plan.ts';

export interface PolicyFlagValues {
  readonly 'accept-data-loss': string | undefined;
  readonly takeover: boolean;
  readonly 'forget-strangers': boolean;
  readonly 'start-empty': boolean;
  readonly skip: readonly string[];
}

/** @throws AppError usage */
export function policyOf(flags: PolicyFlagValues): FixPolicy {
  return {
    acceptDataLoss: slotsOf(flags['accept-data-loss']),
    takeover: flags.takeover,
    forgetStrangers: flags['forget-strangers'],
    startEmpty: flags['start-empty'],
  };
}

function slotsOf(typed: string | undefined): SlotRange[] {
  if (typed === undefined) return [];
  const ranges = typed.split(',').map((word): SlotRange => {
    const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(word.trim());
    const start = Number(match?.[1] ?? NaN);
    const end = Number(match?.[2] ?? start);
    if (start <= end && end < SLOT_COUNT) return { start, end };
    throw usageError(
      `--accept-data-loss ${JSON.stringify(typed)} does not name slots`,
      'write them as the plan does: 0-5460,7000',
    );
  });
  return normalizeRanges(ranges);
}

/** @throws AppError usage for what is no code */
export function skippedOf({ skip }: PolicyFlagValues): ReadonlySet<string> {
  const codes = skip.flatMap((word) => word.split(',')).map((word) => word.trim());
  const wrong = codes.find((code) => !isCode(code));
  if (wrong === undefined) return new Set(codes);
  throw usageError(`--skip ${JSON.stringify(wrong)} is not a code`, 'kubectl redis explain lists them all');
}

/** As they were typed, for the command that goes on. */
export function typedPolicy(flags: PolicyFlagValues): string {
  const { acceptDataLoss } = policyOf(flags);
  return [
    ...(acceptDataLoss.length === 0 ? [] : [` --accept-data-loss ${formatRanges(acceptDataLoss)}`]),
    ...(flags.takeover ? [' --takeover'] : []),
    ...(flags['forget-strangers'] ? [' --forget-strangers'] : []),
    ...(flags['start-empty'] ? [' --start-empty'] : []),
    ...[...skippedOf(flags)].map((code) => ` --skip ${code}`),
  ].join('');
}
