/** The project's own files, as paths from its root with slashes. */
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** What is made or fetched, not written. */
const FOREIGN: ReadonlySet<string> = new Set(['.git', 'node_modules', 'dist', 'coverage', '.tmp']);

export function listFiles(folder = ''): readonly string[] {
  return readdirSync(`${ROOT}${folder}`, { withFileTypes: true }).flatMap((entry) => {
    if (FOREIGN.has(entry.name)) return [];
    if (entry.isDirectory()) return listFiles(`${folder}${entry.name}/`);
    return entry.isFile() ? [`${folder}${entry.name}`] : [];
  });
}

export function readFile(file: string): string {
  return readFileSync(`${ROOT}${file}`, 'utf8');
}
