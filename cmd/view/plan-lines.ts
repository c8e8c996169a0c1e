/** The lower part of every plan: labelled facts, and what one should know. Pure. */
import { wrap } from './format.ts';
import type { Paint } from './paint.ts';

/** `  label       text`, broken to the width; null = one line. */
export function factLines(label: string, text: string, width: number | null, paint: Paint): string[] {
  const lines = width === null ? [text] : wrap(text, Math.max(20, width - 14));
  return lines.map((line, index) => `  ${paint.tone('dim', (index === 0 ? label : '').padEnd(10))}  ${line}`);
}

/** `  ! sentence` for each. */
export function noteLines(sentences: readonly string[], width: number | null, paint: Paint): string[] {
  return sentences.flatMap((sentence) => {
    const lines = width === null ? [sentence] : wrap(sentence, Math.max(20, width - 4));
    return lines.map((line, index) => `${index === 0 ? paint.tone('warn', '  ! ') : '    '}${line}`);
  });
}

export function indent(line: string): string {
  return line === '' ? line : `  ${line}`;
}
