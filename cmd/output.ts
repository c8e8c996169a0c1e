/** The flag `-o`, and printing in the form that it asks for. */
import type { Deps } from './deps.ts';
import type { Flag } from './flags.ts';
import { usageError } from '../pkg/errors.ts';

/** `table` is what is printed without the flag. */
export type Output<V extends string> = V | 'table';

/** `-o` with the forms that a verb knows. */
export function outputFlag<const V extends string>(values: readonly V[]): Flag<Output<V>> {
  return {
    takes: 'one',
    alias: 'o',
    placeholder: values.join('|'),
    summary: 'Form of the output',
    values,
    read: ([given]) => {
      const value = values.find((one) => one === given);
      if (value !== undefined) return value;
      if (given === undefined) return 'table';
      throw usageError(`-o ${JSON.stringify(given)} is not one of ${values.join(', ')}`);
    },
  };
}

/** Prints the document when `-o json` or `-o yaml` asks for it; false when something else is wanted. */
export async function wroteDocument(
  deps: Deps,
  output: string,
  make: () => object | Promise<object>,
): Promise<boolean> {
  if (output !== 'json' && output !== 'yaml') return false;
  const { printDocument } = await import('./document/document.ts');
  deps.terminal.write(await printDocument(await make(), output));
  return true;
}
