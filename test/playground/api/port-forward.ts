/** `pods/portforward` over a WebSocket, protocol `v4.channel.k8s.io`: one TCP connection to the pod's address for one port. */
import { connect } from 'node:net';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { RawData, WebSocket } from 'ws';
import { badRequest, notImplemented } from './failure.ts';
import type { Pod } from './objects.ts';

const PROTOCOL = 'v4.channel.k8s.io';
const DATA = 0;
const ERROR = 1;

export interface PortForward {
  /** Takes the connection over. @throws {ApiFailure} what is answered instead */
  open(request: IncomingMessage, socket: Duplex, head: Buffer, pod: Pod, ports: readonly string[]): void;
}

export function createPortForward(): PortForward {
  const server = new WebSocketServer({ noServer: true, handleProtocols: () => PROTOCOL });
  return {
    open: (request, socket, head, pod, ports) => {
      const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((each) => each.trim());
      if (!offered.includes(PROTOCOL)) throw notImplemented(`port-forward over ${offered.join(', ') || 'SPDY'}`);
      const port = Number(ports[0]);
      if (ports.length !== 1 || !Number.isInteger(port)) throw badRequest('exactly one port in the query is served');
      const { podIP } = pod.status;
      if (pod.spec.nodeName === undefined) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`);
      if (podIP === undefined)
        throw badRequest(`unable to forward port because pod is not running. Current status=Pending`);
      server.handleUpgrade(request, socket, head, (opened) => forward(opened, podIP, port));
    },
  };
}

function forward(socket: WebSocket, address: string, port: number): void {
  const frame = (channel: number, payload: Buffer): Buffer => Buffer.concat([Buffer.from([channel]), payload]);
  for (const channel of [DATA, ERROR]) socket.send(frame(channel, Buffer.from([port & 0xff, port >> 8])));
  const target = connect({ host: address, port, noDelay: true, allowHalfOpen: false });
  target.on('data', (chunk: Buffer) => {
    target.pause();
    socket.send(frame(DATA, chunk), () => target.resume());
  });
  target.once('error', (error: NodeJS.ErrnoException) => {
    const refused = error.code === 'ECONNREFUSED';
    const why = refused ? `failed to connect to localhost:${port} inside the pod: connection refused` : error.message;
    if (target.connecting || refused) socket.send(frame(ERROR, Buffer.from(`error forwarding port ${port}: ${why}`)));
  });
  target.once('close', () => socket.close(1000));
  socket.on('message', (message: RawData) => {
    const bytes = message as Buffer;
    if (bytes[0] === DATA && bytes.length > 1) target.write(bytes.subarray(1));
  });
  socket.once('close', () => target.destroy());
  socket.once('error', () => target.destroy());
}
