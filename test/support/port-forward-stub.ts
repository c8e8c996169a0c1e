/** The port-forward of an API server, over the protocol `v4.channel.k8s.io`; every other request is answered with 404. */
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { sendStatus, startHttpStub } from './http-stub.ts';
import type { HttpStub } from './http-stub.ts';

export const DATA = 0;
export const ERROR = 1;
const PROTOCOL = 'v4.channel.k8s.io';
const PORT = Buffer.from([6379 & 0xff, 6379 >> 8]);

export function frame(channel: number, payload: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from([channel]), Buffer.from(payload)]);
}

/** Does as the test says once a tunnel is open, after the kubelet's two announcements (unless `announce` is false). */
export async function startPortForward(
  onOpen: (socket: WebSocket, path: string) => void,
  announce = true,
): Promise<HttpStub> {
  const stub = await startHttpStub((_request, response) => sendStatus(response, 404, 'NotFound', 'pods "x" not found'));
  const handleProtocols = (offered: Set<string>): string | false => (offered.has(PROTOCOL) ? PROTOCOL : false);
  const sockets = new WebSocketServer({ noServer: true, handleProtocols });
  stub.server.on('upgrade', (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, (opened) => {
      if (announce) for (const channel of [DATA, ERROR]) opened.send(frame(channel, PORT));
      onOpen(opened, request.url ?? '');
    });
  });
  return stub;
}
