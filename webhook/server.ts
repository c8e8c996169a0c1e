/** The TLS server: certificates that change while it runs, senders that are slow, and an end that answers what was asked. */
import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** The API server gives up after 10 s at most; a review that is not here by then is of no use. */
const REQUEST_MS = 10_000;
const HEADERS_MS = 5_000;
/** Longer than the API server keeps its connections. */
const KEEP_ALIVE_MS = 150_000;
const MAX_CONNECTIONS = 1_000;

export interface KeyPair {
  /** PEM. */
  readonly key: string;
  /** PEM. */
  readonly cert: string;
}

export interface RunningServer {
  readonly port: number;
  /** From the next connection on. */
  useCertificate(pair: KeyPair): void;
  /** Takes no more connections, answers what was asked, and cuts what is still open after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

export interface ServerOptions {
  readonly port: number;
  readonly host?: string;
  /** null = without TLS. */
  readonly certificate: KeyPair | null;
  readonly requestMs?: number;
}

/** @throws what `listen` says */
export async function startServer(handler: RequestListener, options: ServerOptions): Promise<RunningServer> {
  const { certificate, requestMs = REQUEST_MS } = options;
  const limits = {
    requestTimeout: requestMs,
    headersTimeout: Math.min(HEADERS_MS, requestMs),
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(1_000, requestMs),
  };
  const server: HttpServer | HttpsServer =
    certificate === null
      ? createHttpServer(limits, handler)
      : createHttpsServer({ ...limits, ...certificate, minVersion: 'TLSv1.2', handshakeTimeout: HEADERS_MS }, handler);
  server.maxConnections = MAX_CONNECTIONS;
  const sockets = new Set<Socket>();
  server.on(certificate === null ? 'connection' : 'secureConnection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await listen(server, options);
  return {
    port: (server.address() as AddressInfo).port,
    useCertificate: (pair) => {
      if ('setSecureContext' in server) server.setSecureContext({ ...pair, minVersion: 'TLSv1.2' });
    },
    close: (graceMs) => close(server, sockets, graceMs),
  };
}

function listen(server: HttpServer | HttpsServer, { port, host }: ServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function close(server: HttpServer | HttpsServer, sockets: ReadonlySet<Socket>, graceMs: number): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  server.closeIdleConnections();
  const cut = setTimeout(() => {
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  await closed;
  clearTimeout(cut);
}
