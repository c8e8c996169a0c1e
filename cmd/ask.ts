/** Questions to a person at a terminal. Never used without one. */
import { createInterface } from 'node:readline/promises';
import { AppError, EXIT } from '../pkg/errors.ts';

export interface Asker {
  /** Asks until `check` finds nothing wrong; an empty answer is the default. `check` returns what is wrong, or null. */
  text(question: string, fallback: string, check: (answer: string) => string | null): Promise<string>;
  confirm(question: string, fallback: boolean): Promise<boolean>;
  close(): void;
}

/** Reads stdin and writes to stderr: stdout is for data. @throws AppError `interrupted` on Ctrl-C or at the end of input */
export function createAsker(input: NodeJS.ReadableStream, output: NodeJS.WritableStream, terminal = true): Asker {
  const lines = createInterface({ input, output, terminal });
  const gone = new Promise<never>((_, reject) => {
    const stop = (): void =>
      reject(new AppError('Nothing was changed', { code: 'interrupted', exitCode: EXIT.interrupted }));
    lines.once('SIGINT', stop);
    lines.once('close', stop);
  });
  gone.catch(() => undefined); // nobody may be asking when it happens
  const ask = (prompt: string): Promise<string> => Promise.race([lines.question(prompt), gone]);
  return {
    async text(question, fallback, check) {
      for (;;) {
        const answer =
          (await ask(fallback === '' ? `${question}: ` : `${question} [${fallback}]: `)).trim() || fallback;
        const wrong = check(answer);
        if (wrong === null) return answer;
        output.write(`  ${wrong}\n`);
      }
    },
    async confirm(question, fallback) {
      for (;;) {
        const answer = (await ask(`${question} [${fallback ? 'Y/n' : 'y/N'}] `)).trim().toLowerCase();
        if (answer === '') return fallback;
        if (answer === 'y' || answer === 'yes') return true;
        if (answer === 'n' || answer === 'no') return false;
      }
    },
    close: () => lines.close(),
  };
}
