/** `explain`: one code in full, or all of them in a table. Pure. */
import { CODES, CODE_NAMES } from '../../pkg/cluster/check/codes.ts';
import type { Code } from '../../pkg/cluster/check/codes.ts';
import type { Look } from '../terminal.ts';
import { wrap } from './format.ts';
import { createPaint, toneOfSeverity } from './paint.ts';
import { table } from './table.ts';

const MAX_WIDTH = 100;
const LABEL = 13;

export function renderCode(code: Code, look: Look): string {
  const paint = createPaint(look.colour);
  const spec = CODES[code];
  const width = Math.min(look.width ?? MAX_WIDTH, MAX_WIDTH);
  const field = (name: string, text: string): string[] => {
    const narrow = width - LABEL < 20;
    const lines = wrap(text, Math.max(10, narrow ? width - 2 : width - LABEL));
    if (narrow) return [`${name}:`, ...lines.map((line) => `  ${line}`)];
    return lines.map((line, at) => `${(at === 0 ? `${name}:` : '').padEnd(LABEL)}${line}`);
  };
  const lines = [
    ...wrap(spec.title, width).map((line) => paint.tone('strong', line)),
    '',
    `${'Code:'.padEnd(LABEL)}${code}`,
    `${'Severity:'.padEnd(LABEL)}${paint.tone(toneOfSeverity(spec.severity), spec.severity)}`,
    ...field('Meaning', spec.meaning),
    ...field('Cause', spec.cause),
    ...field('Repair', spec.repair),
  ];
  return `${lines.join('\n')}\n`;
}

export function renderCodes(look: Look): string {
  const paint = createPaint(look.colour);
  const rows = CODE_NAMES.map((code) => {
    const { severity, title } = CODES[code];
    return [code, { text: severity, tone: toneOfSeverity(severity) }, title];
  });
  const columns = [{ header: 'CODE' }, { header: 'SEVERITY', leaveOut: 1 }, { header: 'MEANING' }];
  return `${table(columns, rows, { width: look.width, paint }).join('\n')}\n`;
}
