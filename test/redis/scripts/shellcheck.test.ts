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

/** Those that others source are checked together with who sources them. */
const ENTRIES = ['start.sh', 'rejoin.sh', 'links.sh', 'probe.sh', 'stop.sh'];

test.each(ENTRIES)('shellcheck finds nothing in %s', async (script) => {
  const args = ['--shell=sh', '--external-sources', '--check-sourced', `${DIR}/${script}`];
  expect(await run('shellcheck', ...args)).toBe('');
});

test.each(scripts)('dash and busybox can parse %s', async (script) => {
  expect(await run('dash', '-n', `${DIR}/${script}`)).toBe('');
  expect(await run('busybox', 'ash', '-n', `${DIR}/${script}`)).toBe('');
});

test('there are scripts to check', () => {
  expect(scripts.sort()).toEqual(
    ['common.sh', 'guard.sh', 'heir.sh', 'history.sh', 'peers.sh', 'validity.sh', 'volume.sh', ...ENTRIES].sort(),
  );
});
