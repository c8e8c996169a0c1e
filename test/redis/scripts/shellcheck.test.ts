import { expect, test } from '@jest/globals';
import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';

const DIR = 'pkg/pod/scripts';
const scripts = readdirSync(DIR).filter((file) => file.endsWith('.sh'));

function run(command: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, (error, stdout, stderr) => {
      if (error?.code === 'ENOENT') reject(new Error(`These tests need ${command}: apt-get install ${command}`));
      else resolve(error === null ? '' : stdout + stderr);
    });
  });
}

test.each(scripts)('shellcheck finds nothing in %s', async (script) => {
  expect(await run('shellcheck', '--shell=sh', `${DIR}/${script}`)).toBe('');
});

test.each(scripts)('dash and busybox can parse %s', async (script) => {
  expect(await run('dash', '-n', `${DIR}/${script}`)).toBe('');
  expect(await run('busybox', 'ash', '-n', `${DIR}/${script}`)).toBe('');
});

test('there are scripts to check', () => {
  expect(scripts.sort()).toEqual(['probe.sh', 'start.sh', 'stop.sh']);
});
