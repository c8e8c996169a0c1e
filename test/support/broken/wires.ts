/**
 * The way from `fix` to the servers. It can be cut while the servers go on seeing each other, and what servers say of time can be
 * changed on it, because no test waits for hours.
 */
import type { Duplex } from 'node:stream';
import type { NodeReply } from '../../../pkg/cluster/model/observation.ts';
import { AppError } from '../../../pkg/errors.ts';
import type { Dialer } from '../../../pkg/engine/ports.ts';
import type { Redis } from '../../../pkg/redis/connect.ts';

export interface Wires {
  readonly dial: Dialer;
  /** Ends what is open to the address, and lets nobody through any more, as a tunnel does that can't be opened. */
  cut(address: string): void;
  join(address: string): void;
  /** Addresses of processes that are frozen: nobody waits for long for those. */
  readonly frozen: Set<string>;
  /** Seconds that are added to how long a replica's link is down, by its address. */
  readonly linkAges: Map<string, number>;
  /** The port, as if servers had run for an hour, and with the ages of links. */
  through(port: Redis): Redis;
}

/** Nodes of a test are young; the checks leave those alone. */
const AGED_SECONDS = 3_600;
const FROZEN_MS = 700;

export function createWires(dial: Dialer): Wires {
  const cut = new Set<string>();
  const open = new Map<string, Set<Duplex>>();
  const frozen = new Set<string>();
  const linkAges = new Map<string, number>();
  const patience = (ip: string, deadlineMs: number): number =>
    frozen.has(ip) ? Math.min(FROZEN_MS, deadlineMs) : deadlineMs;
  return {
    frozen,
    linkAges,
    cut: (address) => {
      cut.add(address);
      for (const stream of open.get(address) ?? []) stream.destroy(noTunnel(address));
      open.delete(address);
    },
    join: (address) => void cut.delete(address),
    dial: async (pod, signal) => {
      if (cut.has(pod.ip)) throw noTunnel(pod.name);
      const stream = await dial(pod, signal);
      const streams = open.get(pod.ip) ?? new Set();
      open.set(pod.ip, streams.add(stream));
      stream.once('close', () => streams.delete(stream));
      return stream;
    },
    through: (port) => ({
      ...port,
      ask: async (pod, options) => {
        const reply = await port.ask(pod, { ...options, deadlineMs: patience(pod.ip, options.deadlineMs) });
        return aged(reply, linkAges.get(pod.ip) ?? 0);
      },
      run: (pod, commands, deadlineMs, fence) => port.run(pod, commands, patience(pod.ip, deadlineMs), fence),
    }),
  };
}

function noTunnel(to: string): AppError {
  return new AppError(`cannot forward port 6379 of pod ${to}`, { code: 'tunnel' });
}

function aged(reply: NodeReply, linkSeconds: number): NodeReply {
  if (reply.kind !== 'answered') return reply;
  const { answer } = reply;
  const { uptimeSeconds, primaryLinkDownSeconds: down } = answer.info;
  const info = {
    ...answer.info,
    uptimeSeconds: uptimeSeconds + AGED_SECONDS,
    primaryLinkDownSeconds: down === null ? null : down + linkSeconds,
  };
  return { ...reply, answer: { ...answer, info } };
}
