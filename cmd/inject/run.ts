/** `inject`: reads documents, completes the pods in them, prints them all. Warnings and refusals go to stderr. */
import { EXIT, type ExitCode } from '../../pkg/errors.ts';
import { injectObject, refuseOverlaps, type Finding } from '../../pkg/pod/inject/offline.ts';
import type { Deps } from '../deps.ts';
import { readInput } from '../read-input.ts';

export interface InjectRequest {
  readonly file: string;
  /** Of objects that do not say theirs. */
  readonly namespace: string;
}

/** Prints nothing on stdout when anything is refused, so that a pipe into `kubectl apply` applies nothing. */
export async function runInject(
  { file, namespace }: InjectRequest,
  deps: Pick<Deps, 'terminal'>,
  stdin: NodeJS.ReadableStream = process.stdin,
): Promise<ExitCode> {
  const input = await readInput(file, stdin);
  const { editYaml } = await import('../document/yaml.ts');
  const findings: Finding[] = [];
  const name = file === '-' ? 'stdin' : file;
  const output = editYaml(input, name, (object) => {
    const result = injectObject(object as Record<string, unknown>, namespace);
    findings.push(...result.findings);
    return result.object;
  });
  const judged = refuseOverlaps(findings);
  const refused = judged.filter(({ outcome }) => outcome.kind === 'refused');
  for (const line of linesOf(judged)) deps.terminal.say(`${line}\n`);
  if (refused.length > 0) return EXIT.refused;
  deps.terminal.write(output);
  return EXIT.done;
}

function linesOf(findings: readonly Finding[]): string[] {
  const lines = findings.flatMap(({ where, outcome }) => {
    switch (outcome.kind) {
      case 'injected':
        return outcome.warnings.map((warning) => `warning: ${where}: ${warning}`);
      case 'refused':
        return [`error: ${where}: ${outcome.sentence} (${outcome.code})`];
      case 'skipped':
        return outcome.code === 'not-asked-for' ? [] : [`${where}: left as it is: ${outcome.sentence}`];
      default:
        return outcome satisfies never;
    }
  });
  if (findings.every(({ outcome }) => outcome.kind === 'skipped' && outcome.code === 'not-asked-for')) {
    lines.push('nothing to inject: no pod has the label or annotation kubectl-redis.io/cluster: NAME');
  }
  return [...new Set(lines)];
}
