/** What may lose data, from the flags that say so. */
import { usageError } from '../../pkg/errors.ts';
import { isCode } from '../../pkg/cluster/check/codes.ts';
import { typedLoss, type LossFlagValues } from '../loss-flag.ts';
import type { FixPolicy } from '../../pkg/cluster/plan/fix/fix-plan.ts';

export interface PolicyFlagValues extends LossFlagValues {
  readonly takeover: boolean;
  readonly 'forget-strangers': boolean;
  readonly 'start-empty': boolean;
  readonly skip: readonly string[];
}

export function policyOf(flags: PolicyFlagValues): FixPolicy {
  return {
    acceptDataLoss: flags['accept-data-loss'],
    takeover: flags.takeover,
    forgetStrangers: flags['forget-strangers'],
    startEmpty: flags['start-empty'],
  };
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
  return [
    typedLoss(flags),
    ...(flags.takeover ? [' --takeover'] : []),
    ...(flags['forget-strangers'] ? [' --forget-strangers'] : []),
    ...(flags['start-empty'] ? [' --start-empty'] : []),
    ...[...skippedOf(flags)].map((code) => ` --skip ${code}`),
  ].join('');
}
