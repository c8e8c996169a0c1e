/** Plain TCP to the pod, for when we run where pod addresses can be reached. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { reasonOf } from '../errors.ts';
import type { Dialer } from '../engine/ports.ts';
import { classifySocketError, unreachable } from './why.ts';

/**
 * Rejects with `not-running` for a pod without an address, else `refused`, `timeout` (no answer within `timeoutMs`, no
 * route, or given up by the caller) or `error`.
 */
export function createDirectDialer(options: { readonly timeoutMs?: number } = {}): Dialer {
  const timeoutMs = options.timeoutMs ?? 10_000;
  return (pod, signal) =>
    new Promise<Socket>((resolve, reject) => {
      // An empty host would be this very machine (law L1: never talk to a node that is another one).
      if (pod.ip === '') return reject(unreachable('not-running', `Pod ${pod.name} has no address yet`));
      const where = `${pod.ip.includes(':') ? `[${pod.ip}]` : pod.ip}:${pod.port}`;
      if (signal.aborted) return reject(unreachable('timeout', `No connection to ${where} in time`));
      const socket = connect({ host: pod.ip, port: pod.port, noDelay: true });
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', giveUp);
      };
      const giveUp = (): void => {
        settle();
        socket.destroy();
        reject(unreachable('timeout', `No connection to ${where} in time`));
      };
      const timer = setTimeout(giveUp, timeoutMs);
      signal.addEventListener('abort', giveUp, { once: true });
      socket.once('connect', () => {
        settle();
        resolve(socket);
      });
      // Stays: an error after the connection is the business of whoever reads from the stream, but never a crash.
      socket.on('error', (error) => {
        settle();
        reject(unreachable(classifySocketError(error), reasonOf(error), error));
      });
    });
}
