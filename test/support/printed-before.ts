/** The very manifests that `create redis --storage 100Mi --dry-run` of commit 175e832 printed. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { IMAGE } from './cli.ts';

const FILE = fileURLToPath(new URL('../fixtures/manifests/printed-by-175e832.yaml', import.meta.url));

/** In this namespace, and with an image that its hosts have. */
export async function printedBefore({ namespace }: { readonly namespace: string }): Promise<string> {
  const text = await readFile(FILE, 'utf8');
  return text
    .replaceAll(/^( *)namespace: default$/gm, `$1namespace: ${namespace}`)
    .replaceAll('"namespace":"default"', `"namespace":"${namespace}"`)
    .replaceAll('docker.io/library/redis:8.4', IMAGE);
}
