/**
 * YAML, to be imported lazily. A file of our own because names of a CommonJS package that is itself imported lazily are
 * undefined in an ES module bundle.
 */
import { isMap, isSeq, parseDocument, stringify, visit, type Document } from 'yaml';
import { usageError } from '../../pkg/errors.ts';

/** One document; long texts are not folded, and what occurs twice is written twice. */
export function toYaml(document: object): string {
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

type Path = readonly (string | number)[];

/**
 * Changes the objects of a stream of YAML or JSON documents. What `edit` leaves alone is passed on byte for byte; in what it
 * changes, order, comments and styles stay as far as possible.
 *
 * @param edit returns the object itself where nothing is to be changed
 * @param file its name, for messages
 * @throws AppError usage, with file and line
 */
export function editYaml(text: string, file: string, edit: (object: object) => object): string {
  let line = 1;
  return splitDocuments(text)
    .map((chunk) => {
      const edited = editDocument(chunk, `${file}:${line}`, edit);
      line += chunk.split('\n').length - 1;
      return edited;
    })
    .join('');
}

/** At lines that begin a document: `---` in the first column means nothing else, not even inside of a text. */
function splitDocuments(text: string): string[] {
  const starts = [...text.matchAll(/^---(?=\s|$)/gm)].map(({ index }) => index).filter((index) => index > 0);
  return [0, ...starts].map((start, at) => text.slice(start, starts[at]));
}

function editDocument(chunk: string, where: string, edit: (object: object) => object): string {
  const document = parseDocument(chunk, { uniqueKeys: true });
  const [error] = document.errors;
  if (error !== undefined) throw usageError(`${where}: ${error.message.split('\n')[0]}`, 'correct the YAML');
  const before: unknown = document.toJS({ maxAliasCount: 1000 });
  if (typeof before !== 'object' || before === null) return chunk;
  const after = edit(before);
  if (after === before || isSame(before, after)) return chunk;
  if (isJson(chunk)) return `${JSON.stringify(after, null, 2)}\n`;
  // A change at an anchor would be one at all its aliases: such a document is written without them.
  if (hasAlias(document)) document.contents = document.createNode(after, { aliasDuplicateObjects: false }) as never;
  else write(document, [], before, after);
  // Lists stand where the author put them: below their key, or further in.
  const indentSeq = !/^( *)[^\s#-][^\n]*:[ \t]*\n(?:\s*#[^\n]*\n)*\1- /m.test(chunk);
  const written = document.toString({ lineWidth: 0, indentSeq });
  return chunk.startsWith('---') && !written.startsWith('---') ? `---\n${written}` : written;
}

function isJson(chunk: string): boolean {
  try {
    JSON.parse(chunk);
    return true;
  } catch {
    return false;
  }
}

function hasAlias(document: Document): boolean {
  let found = false;
  visit(document, {
    Alias: () => {
      found = true;
      return visit.BREAK;
    },
  });
  return found;
}

/** Writes only what differs, so that comments and styles of the rest stay. */
function write(document: Document, path: Path, before: unknown, after: unknown): void {
  if (isSame(before, after)) return;
  if (Array.isArray(before) && Array.isArray(after) && after.length >= before.length && isSeq(nodeAt(document, path))) {
    after.forEach((item: unknown, index) => {
      if (index < before.length) write(document, [...path, index], before[index], item);
      else document.addIn(path, document.createNode(item, { aliasDuplicateObjects: false }));
    });
  } else if (isRecord(before) && isRecord(after) && isMap(nodeAt(document, path))) {
    for (const key of Object.keys(before)) if (!Object.hasOwn(after, key)) document.deleteIn([...path, key]);
    for (const [key, value] of Object.entries(after)) write(document, [...path, key], before[key], value);
  } else {
    // A plain value goes into the node that is there, whose comment stays.
    const isPlain = typeof after !== 'object' || after === null;
    document.setIn(path, isPlain ? after : document.createNode(after, { aliasDuplicateObjects: false }));
  }
}

function nodeAt(document: Document, path: Path): unknown {
  return path.length === 0 ? document.contents : document.getIn(path, true);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSame(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}
