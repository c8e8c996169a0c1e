/**
 * A wire between a client and a server that can be held: what the client sends waits in it, as in a tunnel that hangs.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Wire {
  readonly port: number;
  /** What the client sends waits from now on. */
  hold(): void;
  /** What has waited goes on, to a server that is still there. */
  release(): void;
  /** Bytes that waited until their server had hung up. */
  dropped(): number;
  close(): Promise<void>;
}

/** @param onForward is given what is written to the server, of one connection each, when it is written */
export async function startWire(
  target: { readonly host: string; readonly port: number },
  onForward: () => (bytes: Buffer) => void = () => () => undefined,
): Promise<Wire> {
  const sockets = new Set<Socket>();
  const waiting: (() => void)[] = [];
  let [held, dropped] = [false, 0];
  const inTurn = (go: () => void): void => {
    if (held) waiting.push(go);
    else go();
  };
  const server = createServer((client) => {
    const upstream = connect(target);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket)).on('error', () => undefined);
    }
    const seen = onForward();
    client.on('data', (bytes: Buffer) =>
      inTurn(() => {
        if (upstream.writable) {
          seen(bytes);
          upstream.write(bytes);
        } else {
          dropped += bytes.length;
        }
      }),
    );
    // A hold delays the end, too: a server does not know that its client is gone.
    client.once('close', () => inTurn(() => upstream.destroy()));
    upstream.pipe(client);
    upstream.once('close', () => client.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    hold: () => void (held = true),
    release: () => {
      held = false;
      for (const go of waiting.splice(0)) go();
    },
    dropped: () => dropped,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
