/**
 * Who holds a lease. For people `user@host (pid 12)`; but host names repeat, and every Linux has pid:[4026531836], so
 * neither says whose process that is. Whether it was one of this machine that is gone is told by a mark, or, where the
 * mark can't be made, not at all.
 */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';

export interface Identity {
  readonly holder: string;
  /** `PLACE PID STARTED`; null: its death can't be told on this machine. */
  readonly process: string | null;
}

/** Where a system tells who it is. Tests have machines of their own. */
export interface SystemFiles {
  readonly machineId: readonly string[];
  readonly bootId: string;
  readonly proc: string;
}

const LINUX: SystemFiles = {
  machineId: ['/etc/machine-id', '/var/lib/dbus/machine-id'],
  bootId: '/proc/sys/kernel/random/boot_id',
  proc: '/proc',
};

export function ownIdentity(files: SystemFiles = LINUX): Identity {
  return { holder: `${userName()}@${hostname()} (pid ${process.pid})`, process: ownMark(files) };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`; // no entry in /etc/passwd, as in many containers
  }
}

/** Whether the holder was a process of this machine that is gone. What can't be told for certain is no. */
export function isGone(holder: string | undefined, own: Identity, files: SystemFiles = LINUX): boolean {
  const [theirs, ours] = [partsOf(holder), partsOf(own.process)];
  if (theirs === null || ours === null || theirs.place !== ours.place) return false;
  if (!exists(theirs.pid)) return true;
  const stat = statOf(`${files.proc}/${theirs.pid}/stat`);
  // A number that was given again is neither a sign of life nor, if the start can't be read, one of death.
  return stat !== null && (stat.state === 'Z' || stat.started !== theirs.started);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

interface Mark {
  /** One boot of one machine, and in it the processes that see each other. */
  readonly place: string;
  readonly pid: number;
  /** Ticks of the kernel: no two processes of a place have the number and the start in common. */
  readonly started: string;
}

function partsOf(mark: string | null | undefined): Mark | null {
  const [, place, pid, started] = /^([0-9a-f]{64}) (\d+) (\d+)$/.exec(mark ?? '') ?? [];
  return place === undefined || pid === undefined || started === undefined
    ? null
    : { place, pid: Number(pid), started };
}

/**
 * Containers of one image may share the id of the machine, but on two hosts not that of the boot, and on one host not
 * the namespace of process numbers. The time namespace belongs to it, because what the kernel says of a start depends
 * on it. Hashed, because a machine's id is nobody else's business (man 5 machine-id).
 */
function ownMark({ machineId, bootId, proc }: SystemFiles): string | null {
  const parts = [firstOf(machineId), read(bootId), linkOf(`${proc}/self/ns/pid`), linkOf(`${proc}/self/ns/time`)];
  const [machine, boot, pids, time] = parts;
  const own = statOf(`${proc}/self/stat`);
  if (!isId(machine) || !isId(boot) || pids === null || own === null) return null;
  // A /proc of another namespace: its numbers are not ours.
  if (own.pid !== process.pid) return null;
  const place = createHash('sha256')
    .update(`kubectl-redis lease\n${machine}\n${boot}\n${pids}\n${time ?? ''}`)
    .digest('hex');
  return `${place} ${own.pid} ${own.started}`;
}

/** Images have an empty machine-id, or the word `uninitialized`, for the first boot to fill in. */
function isId(text: string | null | undefined): text is string {
  return /^[0-9a-f-]{32,36}$/.test(text ?? '');
}

function firstOf(paths: readonly string[]): string | null {
  return paths.map(read).find((text) => isId(text)) ?? null;
}

interface Stat {
  readonly pid: number;
  /** One letter; Z = killed, and nobody has buried it. */
  readonly state: string;
  readonly started: string;
}

/** man 5 proc. The name, the second word, may have blanks and brackets in it. */
function statOf(path: string): Stat | null {
  const text = read(path) ?? '';
  const words = text.slice(text.lastIndexOf(')') + 2).split(' ');
  // State is the third word, the start the twenty-second.
  const [state, started] = [words[0], words[19]];
  const pid = Number.parseInt(text, 10);
  if (state === undefined || started === undefined || !/^\d+$/.test(started) || !Number.isInteger(pid)) return null;
  return { pid, state, started };
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

function linkOf(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null;
  }
}
