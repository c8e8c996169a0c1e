/** One status, in the form that was asked for. */
import { printDocument } from './document/document.ts';
import { statusOf } from './document/status.ts';
import type { StatusInput } from './document/status.ts';
import type { Look } from './terminal.ts';
import { renderStatus } from './view/status.ts';

export async function printStatus(input: StatusInput, output: string, look: Look): Promise<string> {
  if (output === 'json' || output === 'yaml') return printDocument(statusOf(input), output);
  return renderStatus(input, look);
}
