import { EXIT, usageError } from '../../pkg/errors.ts';
import { defineVerb } from '../verb.ts';

const SHELLS = ['bash', 'zsh', 'fish', 'powershell'] as const;

export const completionVerb = defineVerb({
  name: 'completion',
  summary: 'How to complete verbs, flags and cluster names in a shell',
  description:
    'kubectl completes plugins itself, through the program kubectl_complete-redis that comes with this plugin. Print what a shell needs for it.',
  positionals: {
    SHELL: { summary: 'bash, zsh, fish or powershell; default: that of $SHELL', required: false, completes: SHELLS },
  },
  flags: {},
  examples: [
    { does: 'What bash needs', command: 'kubectl redis completion bash' },
    { does: 'Put it where new shells read it', command: 'kubectl redis completion zsh >> ~/.zshrc' },
  ],
  exitCodes: { 0: 'printed', 2: 'wrong usage' },
  run: ({ args }, deps) => {
    const wanted = args.SHELL ?? process.env['SHELL']?.split('/').at(-1) ?? 'bash';
    const shell = SHELLS.find((one) => one === wanted);
    if (shell === undefined) {
      if (args.SHELL === undefined)
        throw usageError(
          `which shell? ${JSON.stringify(wanted)} is not one that kubectl knows`,
          `name one of: ${SHELLS.join(', ')}`,
        );
      throw usageError(`${JSON.stringify(wanted)} is not one of ${SHELLS.join(', ')}`);
    }
    deps.terminal.write(setupFor(shell));
    return Promise.resolve(EXIT.done);
  },
});

/** Lines for the shell's start-up file: comments and a command. */
export function setupFor(shell: (typeof SHELLS)[number]): string {
  const lines = [
    '# kubectl (1.26 or newer) completes "kubectl redis" when its own completion is on and',
    '# kubectl_complete-redis is on the PATH beside kubectl-redis.',
    ...SETUP[shell],
  ];
  return `${lines.join('\n')}\n`;
}

const SETUP: Readonly<Record<(typeof SHELLS)[number], readonly string[]>> = {
  bash: ['source <(kubectl completion bash)'],
  zsh: ['autoload -Uz compinit && compinit', 'source <(kubectl completion zsh)'],
  fish: ['kubectl completion fish | source'],
  powershell: ['kubectl completion powershell | Out-String | Invoke-Expression'],
};
