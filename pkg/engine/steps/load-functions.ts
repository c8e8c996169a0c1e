/** Copies libraries of functions from one primary to another that lacks them. */
import { AppError } from '../../errors.ts';
import { parseLibraries } from '../../cluster/model/libraries.ts';
import type { Step, StepNode } from '../../cluster/model/plan.ts';
import type { RedisCommand } from '../ports.ts';
import { onNode, podOf, type RedisStepDeps } from './redis-steps.ts';

const LIST: RedisCommand = ['FUNCTION', 'LIST', 'WITHCODE'];
/** Somebody else was faster: that very library is there now. */
const THERE_BY_NOW = /library '.*' already exists/i;

/** @throws AppError `function-refused` */
export async function loadFunctions(
  deps: RedisStepDeps,
  { node, source, libraries }: Extract<Step, { kind: 'load-functions' }>,
): Promise<void> {
  await copyLibraries(deps, source, node, (name) => libraries.includes(name));
}

/**
 * A library that is there by its name stays as it is, whatever its code. Nothing is done where the source has none, does not know
 * functions, or does not let us list them.
 *
 * @throws AppError `function-refused`
 */
export async function copyLibraries(
  deps: RedisStepDeps,
  source: StepNode,
  target: StepNode,
  isWanted: (name: string) => boolean = () => true,
): Promise<void> {
  const ask = async (node: StepNode, command: RedisCommand): Promise<unknown> =>
    (await onNode(deps, podOf(deps, node), node, [command]))[0];
  const theirs = parseLibraries(await ask(source, LIST));
  if (theirs === null || theirs.size === 0) return;
  const present = await ask(target, LIST);
  const has = parseLibraries(present);
  if (has === null) throw refused(source, target, [...theirs.keys()].join(', '), present);
  for (const [name, code] of theirs) {
    if (has.has(name) || !isWanted(name)) continue;
    const reply = await ask(target, ['FUNCTION', 'LOAD', code]);
    if (reply instanceof Error && !THERE_BY_NOW.test(reply.message)) throw refused(source, target, name, reply);
  }
}

function refused(source: StepNode, target: StepNode, what: string, cause: unknown): AppError {
  return new AppError(`${target.pod} does not take the functions of ${source.pod}: ${what}`, {
    code: 'function-refused',
    cause,
    hint: `Clients would get errors from FCALL there. FUNCTION LOAD them on ${target.pod}, or FUNCTION DELETE them where they are not needed; then run the same command again`,
  });
}
