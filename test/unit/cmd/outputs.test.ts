/** What becomes of a process whose stdout or stderr is closed (FINDINGS T1): real processes, real pipes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build } from 'esbuild';

/**
 * Says a line a hundred times on both, tells in a file that it came to its end, and ends with the code that it is
 * given.
 */
const PROGRAM = `
  import { writeFileSync } from 'node:fs';
  import { setTimeout as delay } from 'node:timers/promises';
  import { watchOutputs } from './cmd/outputs.ts';
  const outputs = watchOutputs(process.stdout, process.stderr);
  const [file, code] = process.argv.slice(2);
  for (let i = 0; i < 100; i++) {
    process.stdout.write('data ' + i + '\\n');
    process.stderr.write('progress ' + i + '\\n');
    await delay(2);
  }
  writeFileSync(file, outputs.unread.aborted ? 'unread' : 'read');
  await outputs.flush();
  const end = outputs.judge(Number(code));
  await outputs.flush();
  process.exit(end);
`;

let dir = '';
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'outputs-'));
  await build({
    stdin: { contents: PROGRAM, resolveDir: process.cwd(), loader: 'ts' },
    outfile: join(dir, 'program.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
  });
});
afterAll(() => rmSync(dir, { recursive: true }));

/**
 * @param pipe shell words behind the program. @returns its own exit code, whether it came to its end, and what was read
 */
function run(pipe: string, code: number): { code: number; end: string; read: string } {
  const file = join(dir, 'end');
  rmSync(file, { force: true });
  const script = `"$0" "$1" "$2" "$3" ${pipe}; exit "\${PIPESTATUS[0]}"`;
  const given = [process.execPath, join(dir, 'program.mjs'), file, String(code)];
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script, ...given], { encoding: 'utf8' });
  return { code: status ?? -1, end: readFileSync(file, 'utf8'), read: stdout + stderr };
}

test.each<[string, string, 'read' | 'unread', string]>([
  ['both are read', '', 'read', 'data 99'],
  ['stdout is closed', '2>/dev/null | head -1', 'unread', 'data 0'],
  ['both are closed', '2>&1 | head -1', 'unread', 'data 0'],
  ['stderr alone is closed', '2>&1 >/dev/null | head -1', 'read', 'progress 0'],
  ['both were never open', '>&- 2>&-', 'read', ''],
])('T1: %s: it comes to its end, and its exit code is its own', (_, pipe, end, read) => {
  for (const code of [0, 1, 3]) {
    const ran = run(pipe, code);
    expect({ code: ran.code, end: ran.end }).toEqual({ code, end });
    expect(ran.read).toContain(read);
    expect(ran.read).not.toMatch(/EPIPE|at .*:\d+/);
  }
});

test('T1: a full disk is a failure, and is said where somebody reads', () => {
  const done = run('>/dev/full', 0);
  expect([done.code, done.end]).toEqual([1, 'unread']);
  expect(done.read).toContain('error: The output could not be written: ');
  expect(run('>/dev/full', 3).code).toBe(3);
  // Progress that can't be kept is none.
  expect(run('2>/dev/full', 0)).toMatchObject({ code: 0, end: 'read' });
});
