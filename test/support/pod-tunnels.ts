/** Port-forwards of a stub of the API: each pod's tunnel leads to its server, opens and stays silent, or never opens. */
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type WebSocket } from 'ws';
import type { KubeApiStub } from './kube-api-stub.ts';
import { DATA, ERROR, frame } from './port-forward-stub.ts';
import type { StubPod } from './stub-cluster.ts';

const PROTOCOL = 'v4.channel.k8s.io';
const PORT = Buffer.from([6379 & 0xff, 6379 >> 8]);

export type TunnelFault =
  /** The API server switches protocols; the kubelet never says a word. */
  | 'silent'
  /** The API server waits for the kubelet itself: the request is not answered at all. */
  | 'unanswered';

/**
 * @param faults by pod name; all others are led to where `pods` says
 * @returns what ends the tunnels: the server forgets sockets that were upgraded
 */
export function forwardTunnels(
  stub: KubeApiStub,
  pods: ReadonlyMap<string, StubPod>,
  faults: ReadonlyMap<string, TunnelFault> = new Map(),
): () => void {
  const raw = new Set<Duplex>();
  const sockets = new WebSocketServer({ noServer: true, handleProtocols: () => PROTOCOL });
  stub.server.on('upgrade', (request, socket, head) => {
    const pod = /\/pods\/([^/]+)\/portforward/.exec(request.url ?? '')?.[1] ?? '';
    const fault = faults.get(pod);
    raw.add(socket);
    socket.on('error', () => undefined);
    if (fault === 'unanswered') return;
    sockets.handleUpgrade(request, socket, head, (opened) => {
      const to = pods.get(pod);
      if (fault === undefined && to !== undefined) bridge(opened, to);
    });
  });
  return () => {
    for (const socket of raw) socket.destroy();
  };
}

function bridge(socket: WebSocket, { ip, port }: StubPod): void {
  const server = connect({ host: ip, port });
  for (const channel of [DATA, ERROR]) socket.send(frame(channel, PORT));
  server.on('data', (data) => socket.send(frame(DATA, data)));
  server.on('error', (error) => socket.send(frame(ERROR, error.message)));
  server.on('close', () => socket.close());
  socket.on('message', (message: Buffer) => {
    if (message[0] === DATA) server.write(message.subarray(1));
  });
  socket.on('close', () => server.destroy());
  socket.on('error', () => server.destroy());
}
