/**
 * One forwarded port as a Duplex, over a WebSocket that is open already.
 *
 * The protocol `v4.channel.k8s.io`: every message starts with a channel number, 0 for data and 1 for what went wrong; the
 * first message of each channel from the server only repeats the port (two bytes, little endian).
 */
import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { AppError } from '../errors.ts';

const DATA = 0;
const ERROR = 1;
const DATA_PREFIX = Buffer.from([DATA]);
/** An idle tunnel is pinged; load balancers forget connections that are silent for a minute. */
const PING_EVERY_MS = 15_000;
const CLOSED_NORMALLY = 1000;

export interface TunnelEnd {
  readonly pod: string;
  readonly port: number;
}

/**
 * Takes the socket over: when the stream ends or is destroyed, the socket is closed.
 * Destroyed with AppError `refused` when nothing listens in the pod, with `tunnel` when the way to it is lost.
 * `onAnnounced` is called once the kubelet has answered on both channels; a refusal often comes right behind.
 */
export function tunnelStream(
  socket: WebSocket,
  end: TunnelEnd,
  onAnnounced: () => void = () => undefined,
  pingEveryMs: number = PING_EVERY_MS,
): Duplex {
  const send = (chunks: readonly Buffer[], done: (error?: Error | null) => void): void =>
    socket.send(Buffer.concat([DATA_PREFIX, ...chunks]), (error) => done(error ? lost(end, error.message) : null));
  const stream = new Duplex({
    allowHalfOpen: false,
    read: () => socket.resume(),
    write: (chunk: Buffer, _encoding, done) => send([chunk], done),
    writev: (chunks, done) =>
      send(
        chunks.map((each) => each.chunk as Buffer),
        done,
      ),
    final: (done) => {
      socket.close();
      done();
    },
    destroy: (error, done) => {
      socket.terminate();
      done(error);
    },
  });
  receive(socket, stream, end, onAnnounced);
  pingWhileIdle(socket, stream, end, pingEveryMs);
  return stream;
}

/** From the socket into the stream, which holds the socket up when it is full. */
function receive(socket: WebSocket, stream: Duplex, end: TunnelEnd, onAnnounced: () => void): void {
  const announced = [false, false];
  socket.on('message', (message: Buffer) => {
    const channel = message[0];
    if (channel !== DATA && channel !== ERROR) return;
    if (announced[channel] !== true) {
      announced[channel] = true;
      if (announced.every(Boolean)) onAnnounced();
      return;
    }
    const payload = message.subarray(1);
    if (channel === ERROR) stream.destroy(failed(end, payload.toString('utf8')));
    else if (payload.length > 0 && !stream.push(payload)) socket.pause();
  });
  socket.on('close', (code: number) => {
    if (code === CLOSED_NORMALLY || stream.writableEnded) stream.push(null);
    else stream.destroy(lost(end, 'the API server closed the connection'));
  });
  socket.on('error', (error) => stream.destroy(lost(end, error.message)));
}

function pingWhileIdle(socket: WebSocket, stream: Duplex, end: TunnelEnd, everyMs: number): void {
  let heard = false;
  let awaitsPong = false;
  const listen = (): void => {
    heard = true;
    awaitsPong = false;
  };
  socket.on('message', listen);
  socket.on('pong', () => (awaitsPong = false));
  const timer = setInterval(() => {
    // What is on its way out, or held up by a slow reader, is no idleness.
    const idle = !heard && !socket.isPaused && socket.bufferedAmount === 0 && socket.readyState === socket.OPEN;
    heard = false;
    if (!idle) return;
    if (awaitsPong) stream.destroy(lost(end, `no answer to a ping within ${everyMs / 1000} s`));
    else socket.ping();
    awaitsPong = true;
  }, everyMs);
  timer.unref();
  stream.once('close', () => clearInterval(timer));
}

/** What the kubelet says on the error channel. */
function failed(end: TunnelEnd, why: string): AppError {
  if (/connection refused/i.test(why)) {
    return new AppError(`nothing listens on port ${end.port} of pod ${end.pod}`, { code: 'refused', cause: why });
  }
  return new AppError(`cannot forward port ${end.port} of pod ${end.pod}`, { code: 'tunnel', cause: why });
}

function lost(end: TunnelEnd, why: string): AppError {
  return new AppError(`lost the tunnel to pod ${end.pod}`, { code: 'tunnel', cause: why });
}
