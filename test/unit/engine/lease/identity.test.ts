/**
 * Whether a holder was a process of this machine that is gone: only where it can be told for certain (FINDINGS K15).
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { isGone, ownIdentity, type SystemFiles } from '../../../../pkg/engine/lease/identity.ts';
import { poll } from '../../../support/redis-server.ts';

const MACHINE = '3d1219c7c4c5404aaa1f6d2a48adfda4';
const BOOT = '16db2697-8cce-43cb-a8ca-2aefe3d344ef';

let root = '';
let count = 0;
beforeAll(() => void (root = mkdtempSync(join(tmpdir(), 'identity-'))));
afterAll(() => rmSync(root, { recursive: true }));

interface Made {
  readonly machine?: string | null;
  readonly dbus?: string;
  readonly boot?: string | null;
  readonly pids?: string | null;
  /** What /proc says of processes, by number. */
  readonly stats?: Readonly<Record<string, string>>;
}

/** The files of a machine; its processes are those of the real one, unless it is told otherwise. */
function machine({
  machine: id = MACHINE,
  dbus,
  boot = BOOT,
  pids = 'pid:[4026531836]',
  stats = {},
}: Made = {}): SystemFiles {
  const dir = join(root, String(count++));
  const proc = join(dir, 'proc');
  mkdirSync(join(proc, 'self', 'ns'), { recursive: true });
  if (id !== null) writeFileSync(join(dir, 'machine-id'), `${id}\n`);
  if (dbus !== undefined) writeFileSync(join(dir, 'dbus-id'), `${dbus}\n`);
  if (boot !== null) writeFileSync(join(dir, 'boot_id'), `${boot}\n`);
  if (pids !== null) symlinkSync(pids, join(proc, 'self', 'ns', 'pid'));
  writeFileSync(join(proc, 'self', 'stat'), stats['self'] ?? realStat(process.pid));
  for (const [pid, stat] of Object.entries(stats)) {
    mkdirSync(join(proc, pid), { recursive: true });
    writeFileSync(join(proc, pid, 'stat'), stat);
  }
  return { machineId: [join(dir, 'machine-id'), join(dir, 'dbus-id')], bootId: join(dir, 'boot_id'), proc };
}

const realStat = (pid: number): string => readFileSync(`/proc/${pid}/stat`, 'utf8');
const started = (stat: string): string => stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';

/** The mark that another process of that machine would have made. */
function markOf(files: SystemFiles, pid: number, start: string): string {
  const { process: own } = ownIdentity(files);
  if (own === null) throw new Error('no mark');
  return own.replace(/ \d+ \d+$/, ` ${pid} ${start}`);
}

describe('who we are', () => {
  test('a name for people, and a mark that tells nothing of the machine', () => {
    const { holder, process: mark } = ownIdentity(machine());
    expect(holder).toMatch(new RegExp(`@.+ \\(pid ${process.pid}\\)$`));
    expect(mark).toMatch(new RegExp(`^[0-9a-f]{64} ${process.pid} ${started(realStat(process.pid))}$`));
    expect(mark).not.toContain(MACHINE.slice(0, 8));
  });

  test('this very machine can tell, where it is a Linux with a machine-id', () => {
    const { process: mark } = ownIdentity();
    expect(mark === null || / \d+ \d+$/.test(mark)).toBe(true);
  });

  test('the id of D-Bus does where systemd has none', () => {
    const files = machine({ machine: null, dbus: MACHINE });
    expect(ownIdentity(files).process).toBe(ownIdentity(machine()).process);
  });

  const other = realStat(process.pid).replace(/^\d+/, '1');
  test.each<[string, Made]>([
    ['a machine-id', { machine: null }],
    ['a machine-id that was filled in', { machine: 'uninitialized' }],
    ['a machine-id that is not empty', { machine: '' }],
    ['a boot id', { boot: null }],
    ['a namespace of its processes', { pids: null }],
    ['a /proc of its own', { stats: { self: other } }],
    ['a /proc that can be read', { stats: { self: 'nonsense' } }],
  ])('without %s there is no mark', (_, made) => {
    expect(ownIdentity(machine(made)).process).toBeNull();
  });
});

describe('K15: a holder of this machine is gone', () => {
  const dead = spawnSync('true').pid;
  const gone = (holder: string | undefined, files: SystemFiles): boolean => isGone(holder, ownIdentity(files), files);

  test('when its number is nobody’s', () => {
    const files = machine();
    expect(gone(markOf(files, dead, '12345'), files)).toBe(true);
  });

  test('when its number was given to another process, which began at another time', () => {
    const parent = realStat(process.ppid);
    const files = machine({ stats: { [process.ppid]: parent } });
    expect(gone(markOf(files, process.ppid, '1'), files)).toBe(true);
    expect(gone(markOf(files, process.ppid, started(parent)), files)).toBe(false);
  });

  test('when it was killed and nobody has buried it', () => {
    const zombie = realStat(process.ppid).replace(/\) \w /, ') Z ');
    const files = machine({ stats: { [process.ppid]: zombie } });
    expect(gone(markOf(files, process.ppid, started(zombie)), files)).toBe(true);
  });

  test('but not when the start of who has its number can’t be read (hidepid)', () => {
    const files = machine();
    expect(gone(markOf(files, process.ppid, '1'), files)).toBe(false);
  });

  test('nor when it is we ourselves', () => {
    const files = machine({ stats: { [process.pid]: realStat(process.pid) } });
    expect(gone(ownIdentity(files).process ?? '', files)).toBe(false);
  });

  test.each<[string, Made]>([
    [
      'another machine with the same host name and pid:[4026531836]',
      { machine: MACHINE.replace('3', '4'), boot: BOOT.replace('1', '2') },
    ],
    ['a container of the same image on another host', { boot: BOOT.replace('1', '2') }],
    ['another container on this host', { pids: 'pid:[4026532999]' }],
    ['this machine, before it was started again', { boot: BOOT.replace('e', 'f') }],
    ['a machine that can’t tell who it is', { machine: null }],
  ])('never for one of %s', (_, made) => {
    const theirs = machine(made);
    const here = machine();
    const { process: own } = ownIdentity(theirs);
    const mark = own === null ? undefined : own.replace(/ \d+ \d+$/, ` ${dead} 12345`);
    expect(gone(mark, here)).toBe(false);
    // Nor the other way round.
    expect(gone(markOf(here, dead, '12345'), theirs)).toBe(false);
  });

  test.each([undefined, '', 'laptop/pid:[4026531836] 7', 'x 7 8', `${'0'.repeat(64)} 7`])(
    'nor by a mark that is none: %s',
    (mark) => {
      expect(gone(mark, machine())).toBe(false);
    },
  );

  test('shown on a real process: alive, killed, and with its number known as another’s', async () => {
    const child: ChildProcess = spawn('sleep', ['1000']);
    try {
      const pid = child.pid ?? -1;
      const files: SystemFiles = { ...machine(), proc: '/proc' };
      const own = ownIdentity(files);
      const mark = own.process?.replace(/ \d+ \d+$/, ` ${pid} ${started(realStat(pid))}`);
      expect(isGone(mark, own, files)).toBe(false);
      expect(isGone(mark?.replace(/\d+$/, '1'), own, files)).toBe(true);
      child.kill('SIGSTOP');
      expect(isGone(mark, own, files)).toBe(false);
      child.kill('SIGKILL');
      await poll('it is gone', 10_000, async () => (isGone(mark, own, files) ? true : null));
    } finally {
      child.kill('SIGKILL');
    }
  });
});
